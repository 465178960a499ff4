// SPDX-License-Identifier: Apache-2.0
// What is refused before anything starts: called by spawn, fork and the synchronous forms. Each
// error names the option.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/process/options.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::process {

/// What is started: Node's spawnfile and spawnargs.
struct Command {
  std::string file{};
  std::vector<std::string> argv{};  ///< argv[0] included
};

/// `file` with `args`, or `file` as one command for the shell; checked. `file_option` is the name
/// that the caller's argument has.
Result<Command> make_command(std::string file, std::vector<std::string> args,
                             const std::optional<std::string>& argv0, const Shell& shell,
                             std::string_view file_option = "file");

/// @errors Errc::invalid_arg_value: empty, or a NUL byte
Result<void> check_file(const std::string& file, std::string_view option);
/// @errors Errc::invalid_arg_value: a NUL byte
Result<void> check_text(std::string_view text, std::string_view option);
Result<void> check_texts(const std::vector<std::string>& texts, std::string_view option);

/// What the options of all functions have in common. Borrowed.
struct CommonOptions {
  const std::string& cwd;
  const Environment& env;
  const Environment& env_merge;
  const std::optional<uid_t>& uid;
  const std::optional<gid_t>& gid;
  Milliseconds timeout;
  Milliseconds kill_grace;
  const Signal& kill_signal;
};
template <class Options>
CommonOptions common_options(const Options& options) {
  return {options.cwd, options.env,     options.env_merge,  options.uid,
          options.gid, options.timeout, options.kill_grace, options.kill_signal};
}
Result<void> check_options(const CommonOptions& options);

/// For whom a list of stdio is: what may stand in it.
enum class StdioUse : std::uint8_t { spawn, fork, sync };
/// The whole list, 0-2 filled up with pipes, negative and `overlapped` ones as pipes; checked,
/// also that the parent's descriptors in it are open.
Result<std::vector<Stdio>> complete_stdio(std::vector<Stdio> entries, StdioUse use);

}  // namespace pronghorn::process
