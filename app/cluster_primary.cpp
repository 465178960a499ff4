// SPDX-License-Identifier: Apache-2.0
// The primary's half of Cluster: what it is told to do.
#include "app/cluster_fork.h"
#include "app/cluster_forked.h"
#include "app/cluster_impl.h"

#include <utility>

namespace pronghorn {

Result<void> Cluster::Impl::setup(const ClusterSettings& changes) {
  if (own) return std::unexpected(Error(Errc::invalid_arg_value, "setup_primary: in a worker"));
  ClusterSettings next = app::merged(settings, changes);
  if (auto ok = app::check_settings(next); !ok) return ok;
  settings = std::move(next);
  frozen = true;
  loop.soon([weak = weak_from_this(), told = settings] {
    if (auto self = weak.lock()) self->events.setup.emit(told);
  });
  return {};
}

Worker& Cluster::Impl::fork(const process::Environment& env) {
  static_cast<void>(setup({}));  // what is in force was checked
  const std::uint64_t id = ++last_id;
  // Before what is started can tell anything.
  loop.soon([weak = weak_from_this(), id] {
    auto self = weak.lock();
    auto worker = self ? self->find(id) : nullptr;
    if (worker) self->events.fork.emit(*worker);
  });
  ipc::Scoreboard* board = slots.board();
  if (!protocol) {
    protocol = std::make_unique<master::Primary>(
        loop,
        master::Primary::Options{.scheduling = scheduling,
                                 .sticky = sticky,
                                 .max_servers = *settings.max_servers,
                                 .max_waiting = *settings.max_waiting,
                                 .board = board},
        protocol_events());
  }
  const auto slot = app::starts_this_program(settings) ? slots.take() : std::nullopt;
  auto worker = std::make_shared<ForkedWorker>(*this, id, slot);
  auto facade = Worker::Impl::facade(worker);
  all.emplace(id, facade);
  workers.emplace(id, facade.get());
  worker->start(app::start_worker(loop, settings,
                                  {.id = id,
                                   .env = env,
                                   .argv0 = command.front(),
                                   .slot = slot,
                                   .scoreboard_fd = board != nullptr ? board->fd() : -1}));
  return *facade;
}

void Cluster::Impl::disconnect(std::function<void()> done) {
  waiting.push_back(std::move(done));
  disconnecting = true;
  if (supervision) supervision->stop();
  std::vector<std::uint64_t> connected;
  for (const auto& [id, worker] : workers) {
    if (worker->is_connected()) connected.push_back(id);
  }
  for (std::uint64_t id : connected) forked(id)->disconnect();
  // As in Node: nobody is left to take what would come.
  if (protocol) protocol->close_servers();
  loop.soon([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->check_disconnected();
  });
}

void Cluster::Impl::supervise(const SupervisionPolicy& policy) {
  if (supervision) return;
  app::ClusterSupervision::Hooks hooks;
  hooks.fork = [this](app::ClusterSupervision::Watch watch) {
    ForkedWorker& worker = *forked(fork({}).id());
    worker.on_first_listening = std::move(watch.on_listening);
    worker.on_channel_end = std::move(watch.on_channel_end);
    worker.on_end = std::move(watch.on_end);
    return worker.id;
  };
  hooks.disconnect = [this](std::uint64_t id) {
    if (ForkedWorker* worker = forked(id)) worker->disconnect();
  };
  hooks.kill = [this](std::uint64_t id, int signal) {
    if (ForkedWorker* worker = forked(id)) worker->kill(signal);
  };
  hooks.heartbeat = [this](std::uint64_t id) {
    ForkedWorker* worker = forked(id);
    return worker != nullptr && worker->slot() ? slots.heartbeat_age(*worker->slot())
                                               : std::optional<Millis>();
  };
  hooks.set_suspect = [this](std::uint64_t id, bool suspect) {
    protocol->set_suspect(id, suspect);
  };
  hooks.keep = [this] { return shared_from_this(); };
  supervision = std::make_unique<app::ClusterSupervision>(
      loop, policy, *settings.disconnect_timeout, std::move(hooks));
  supervision->start();
}

std::shared_ptr<Worker> Cluster::Impl::find(std::uint64_t id) const {
  auto found = all.find(id);
  return found == all.end() ? nullptr : found->second;
}

ForkedWorker* Cluster::Impl::forked(std::uint64_t id) const {
  auto worker = find(id);
  return worker ? static_cast<ForkedWorker*>(worker->impl_.get()) : nullptr;
}

}  // namespace pronghorn
