// SPDX-License-Identifier: Apache-2.0
// The program's own log: structured lines to standard error (the access log is
// server/access_log.h). A line never blocks: what the descriptor cannot take now is dropped and
// counted.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::log {

enum class Level : std::uint8_t { trace, debug, info, notice, warn, error, critical };

/// Where lines go decides their form (docs/architecture.md, "Logs"). Those for people leave out a
/// field whose value the sentence says, and begin with `who` unless that is the master or empty.
enum class Form : std::uint8_t {
  automatic,  ///< terminal, journal or file, by what standard error is
  terminal,   ///< "12:01:40.123 warn  worker 3 killed by signal 11 (SIGSEGV)  pid=4790"
  file,       ///< "2026-11-22T12:01:40.123Z warn master worker killed slot=3 pid=4790"
  journal,    ///< "<4>worker 3 killed by signal 11 (SIGSEGV) pid=4790" (systemd.exec(5),
              ///< JOURNAL_STREAM)
};

/// One key=value pair. Values with spaces are quoted, control bytes are escaped as \xHH. The key is
/// a constant of the program.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
  std::string_view key;
  std::string value;
};
using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::info;  ///< lines below it are not made
  Form form = Form::automatic;
  bool colour = false;         ///< terminal form only
  std::string who = "master";  ///< "master" or "worker 1"; empty: the program's name
};

/// Sets up this process's log on descriptor 2. May be called again (a worker learns its name late),
/// but not while another thread logs. Without it the defaults hold, and `who` is empty.
void configure(const Options& options);
/// Another `who`; the rest stays.
void rename(const std::string& who);
bool enabled(Level level) noexcept;

/// Writes one line of at most 4096 bytes (a longer one is cut); for people, one per line of
/// `sentence`. `event` is short and constant ("worker killed"); `sentence` is what people read
/// ("worker 3 killed by signal 11"), and is used by the terminal and journal forms; empty: the
/// event.
void write(Level level, std::string_view event, Fields fields = {}, std::string_view sentence = {});

inline void trace(std::string_view event, Fields f = {}, std::string_view s = {}) {
  write(Level::trace, event, f, s);
}
inline void debug(std::string_view event, Fields f = {}, std::string_view s = {}) {
  write(Level::debug, event, f, s);
}
inline void info(std::string_view event, Fields f = {}, std::string_view s = {}) {
  write(Level::info, event, f, s);
}
inline void notice(std::string_view event, Fields f = {}, std::string_view s = {}) {
  write(Level::notice, event, f, s);
}
inline void warn(std::string_view event, Fields f = {}, std::string_view s = {}) {
  write(Level::warn, event, f, s);
}
inline void error(std::string_view event, Fields f = {}, std::string_view s = {}) {
  write(Level::error, event, f, s);
}
inline void critical(std::string_view event, Fields f = {}, std::string_view s = {}) {
  write(Level::critical, event, f, s);
}

/// Whether a descriptor is the one that $JOURNAL_STREAM names (systemd.exec(5)).
bool is_journal(int fd) noexcept;

/// Lines dropped since the process began because standard error took no more.
std::uint64_t dropped() noexcept;

/// "trace" … "critical" to a level; false when the word is none.
bool parse_level(std::string_view word, Level& level) noexcept;
std::string_view level_name(Level level) noexcept;

}  // namespace pronghorn::log
