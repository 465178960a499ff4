// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/app/cluster.h>
#include <pronghorn/base/log.h>

#include "app/cluster_fork.h"
#include "app/cluster_forked.h"
#include "app/cluster_impl.h"
#include "app/cluster_own.h"
#include "ipc/taken_channel.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

namespace pronghorn {
namespace {

Scheduling first_scheduling() {
  const char* wanted = std::getenv("NODE_CLUSTER_SCHED_POLICY");
  return wanted != nullptr && std::string_view(wanted) == "none" ? Scheduling::shared
                                                                 : Scheduling::round_robin;
}

// No assert: a worker that forks would not end where they are compiled out, as its workers do the
// same.
void require(bool condition, const char* otherwise) {
  if (condition) return;
  std::fprintf(stderr, "pronghorn::Cluster: %s\n", otherwise);
  std::abort();
}

}  // namespace

Cluster::Impl::Impl(Loop& event_loop)
    : loop(event_loop),
      command(app::own_command()),
      settings(app::default_settings(command)),
      scheduling(first_scheduling()) {}

Cluster::Impl::~Impl() = default;

void Cluster::Impl::end() noexcept {
  ended = true;
  events.clear();
  waiting.clear();
  disconnecting = false;
  if (supervision) supervision->end();
  if (own) own->end();
  for (const auto& [id, worker] : all) forked(id)->end();
}

Cluster::Cluster(Loop& loop) : impl_(std::make_shared<Impl>(loop)) {
  if (std::getenv("NODE_UNIQUE_ID") == nullptr) {
    // Taken for a primary it would start workers of its own, each of which does the same.
    if (ipc::cluster_channel_was_taken()) {
      throw std::system_error(
          EBUSY, std::generic_category(),
          "this worker's channel is taken already: a process has one Cluster, and App, or "
          "process::parent(), in its place");
    }
    log::rename("master");
    return;
  }
  impl_->own = OwnWorker::open(loop);
  impl_->own_facade = Worker::Impl::facade(impl_->own);
}

Cluster::~Cluster() { impl_->end(); }

bool Cluster::is_primary() const noexcept { return !impl_->own; }
Result<void> Cluster::setup_primary(const ClusterSettings& changes) {
  return impl_->setup(changes);
}
const ClusterSettings& Cluster::settings() const noexcept { return impl_->settings; }

void Cluster::set_scheduling_policy(Scheduling policy, bool sticky) {
  if (impl_->frozen) return;
  impl_->scheduling = policy;
  impl_->sticky = sticky;
}
Scheduling Cluster::scheduling_policy() const noexcept { return impl_->scheduling; }

Worker& Cluster::fork(const process::Environment& env) {
  require(is_primary(), "fork() in a worker");
  return impl_->fork(env);
}
const std::map<std::uint64_t, Worker*>& Cluster::workers() const noexcept { return impl_->workers; }
void Cluster::disconnect(std::function<void()> done) {
  require(is_primary(), "disconnect() of the cluster in a worker");
  impl_->disconnect(std::move(done));
}
Worker& Cluster::worker() noexcept {
  require(is_worker(), "worker() in the primary");
  return *impl_->own_facade;
}
void Cluster::supervise(const SupervisionPolicy& policy) {
  require(is_primary(), "supervise() in a worker");
  impl_->supervise(policy);
}

void Cluster::on_setup(std::function<void(const ClusterSettings&)> listener) {
  impl_->events.setup.add(std::move(listener));
}
void Cluster::on_fork(std::function<void(Worker&)> listener) {
  impl_->events.fork.add(std::move(listener));
}
void Cluster::on_online(std::function<void(Worker&)> listener) {
  impl_->events.online.add(std::move(listener));
}
void Cluster::on_listening(std::function<void(Worker&, const Address&)> listener) {
  impl_->events.listening.add(std::move(listener));
}
void Cluster::on_message(std::function<void(Worker&, const Json&)> listener) {
  if (!listener) return;
  on_message([listener = std::move(listener)](Worker& worker, const Json& message,
                                              ipc::ReceivedHandle&) { listener(worker, message); });
}
void Cluster::on_message(std::function<void(Worker&, const Json&, ipc::ReceivedHandle&)> listener) {
  impl_->events.message.add(std::move(listener));
}
void Cluster::on_disconnect(std::function<void(Worker&)> listener) {
  impl_->events.disconnect.add(std::move(listener));
}
void Cluster::on_exit(std::function<void(Worker&, const process::Exit&)> listener) {
  impl_->events.exit.add(std::move(listener));
}

}  // namespace pronghorn
