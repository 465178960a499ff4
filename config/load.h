// SPDX-License-Identifier: Apache-2.0
// The effective configuration: defaults < file < environment < command line, each value with its
// origin, and every problem in one run.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/config/config.h>

#include "config/document.h"
#include "config/problem.h"
#include "config/schema.h"
#include "config/substitute.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

struct Origin {
  enum class Kind { standard, file, environment, command_line };
  Kind kind = Kind::standard;
  std::string name;         ///< path of the file, variable or option
  Span span;                ///< of the value in the file
  std::vector<Span> items;  ///< of each element of a list in the file

  /// "default", "pronghorn.toml:3", "environment PRONGHORN_WORKERS", "command line"
  std::string text() const;
};

/// What an option of the command line sets.
struct Override {
  std::string key;                  ///< "workers"
  std::vector<std::string> values;  ///< one, or the elements of a list; they replace the file's
  std::string option;               ///< "--workers", for messages
};

struct Inputs {
  std::string file;  ///< path; empty: none
  Environment environment;
  /// Whether PRONGHORN_* sets keys; ${…} in the file sees the environment either way.
  bool environment_sets_keys = true;
  std::vector<Override> command_line;
  /// `run`'s: in place of the file's; it has as many workers as the key `workers` says.
  std::optional<Program> program{};
  /// Is told each route in turn, and says what is wrong with it beside the earlier ones: this room
  /// does not know the patterns. Empty: nobody says anything.
  std::function<Result<void>(const Route&)> route_check{};
};

/// A value of a key that holds in one place only: "limits.body" of a listener.
struct LocalValue {
  const Key* key = nullptr;
  Value value;
};

/// A [[listeners]] table, before it is known what the rest of the configuration says.
struct ListenerTable {
  ListenAddress address;
  std::vector<LocalValue> values;
  Origin origin;
};

using Origins = std::map<std::string, Origin, std::less<>>;

/// Each list is as long as the site's.
struct SiteOrigins {
  Origin names;  ///< of [[hosts]]
  Origins keys;  ///< of [[hosts]]: "root"; the default site's are among all the others
  std::vector<Origin> cache_control;
  std::vector<Origin> headers;
  std::vector<Origin> redirects;    ///< of `from`
  std::vector<Origin> error_pages;  ///< of `file`
  std::vector<Origin> rate_limits;
};

struct Outcome {
  Config config;
  Origins origins;                        ///< by key; a key that is not there has its default
  SiteOrigins site_origins;               ///< of the default site
  std::vector<SiteOrigins> host_origins;  ///< as long as config.hosts
  std::vector<ListenerTable> listener_tables;
  std::vector<Origin> listener_origins;  ///< as long as config.listeners
  std::vector<Origin> route_origins;     ///< as long as config.routes
  std::vector<Origin> program_origins;   ///< as long as config.programs
  std::vector<Problem> problems;         ///< in the order of their places
  int file_errno = 0;  ///< why the file could not be read; then `problems` says it too
  std::string file;
  Document document;  ///< of the file; empty without one

  std::size_t errors() const;
  bool ok() const { return errors() == 0; }
  bool has_syntax_errors() const { return !document.problems.empty(); }
  Origin origin(std::string_view key) const;
};

/// Opens nothing but the file; asks stat(2) for the directories that values name.
Outcome load(const Inputs& inputs);

/// This process's environment.
Environment current_environment();

}  // namespace pronghorn::config
