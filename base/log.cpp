// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/log_format.h"
#include "base/nonblocking_writer.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::log {
namespace {

constexpr std::array<std::string_view, 7> kNames{"trace", "debug", "info",    "notice",
                                                 "warn",  "error", "critical"};

std::atomic<std::uint64_t> dropped_lines{0};  // of the process, as descriptor 2 is

// JOURNAL_STREAM is "DEVICE:INODE"; its presence alone proves nothing (systemd.exec(5)).
bool is_stream(int fd, const char* journal_stream) noexcept {
  if (journal_stream == nullptr) return false;
  std::string_view text = journal_stream;
  const char* end = text.data() + text.size();
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto first = std::from_chars(text.data(), end, device);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return false;
  auto second = std::from_chars(first.ptr + 1, end, inode);
  if (second.ec != std::errc() || second.ptr != end) return false;
  struct stat st{};
  return ::fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

Form form_of_stderr() noexcept {
  if (is_journal(STDERR_FILENO)) return Form::journal;
  return ::isatty(STDERR_FILENO) != 0 ? Form::terminal : Form::file;
}

/// As one word: the fields of a line are parted by spaces.
std::string program_name() {
  std::string name = program_invocation_short_name;
  std::ranges::replace_if(name, [](char c) { return c == ' ' || c == '\t'; }, '_');
  return name.empty() ? "server" : name;
}

// Takes finished lines, from any thread (spdlog's lock). Says how many were lost once it can again.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(Options options) : options_(std::move(options)) {
    if (options_.form == Form::automatic) options_.form = form_of_stderr();
  }
  const Options& options() const noexcept { return options_; }
  std::vector<std::string> lines(Level level, std::string_view event, Fields fields,
                                 std::string_view sentence) const {
    Record record{level, event, fields, sentence, std::chrono::system_clock::now()};
    const bool is_alone = options_.who.empty();
    return render(record, options_.form, options_.colour,
                  is_alone && options_.form == Form::file ? program_ : options_.who);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string_view line(message.payload.data(), message.payload.size());
    std::uint64_t lost = dropped_lines.load(std::memory_order_relaxed);
    if (lost == reported_) {
      dropped_lines.fetch_add(output_.write(line), std::memory_order_relaxed);
      return;
    }
    // Together with the line: a short report alone would still fit where the next line does not,
    // and fill the last of a pipe with reports.
    auto both = lines(Level::warn, "log lines dropped", {{"count", lost - reported_}}, {})
                    .front()
                    .append(line);
    std::size_t failed = output_.write(both);
    if (failed < 2) reported_ = lost;
    if (failed > 0) dropped_lines.fetch_add(1, std::memory_order_relaxed);
  }
  void flush_() override {}

 private:
  Options options_;
  const std::string program_ = program_name();
  NonblockingWriter output_{STDERR_FILENO};
  std::uint64_t reported_ = dropped_lines.load(std::memory_order_relaxed);
};

struct Log {
  std::shared_ptr<Sink> sink;
  std::unique_ptr<spdlog::logger> logger;

  void configure(const Options& options) {
    sink = std::make_shared<Sink>(options);
    logger = std::make_unique<spdlog::logger>("pronghorn", sink);
    logger->set_level(spdlog::level::trace);               // enabled() has decided already
    logger->set_error_handler([](const std::string&) {});  // spdlog's own would block on stderr
  }
};

// Never destroyed: destructors of other statics may still log.
Log& log() {
  static Log* one = [] {
    auto* made = new Log;
    made->configure({.who = {}});  // a process without others, until it learns better
    return made;
  }();
  return *one;
}

// For whoever looks at spdlog's level; our lines carry their own.
spdlog::level::level_enum spdlog_level(Level level) noexcept {
  using enum spdlog::level::level_enum;
  static constexpr std::array kLevels{trace, debug, info, info, warn, err, critical};
  return kLevels[static_cast<std::size_t>(level)];
}

}  // namespace

void configure(const Options& options) { log().configure(options); }

void rename(const std::string& who) {
  Options options = log().sink->options();
  options.who = who;
  configure(options);
}

bool enabled(Level level) noexcept { return level >= log().sink->options().level; }

void write(Level level, std::string_view event, Fields fields, std::string_view sentence) {
  if (!enabled(level)) return;
  Log& to = log();
  for (const std::string& line : to.sink->lines(level, event, fields, sentence)) {
    to.logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  }
}

bool is_journal(int fd) noexcept { return is_stream(fd, std::getenv("JOURNAL_STREAM")); }

std::uint64_t dropped() noexcept { return dropped_lines.load(std::memory_order_relaxed); }

bool parse_level(std::string_view word, Level& level) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != word) continue;
    level = static_cast<Level>(i);
    return true;
  }
  return false;
}

std::string_view level_name(Level level) noexcept {
  return kNames[static_cast<std::size_t>(level)];
}

}  // namespace pronghorn::log
