// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_fork.h"

#include <pronghorn/process/spawn.h>

#include "app/cluster_slots.h"
#include "ipc/boot.h"
#include "process/child_access.h"
#include "process/validate.h"

#include <fstream>
#include <iterator>
#include <utility>

namespace pronghorn::app {
namespace {

using process::Stdio;

// As process::fork: one kind for all gets the channel beside it, a list has to hold it.
std::vector<Stdio> worker_stdio(const ClusterSettings& settings) {
  const process::StdioList list = settings.stdio.value_or(process::StdioList());
  if (list.is_given() && !list.is_one_for_all()) return list.entries();
  std::vector<Stdio> entries = list.entries();
  if (entries.empty()) {
    entries.assign(3, settings.silent.value_or(false) ? Stdio::pipe : Stdio::inherit);
  }
  entries.emplace_back(Stdio::ipc);
  return entries;
}

process::SpawnOptions spawn_options(const ClusterSettings& settings) {
  process::SpawnOptions options;
  options.cwd = settings.cwd.value_or("");
  options.uid = settings.uid;
  options.gid = settings.gid;
  return options;
}

std::unexpected<Error> wrong(const char* text) {
  return std::unexpected(Error(Errc::invalid_arg_value, text));
}

template <class T>
void change(std::optional<T>& field, const std::optional<T>& to) {
  if (to) field = to;
}

}  // namespace

std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> argv;
  for (std::string word; std::getline(file, word, '\0');) argv.push_back(std::move(word));
  if (argv.empty()) argv.emplace_back("/proc/self/exe");
  return argv;
}

ClusterSettings default_settings(const std::vector<std::string>& command) {
  ClusterSettings settings;
  settings.args.emplace(command.begin() + 1, command.end());
  settings.exec_argv.emplace();
  settings.silent = false;
  settings.disconnect_timeout = std::chrono::seconds(30);
  settings.max_waiting = 1024;
  settings.max_servers = 1024;
  return settings;
}

ClusterSettings merged(ClusterSettings settings, const ClusterSettings& changes) {
  change(settings.exec, changes.exec);
  change(settings.args, changes.args);
  change(settings.exec_path, changes.exec_path);
  change(settings.exec_argv, changes.exec_argv);
  change(settings.cwd, changes.cwd);
  change(settings.silent, changes.silent);
  change(settings.stdio, changes.stdio);
  change(settings.uid, changes.uid);
  change(settings.gid, changes.gid);
  change(settings.disconnect_timeout, changes.disconnect_timeout);
  change(settings.max_waiting, changes.max_waiting);
  change(settings.max_servers, changes.max_servers);
  return settings;
}

Result<void> check_settings(const ClusterSettings& settings) {
  if (settings.exec) {
    if (auto ok = process::check_file(*settings.exec, "exec"); !ok) return ok;
  }
  if (settings.exec_path) {
    if (auto ok = process::check_file(*settings.exec_path, "exec_path"); !ok) return ok;
    if (!settings.exec) return wrong("exec: exec_path needs the script that it shall run");
  }
  if (auto ok = process::check_texts(*settings.args, "args"); !ok) return ok;
  if (auto ok = process::check_texts(*settings.exec_argv, "exec_argv"); !ok) return ok;
  const process::SpawnOptions options = spawn_options(settings);
  if (auto ok = process::check_options(process::common_options(options)); !ok) return ok;
  auto stdio = process::complete_stdio(worker_stdio(settings), process::StdioUse::fork);
  if (!stdio) return std::unexpected(std::move(stdio.error()));
  if (settings.disconnect_timeout->count() < 0) return wrong("disconnect_timeout: is negative");
  if (*settings.max_servers == 0) return wrong("max_servers: is 0");
  return {};
}

bool starts_this_program(const ClusterSettings& settings) noexcept {
  return !settings.exec && !settings.exec_path;
}

process::ChildProcess start_worker(Loop& loop, const ClusterSettings& settings,
                                   const WorkerStart& start) {
  process::SpawnOptions options = spawn_options(settings);
  options.env_merge = start.env;
  options.env_merge.set("NODE_UNIQUE_ID", std::to_string(start.id)).unset(ipc::Boot::kVariable);
  std::vector<Stdio> stdio = worker_stdio(settings);
  if (start.slot) {
    while (stdio.size() < 3) stdio.emplace_back(Stdio::pipe);
    options.env_merge.set(ipc::Boot::kVariable,
                          ClusterSlots::boot_text(*start.slot, static_cast<int>(stdio.size())));
    stdio.emplace_back(start.scoreboard_fd);
  }
  options.stdio = std::move(stdio);

  std::string file = "/proc/self/exe";
  std::vector<std::string> args = *settings.exec_argv;
  if (settings.exec_path) {
    file = *settings.exec_path;
    args.push_back(*settings.exec);
  } else if (settings.exec) {
    file = *settings.exec;
  } else {
    options.argv0 = start.argv0;
  }
  std::ranges::copy(*settings.args, std::back_inserter(args));
  auto child = process::spawn(loop, file, args, options);
  if (child) return std::move(*child);
  args.insert(args.begin(), file);
  return process::ChildProcessAccess::failed(loop, {std::move(file), std::move(args)},
                                             std::move(child.error()));
}

}  // namespace pronghorn::app
