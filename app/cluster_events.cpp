// SPDX-License-Identifier: Apache-2.0
// The primary's half of Cluster: what happens to its workers.
#include "app/cluster_forked.h"
#include "app/cluster_impl.h"

#include <algorithm>
#include <utility>

namespace pronghorn {

void Worker::Impl::Events::clear() {
  online.clear();
  listening.clear();
  message.clear();
  disconnect.clear();
  exit.clear();
  error.clear();
}

void Cluster::Impl::Events::clear() {
  setup.clear();
  fork.clear();
  online.clear();
  listening.clear();
  message.clear();
  disconnect.clear();
  exit.clear();
}

// The protocol's calls come from within its take(), whose caller keeps this alive.
master::Primary::Events Cluster::Impl::protocol_events() {
  master::Primary::Events out;
  out.on_online = [this](std::uint64_t id) {
    ForkedWorker* worker = forked(id);
    if (worker == nullptr) return;
    worker->state = Worker::State::online;
    tell(id, &Worker::Impl::Events::online, &Events::online);
  };
  out.on_listening = [this](std::uint64_t id, const Address& address) {
    auto keep = find(id);
    if (!keep) return;
    ForkedWorker& worker = *forked(id);
    worker.state = Worker::State::listening;
    auto first = std::exchange(worker.on_first_listening, {});
    tell(id, &Worker::Impl::Events::listening, &Events::listening, address);
    if (first) first();
  };
  out.on_leaving = [this](std::uint64_t id) {
    if (ForkedWorker* worker = forked(id)) worker->exited_after_disconnect = true;
  };
  return out;
}

void Cluster::Impl::bury(std::uint64_t id) {
  // Not now: one of its listeners may be what runs.
  loop.defer([weak = weak_from_this(), id] {
    if (auto self = weak.lock()) self->all.erase(id);
  });
}

void Cluster::Impl::check_disconnected() {
  if (!disconnecting || !workers.empty()) return;
  // Those that were told to leave are no longer in workers(), and may still have to.
  for (const auto& [id, worker] : all) {
    if (forked(id)->has_channel()) return;
  }
  disconnecting = false;
  if (protocol) protocol->close_servers();
  auto self = shared_from_this();
  for (auto& done : std::exchange(waiting, {})) {
    if (done && !ended) done();
  }
}

}  // namespace pronghorn
