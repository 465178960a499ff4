// SPDX-License-Identifier: Apache-2.0
#include "process/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <utility>

namespace pronghorn::process {
namespace {

std::unexpected<Error> refuse(Errc code, std::string text) {
  return std::unexpected(Error(code, std::move(text)));
}

Result<void> check_environment(const Environment& env, std::string_view option) {
  for (const auto& [name, value] : env.entries()) {
    // The kernel's "NAME=value" could not be told apart from another.
    if (name.empty())
      return refuse(Errc::invalid_arg_value, fmt::format("{}: a name is empty", option));
    if (auto ok = check_text(name, fmt::format("{}: a name", option)); !ok) return ok;
    if (name.contains('=')) {
      return refuse(Errc::invalid_arg_value,
                    fmt::format("{}: the name '{}' has a '='", option, name));
    }
    if (!value) continue;
    if (auto ok = check_text(*value, fmt::format("{}: the value of {}", option, name)); !ok) {
      return ok;
    }
  }
  return {};
}

Result<void> check_time(Milliseconds time, std::string_view option) {
  if (time >= Milliseconds(0)) return {};
  return refuse(Errc::out_of_range, fmt::format("{}: {} ms is negative", option, time.count()));
}

Result<void> check_open(int fd, std::size_t index) {
  if (::fcntl(fd, F_GETFD) >= 0) return {};
  return std::unexpected(Error::system(EBADF, fmt::format("stdio[{}]: descriptor {}", index, fd)));
}

Result<void> check_entry(const Stdio& entry, std::size_t index, StdioUse use) {
  switch (entry.kind()) {
    case Stdio::inherit:
      return check_open(static_cast<int>(index), index);
    case Stdio::descriptor:
      return check_open(entry.fd(), index);
    case Stdio::ipc:
      if (use != StdioUse::sync) return {};
      return refuse(Errc::ipc_sync_fork,
                    fmt::format("stdio[{}]: a synchronous child can have no channel", index));
    case Stdio::input:
      if (use == StdioUse::sync) return {};
      return refuse(
          Errc::invalid_sync_fork_input,
          fmt::format("stdio[{}]: input is for synchronous forms; write to the stream", index));
    default:
      return {};
  }
}

}  // namespace

Result<void> check_text(std::string_view text, std::string_view option) {
  if (!text.contains('\0')) return {};
  return refuse(Errc::invalid_arg_value, fmt::format("{}: has a NUL byte", option));
}

Result<void> check_texts(const std::vector<std::string>& texts, std::string_view option) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    // Not check_text: a name for each of many arguments would be an allocation for each.
    if (texts[i].contains('\0')) return check_text(texts[i], fmt::format("{}[{}]", option, i));
  }
  return {};
}

Result<void> check_file(const std::string& file, std::string_view option) {
  if (file.empty()) return refuse(Errc::invalid_arg_value, fmt::format("{}: is empty", option));
  return check_text(file, option);
}

Result<Command> make_command(std::string file, std::vector<std::string> args,
                             const std::optional<std::string>& argv0, const Shell& shell,
                             std::string_view file_option) {
  if (auto ok = check_file(file, file_option); !ok) return std::unexpected(ok.error());
  if (auto ok = check_texts(args, "args"); !ok) return std::unexpected(ok.error());
  if (argv0) {
    if (auto ok = check_text(*argv0, "argv0"); !ok) return std::unexpected(ok.error());
  }
  if (shell) {
    if (auto ok = check_text(shell.path(), "shell"); !ok) return std::unexpected(ok.error());
    // Node joins them with spaces and without quotes, the way to an injected command (DEP0190).
    if (!args.empty()) {
      return refuse(Errc::invalid_arg_value,
                    "args: a shell takes one command; put the arguments into it, quoted");
    }
    args = {"-c", std::move(file)};
    file = shell.path();
  }
  Command command;
  command.argv.reserve(args.size() + 1);
  command.argv.push_back(argv0.value_or(file));
  std::ranges::move(args, std::back_inserter(command.argv));
  command.file = std::move(file);
  return command;
}

Result<void> check_options(const CommonOptions& options) {
  if (auto ok = check_text(options.cwd, "cwd"); !ok) return ok;
  if (auto ok = check_environment(options.env, "env"); !ok) return ok;
  if (auto ok = check_environment(options.env_merge, "env_merge"); !ok) return ok;
  // (uid_t)-1 means "leave it" to setresuid(2), and would start the child as who we are.
  if (options.uid == static_cast<uid_t>(-1))
    return refuse(Errc::out_of_range, "uid: -1 is no user");
  if (options.gid == static_cast<gid_t>(-1)) {
    return refuse(Errc::out_of_range, "gid: -1 is no group");
  }
  if (auto ok = check_time(options.timeout, "timeout"); !ok) return ok;
  if (auto ok = check_time(options.kill_grace, "kill_grace"); !ok) return ok;
  // 0 only asks whether the process is there: as what ends it, it would be a timeout without end.
  if (!options.kill_signal.is_known() || options.kill_signal.number() == 0) {
    return refuse(Errc::unknown_signal,
                  fmt::format("kill_signal: unknown signal '{}'", options.kill_signal.text()));
  }
  return {};
}

Result<std::vector<Stdio>> complete_stdio(std::vector<Stdio> entries, StdioUse use) {
  while (entries.size() < 3) entries.emplace_back(Stdio::pipe);
  std::size_t channels = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].kind() == Stdio::overlapped) entries[i] = Stdio::pipe;
    if (auto ok = check_entry(entries[i], i, use); !ok) return std::unexpected(ok.error());
    if (entries[i].kind() == Stdio::ipc && ++channels > 1) {
      return refuse(Errc::ipc_one_pipe, fmt::format("stdio[{}]: a second ipc", i));
    }
  }
  if (use == StdioUse::fork && channels == 0) {
    return refuse(Errc::ipc_required, "stdio: fork needs an ipc in it");
  }
  return entries;
}

}  // namespace pronghorn::process
