// SPDX-License-Identifier: Apache-2.0
// What a Cluster starts its workers with, and how it keeps them.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/process/options.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace pronghorn {

/// Node's cluster.settings. What is empty is not changed by setup_primary().
struct ClusterSettings {
  std::optional<std::string> exec{};               ///< the program; default: this one
  std::optional<std::vector<std::string>> args{};  ///< its arguments; default: this process's own
  /// What runs `exec` when that is a script: "node" (Node has no such setting, and starts only
  /// Node).
  std::optional<std::string> exec_path{};
  /// Before the arguments; with exec_path before the script.
  std::optional<std::vector<std::string>> exec_argv{};
  std::optional<std::string> cwd{};
  std::optional<bool> silent{};  ///< pipes in place of inherited stdout and stderr
  std::optional<process::StdioList> stdio{};
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  /// How long a worker that was told to disconnect may take before SIGTERM, and SIGKILL 5 s later
  /// (Node: for ever). Default 30 s.
  std::optional<std::chrono::milliseconds> disconnect_timeout{};
  /// Connections that the primary holds for busy workers, a server; default 1024. Fixed by the
  /// first fork(), as is max_servers.
  std::optional<std::size_t> max_waiting{};
  /// Servers that the workers may have open; default 1024.
  std::optional<std::size_t> max_servers{};
};

/// `pronghorn serve`'s way to keep workers alive (docs/architecture.md, the life of a worker).
struct SupervisionPolicy {
  std::uint32_t workers = 0;  ///< 0: one per CPU that affinity and the cgroup's quota allow
  std::chrono::milliseconds first_backoff{100};  ///< after a death before 'listening'; doubles
  std::chrono::milliseconds longest_backoff{30'000};
  std::uint32_t intensity = 10;  ///< deaths a worker's place that are answered at once …
  std::chrono::milliseconds intensity_window{60'000};  ///< … in this time
  std::chrono::milliseconds start_timeout{30'000};     ///< from fork to 'listening'
  std::chrono::milliseconds give_up_after{50'000};     ///< without any worker that listens
  /// A worker whose loop has not turned for so long is ended (SIGABRT, SIGKILL 2 s later) and
  /// replaced; from 1 s on it gets no new connection. 0: never. Workers of other programs have no
  /// heartbeat.
  std::chrono::milliseconds hang_timeout{10'000};
  /// No worker ever lived; default: the loop is stopped with exit code 70.
  std::function<void(const Error&)> on_give_up{};
};

}  // namespace pronghorn
