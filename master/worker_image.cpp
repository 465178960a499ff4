// SPDX-License-Identifier: Apache-2.0
#include "master/worker_image.h"

#include <pronghorn/ipc/boot.h>

#include <utility>

namespace pronghorn::master {
namespace {

process::Environment environment(std::uint64_t unique_id) {
  process::Environment env;
  env.set("NODE_UNIQUE_ID", std::to_string(unique_id));
  // What the service manager says to the master is not said to its workers.
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
                           "LISTEN_PID", "LISTEN_FDNAMES"}) {
    env.unset(name);
  }
  return env;
}

void become(const Identity& who, process::SpawnOptions& options) {
  options.uid = who.uid;
  options.gid = who.gid;
  options.groups = who.groups;
  options.no_way_back = true;
  // As a login, or systemd's User=, sets them: root's home is closed to it.
  if (!who.name.empty()) {
    options.env_merge.set("USER", who.name);
    options.env_merge.set("LOGNAME", who.name);
  }
  if (!who.home.empty()) options.env_merge.set("HOME", who.home);
}

process::SpawnOptions own_options(const WorkerImage& image, std::uint32_t slot,
                                  std::uint64_t generation, std::uint64_t unique_id) {
  using process::Stdio;
  std::vector<Stdio> stdio = {Stdio::inherit, Stdio::inherit, Stdio::inherit, Stdio::ipc};
  auto inherit = [&stdio](int fd) {
    if (fd < 0) return -1;
    stdio.emplace_back(fd);
    return static_cast<int>(stdio.size()) - 1;
  };
  ipc::Boot boot;
  boot.slot = slot;
  boot.generation = generation;
  boot.config_fd = inherit(image.config_fd);
  boot.scoreboard_fd = inherit(image.scoreboard_fd);
  boot.clients_fd = inherit(image.clients_fd);
  if (image.identity) boot.uid = image.identity->uid;
  boot.access_log_fd = inherit(image.access_log_fd);
  for (int fd : image.root_fds) boot.root_fds.push_back(inherit(fd));
  for (int fd : image.doorbells) boot.doorbells.push_back(inherit(fd));
  process::SpawnOptions options;
  options.env_merge = environment(unique_id);
  options.env_merge.set(ipc::Boot::kVariable, boot.to_text());
  if (!image.config_path.empty()) options.env_merge.set("PRONGHORN_CONFIG", image.config_path);
  options.stdio = std::move(stdio);
  // A worker that floods us is ended before it costs memory.
  options.channel_limits = {.max_message = 1 << 20, .max_queued = 1 << 20};
  return options;
}

}  // namespace

process::SpawnOptions spawn_options(const WorkerImage& image, std::uint32_t slot,
                                    std::uint64_t generation, std::uint64_t unique_id) {
  using process::Stdio;
  process::SpawnOptions options;
  if (image.is_program()) {
    options.env_merge = environment(unique_id);
    options.stdio = {Stdio::ignore, Stdio::pipe, Stdio::pipe, Stdio::ipc};
    // Ctrl-C reaches the master's process group, and it would end a program before its drain.
    options.own_group = true;
  } else {
    options = own_options(image, slot, generation, unique_id);
  }
  options.argv0 = image.argv.front();
  if (image.identity) become(*image.identity, options);
  return options;
}

}  // namespace pronghorn::master
