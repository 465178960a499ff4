// SPDX-License-Identifier: Apache-2.0
// What is behind a Cluster and a Worker, on either side. Only the cluster_*.cpp files include this.
#pragma once

#include <pronghorn/app/cluster.h>
#include <pronghorn/base/listeners.h>

#include "app/cluster_slots.h"
#include "app/cluster_supervision.h"
#include "master/cluster/primary.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pronghorn {

/// One worker, as its primary sees it (ForkedWorker) or it sees itself (OwnWorker).
struct Worker::Impl : std::enable_shared_from_this<Worker::Impl> {
  virtual ~Impl() = default;
  virtual process::ChildProcess* process() noexcept { return nullptr; }
  virtual process::Parent* parent() noexcept { return nullptr; }
  virtual Result<bool> send(const Json& message, const ipc::Handle* handle,
                            ipc::Channel::Sent sent) = 0;
  virtual void kill(const process::Signal& signal) = 0;
  virtual void disconnect() = 0;
  virtual bool is_connected() const noexcept = 0;

  static std::shared_ptr<Worker> facade(std::shared_ptr<Impl> impl) {
    return std::shared_ptr<Worker>(new Worker(std::move(impl)));
  }

  struct Events {
    Listeners<std::function<void()>> online;
    Listeners<std::function<void(const Address&)>> listening;
    Listeners<std::function<void(const Json&, ipc::ReceivedHandle&)>> message;
    Listeners<std::function<void()>> disconnect;
    Listeners<std::function<void(const process::Exit&)>> exit;
    Listeners<std::function<void(const Error&)>> error;
    void clear();
  };

  std::uint64_t id = 0;
  State state = State::none;
  bool exited_after_disconnect = false;
  bool dead = false;
  Events events;
};

class ForkedWorker;
class OwnWorker;

/// Kept by whatever calls a listener, as each may destroy the Cluster.
struct Cluster::Impl : std::enable_shared_from_this<Cluster::Impl> {
  explicit Impl(Loop& event_loop);
  ~Impl();
  /// The Cluster is gone: nothing is told any more.
  void end() noexcept;

  struct Events {
    Listeners<std::function<void(const ClusterSettings&)>> setup;
    Listeners<std::function<void(Worker&)>> fork;
    Listeners<std::function<void(Worker&)>> online;
    Listeners<std::function<void(Worker&, const Address&)>> listening;
    Listeners<std::function<void(Worker&, const Json&, ipc::ReceivedHandle&)>> message;
    Listeners<std::function<void(Worker&)>> disconnect;
    Listeners<std::function<void(Worker&, const process::Exit&)>> exit;
    void clear();
  };

  /// Both levels of an event, the worker's first.
  template <class WorkerEvent, class ClusterEvent, class... Args>
  void tell(std::uint64_t id, WorkerEvent worker_event, ClusterEvent cluster_event,
            const Args&... args) {
    auto self = shared_from_this();
    auto worker = find(id);
    if (!worker) return;
    (worker->impl_->events.*worker_event).emit(args...);
    (events.*cluster_event).emit(*worker, args...);
  }

  // cluster_primary.cpp
  Result<void> setup(const ClusterSettings& changes);
  Worker& fork(const process::Environment& env);
  void disconnect(std::function<void()> done);
  void supervise(const SupervisionPolicy& policy);
  std::shared_ptr<Worker> find(std::uint64_t id) const;
  ForkedWorker* forked(std::uint64_t id) const;

  // cluster_events.cpp: what a ForkedWorker reports.
  /// Out of workers().
  void leave(std::uint64_t id) { workers.erase(id); }
  /// It has left, and its process has closed: its object goes, a turn later.
  void bury(std::uint64_t id);
  /// Calls those who wait for disconnect(), once no worker is left.
  void check_disconnected();
  master::Primary::Events protocol_events();

  Loop& loop;
  Events events;
  std::shared_ptr<OwnWorker> own;      // in a worker …
  std::shared_ptr<Worker> own_facade;  // … and nothing of what follows

  const std::vector<std::string> command;  // argv of this process
  ClusterSettings settings;
  Scheduling scheduling = Scheduling::round_robin;
  bool sticky = false;
  bool frozen = false;
  bool ended = false;
  std::uint64_t last_id = 0;
  app::ClusterSlots slots;
  std::unique_ptr<master::Primary> protocol;             // from the first fork on
  std::map<std::uint64_t, std::shared_ptr<Worker>> all;  // until buried
  std::map<std::uint64_t, Worker*> workers;
  std::vector<std::function<void()>> waiting;  // for disconnect()
  bool disconnecting = false;
  std::unique_ptr<app::ClusterSupervision> supervision;
};

}  // namespace pronghorn
