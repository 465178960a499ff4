// SPDX-License-Identifier: Apache-2.0
// Node's cluster module: one program, run as a primary and its workers, which share what they
// listen on. docs/reference/cluster.md has every member with its differences from Node.
#pragma once

#include <pronghorn/app/cluster_settings.h>
#include <pronghorn/app/cluster_worker.h>
#include <pronghorn/base/address.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/scheduling.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/json_fwd.h>
#include <pronghorn/process/environment.h>
#include <pronghorn/process/exit.h>

#include <functional>
#include <map>
#include <memory>

namespace pronghorn {

/// Made once, at the beginning of main() and before any Server listens: it decides by
/// NODE_UNIQUE_ID whether this process is a worker (of ours or of a Node primary), and takes the
/// channel. Listeners as in process::ChildProcess: from the loop only, several in the order in
/// which they were added.
class Cluster {
 public:
  /// Throws std::system_error when the inherited channel is broken, and, with EBUSY, in a worker
  /// whose channel another Cluster, process::parent() or an App has taken.
  explicit Cluster(Loop& loop);
  /// In the primary: the workers stay, and lose their channel.
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  bool is_primary() const noexcept;
  bool is_worker() const noexcept { return !is_primary(); }
  [[deprecated("is_primary")]] bool is_master() const noexcept { return is_primary(); }

  /// Changes what future fork()s start; cumulative. Freezes the scheduling. on_setup follows.
  /// @errors Errc::invalid_arg_value (names the field); in a worker
  Result<void> setup_primary(const ClusterSettings& changes);
  const ClusterSettings& settings() const noexcept;

  /// Until the first fork() or setup_primary(); later changes are ignored, as in Node. First by
  /// NODE_CLUSTER_SCHED_POLICY ("rr", "none"), else round_robin.
  void set_scheduling_policy(Scheduling policy, bool sticky = false);
  Scheduling scheduling_policy() const noexcept;

  /// Starts a worker: this program again (settings().exec, args), with `env` added. What fails
  /// comes to the Worker's on_error and on_exit. The Worker lives until it has left workers() and
  /// its on_exit is told. In a worker it aborts.
  Worker& fork(const process::Environment& env = {});
  /// By id; those that have not both exited and disconnected, less those that were told to leave.
  const std::map<std::uint64_t, Worker*>& workers() const noexcept;
  /// Disconnects all; `done` when all have told 'disconnect', before the last 'exit'. What the
  /// workers listened on is closed then.
  void disconnect(std::function<void()> done = {});
  /// In a worker: this one. In the primary it aborts.
  Worker& worker() noexcept;

  /// Keeps `policy.workers` workers alive: starts them, replaces what dies at once or with a
  /// back-off, and gives up as `pronghorn serve` does, by on_give_up. Once; disconnect() ends it.
  void supervise(const SupervisionPolicy& policy);

  void on_setup(std::function<void(const ClusterSettings&)> listener);
  void on_fork(std::function<void(Worker&)> listener);
  void on_online(std::function<void(Worker&)> listener);
  void on_listening(std::function<void(Worker&, const Address&)> listener);
  void on_message(std::function<void(Worker&, const Json&)> listener);
  void on_message(std::function<void(Worker&, const Json&, ipc::ReceivedHandle&)> listener);
  void on_disconnect(std::function<void(Worker&)> listener);
  void on_exit(std::function<void(Worker&, const process::Exit&)> listener);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace pronghorn
