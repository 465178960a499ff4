// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/spawn.h>

#include "process/child_state.h"
#include "process/launch.h"
#include "process/pipes.h"
#include "process/start_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace pronghorn::process {
namespace {

using State = ChildProcessAccess::State;

constexpr std::string_view kChannelFd = "NODE_CHANNEL_FD=";
constexpr std::string_view kChannelMode = "NODE_CHANNEL_SERIALIZATION_MODE=";

// Last, as in Node. One of the parent's own, or of the user's, would be found before ours.
void tell_channel(std::vector<std::string>& env, std::size_t index) {
  std::erase_if(env, [](const std::string& variable) {
    return variable.starts_with(kChannelFd) || variable.starts_with(kChannelMode);
  });
  env.push_back(fmt::format("{}{}", kChannelFd, index));
  env.push_back(fmt::format("{}json", kChannelMode));
}

PipeKind pipe_kind(std::size_t index, Stdio::Kind kind) {
  if (kind == Stdio::ipc || index > 2) return PipeKind::both;
  return index == 0 ? PipeKind::input : PipeKind::output;
}

// Our ends of pipes and channel; theirs stay with us until the program runs.
Result<void> open_stdio(State& state, const std::vector<Stdio>& stdio, ipc::ChannelLimits limits,
                        LaunchPlan& plan, std::vector<UniqueFd>& theirs) {
  for (std::size_t i = 0; i < stdio.size(); ++i) {
    Stdio::Kind kind = stdio[i].kind();
    if (kind == Stdio::pipe || kind == Stdio::ipc) {
      auto ends = make_pipe(pipe_kind(i, kind));
      if (!ends) return std::unexpected(std::move(ends.error()));
      plan.descriptors.push_back(ends->theirs.get());
      theirs.push_back(std::move(ends->theirs));
      auto taken = kind == Stdio::ipc ? state.open_channel(std::move(ends->ours), limits)
                                      : state.open_stream(i, std::move(ends->ours));
      if (!taken) return taken;
      if (kind == Stdio::ipc) tell_channel(plan.env, i);
    } else if (kind == Stdio::inherit) {
      plan.descriptors.push_back(static_cast<int>(i));
    } else {
      plan.descriptors.push_back(kind == Stdio::descriptor ? stdio[i].fd() : -1);
    }
  }
  return {};
}

// What goes wrong from here on either comes to on_error or is the caller's at once.
Result<ChildProcess> failed(std::shared_ptr<State> state, Error error) {
  if (!is_told_later(error.errno_value())) return std::unexpected(std::move(error));
  state->fail_start(std::move(error));
  return ChildProcessAccess::make(std::move(state));
}

Result<ChildProcess> start(Loop& loop, Command command, const std::vector<Stdio>& stdio,
                           const SpawnOptions& options) {
  LaunchPlan plan{.file = command.file,
                  .argv = command.argv,
                  .env = child_environment(options.env, options.env_merge),
                  .cwd = options.cwd,
                  .detached = options.detached,
                  .own_group = options.own_group,
                  .uid = options.uid,
                  .gid = options.gid,
                  .groups = options.groups,
                  .no_way_back = options.no_way_back};
  auto state =
      std::make_shared<State>(loop, std::move(command), options.channel_limits.max_pending);
  state->detached = options.detached || options.own_group;
  state->reserve_streams(stdio.size());
  auto refused = [&](LaunchFailure why) {
    return failed(state, start_error(why, state->command, options.cwd, "spawn"));
  };
  std::vector<UniqueFd> theirs;
  if (auto ok = open_stdio(*state, stdio, options.channel_limits, plan, theirs); !ok) {
    int error = ok.error().errno_value();
    if (error == 0) return std::unexpected(std::move(ok.error()));
    return refused({.error = error, .step = LaunchStep::descriptors});
  }
  auto launched = launch(plan);
  theirs.clear();
  if (!launched) return refused(launched.error());
  if (auto ok = state->watch(std::move(*launched)); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  state->end_when(options.timeout, options.kill_grace, options.kill_signal, options.signal);
  return ChildProcessAccess::make(std::move(state));
}

Result<void> check(const SpawnOptions& options) {
  if (options.serialization != Serialization::json) {
    return std::unexpected(
        Error(Errc::unsupported_serialization,
              "serialization: 'advanced' is V8's own format, which only Node speaks; use json"));
  }
  return check_options(common_options(options));
}

SpawnOptions spawn_options(const ForkOptions& options) {
  return {.cwd = options.cwd,
          .env = options.env,
          .env_merge = options.env_merge,
          .argv0 = options.argv0,
          .detached = options.detached,
          .uid = options.uid,
          .gid = options.gid,
          .signal = options.signal,
          .timeout = options.timeout,
          .kill_grace = options.kill_grace,
          .kill_signal = options.kill_signal,
          .serialization = options.serialization,
          .channel_limits = options.channel_limits};
}

// A main that forks this program without a look at parent() would go on so in the child, and in the
// child's child: whoever comes from Node, where fork starts Node, writes it.
bool is_endless(const ForkOptions& options) {
  struct stat ours{};
  struct stat parents{};
  return options.exec_path.empty() && std::getenv("NODE_CHANNEL_FD") != nullptr &&
         ::stat("/proc/self/exe", &ours) == 0 &&
         ::stat(fmt::format("/proc/{}/exe", ::getppid()).c_str(), &parents) == 0 &&
         ours.st_dev == parents.st_dev && ours.st_ino == parents.st_ino;
}

std::vector<Stdio> fork_stdio(const ForkOptions& options) {
  if (options.stdio.is_given() && !options.stdio.is_one_for_all()) return options.stdio.entries();
  std::vector<Stdio> entries = options.stdio.entries();
  if (entries.empty()) entries.assign(3, options.silent ? Stdio::pipe : Stdio::inherit);
  entries.emplace_back(Stdio::ipc);
  return entries;
}

}  // namespace

Result<ChildProcess> spawn(Loop& loop, std::string file, std::vector<std::string> args,
                           const SpawnOptions& options) {
  if (auto ok = check(options); !ok) return std::unexpected(std::move(ok.error()));
  auto command = make_command(std::move(file), std::move(args), options.argv0, options.shell);
  if (!command) return std::unexpected(std::move(command.error()));
  auto stdio = complete_stdio(options.stdio.entries(), StdioUse::spawn);
  if (!stdio) return std::unexpected(std::move(stdio.error()));
  return start(loop, std::move(*command), *stdio, options);
}

Result<ChildProcess> fork(Loop& loop, std::string module_path, std::vector<std::string> args,
                          const ForkOptions& options) {
  SpawnOptions common = spawn_options(options);
  if (auto ok = check(common); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = check_file(module_path, "module_path"); !ok) return std::unexpected(ok.error());
  if (auto ok = check_texts(options.exec_argv, "exec_argv"); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = check_texts(args, "args"); !ok) return std::unexpected(std::move(ok.error()));
  if (is_endless(options)) {
    return std::unexpected(
        Error(Errc::invalid_arg_value,
              "exec_path: is empty, which starts this program, and this is such a child that has "
              "not asked for parent(): it would go on without end"));
  }
  std::vector<std::string> all = options.exec_argv;
  all.push_back(std::move(module_path));
  std::ranges::move(args, std::back_inserter(all));
  auto command = make_command(options.exec_path.empty() ? "/proc/self/exe" : options.exec_path,
                              std::move(all), options.argv0, Shell(), "exec_path");
  if (!command) return std::unexpected(std::move(command.error()));
  auto stdio = complete_stdio(fork_stdio(options), StdioUse::fork);
  if (!stdio) return std::unexpected(std::move(stdio.error()));
  return start(loop, std::move(*command), *stdio, common);
}

}  // namespace pronghorn::process
