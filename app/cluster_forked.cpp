// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_forked.h"

#include "process/child_access.h"

#include <cassert>
#include <csignal>
#include <utility>

namespace pronghorn {
namespace {

// From SIGTERM to SIGKILL for a worker that was told to disconnect.
constexpr std::chrono::seconds kKillGrace{5};
// Of the loop: one for what the channel still holds, one for its end; and some, as a socket that
// came cuts a read short.
constexpr int kTurnsForTheEnd = 10;

}  // namespace

ForkedWorker::ForkedWorker(Cluster::Impl& cluster, std::uint64_t number,
                           std::optional<std::uint32_t> slot)
    : cluster_(&cluster), slot_(slot) {
  id = number;
}

void ForkedWorker::start(process::ChildProcess child) {
  has_channel_ = process::ChildProcessAccess::start_error(child) == nullptr;
  child_ = std::move(child);
  listen_to(*child_);
  in_protocol_ = true;
  cluster_->protocol->add(
      id, slot_, [this](const ipc::InternalMessage& message, const ipc::Handle* handle) {
        auto* channel = child_ ? child_->channel() : nullptr;
        if (channel == nullptr) {
          return Result<bool>(
              std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed")));
        }
        return handle == nullptr ? channel->send(message) : channel->send(message, *handle);
      });
}

// Whatever is called may destroy the Cluster, and with it the ChildProcess: each handler keeps
// both.
void ForkedWorker::listen_to(process::ChildProcess& child) {
  child.on_internal([this](const Json& message, ipc::ReceivedHandle&) { on_internal(message); });
  child.on_message(
      [this](const Json& message, ipc::ReceivedHandle& handle) { on_message(message, handle); });
  child.on_disconnect([this] { tell_disconnect(); });
  child.on_exit([this](const process::Exit& exit) { on_exit(exit); });
  child.on_close([this](const process::Exit& exit) { on_close(exit); });
  child.on_error([this](const Error& error) {
    auto self = shared_from_this();
    events.error.emit(error);
  });
}

void ForkedWorker::end() noexcept {
  events.clear();
  deadline_.reset();
  on_first_listening = {};
  on_channel_end = {};
  on_end = {};
  child_.reset();
}

Result<bool> ForkedWorker::send(const Json& message, const ipc::Handle* handle,
                                ipc::Channel::Sent sent) {
  if (!child_) return std::unexpected(Error(Errc::ipc_channel_closed, "the worker is gone"));
  return handle == nullptr ? child_->send(message, std::move(sent))
                           : child_->send(message, *handle, std::move(sent));
}

void ForkedWorker::kill(const process::Signal& signal) {
  auto hit = child_ ? child_->kill(signal) : Result<bool>(false);
  if (hit) return;
  cluster_->loop.soon([weak = weak_from_this(), error = std::move(hit.error())] {
    if (auto self = weak.lock()) self->events.error.emit(error);
  });
}

void ForkedWorker::disconnect() {
  exited_after_disconnect = true;
  cluster_->leave(id);
  if (!is_connected() || deadline_) return;
  // Nobody to tell it to is told by 'disconnect' in any case.
  static_cast<void>(cluster_->protocol->disconnect(id));
  deadline_.emplace(cluster_->loop, [this] { on_deadline(); });
  deadline_->unref();  // the process keeps the loop running, or its owner does not want it to
  deadline_->start(*cluster_->settings.disconnect_timeout);
}

void ForkedWorker::on_deadline() {
  static_cast<void>(child_->kill(terminated_ ? SIGKILL : SIGTERM));
  if (!std::exchange(terminated_, true)) deadline_->start(kKillGrace);
}

void ForkedWorker::on_internal(const Json& message) {
  auto self = shared_from_this();
  auto cluster = cluster_->shared_from_this();
  if (in_protocol_) cluster->protocol->take(id, message);
}

void ForkedWorker::on_message(const Json& message, ipc::ReceivedHandle& handle) {
  auto self = shared_from_this();
  auto cluster = cluster_->shared_from_this();
  auto worker = cluster->find(id);
  cluster->events.message.emit(*worker, message, handle);
  events.message.emit(message, handle);
}

void ForkedWorker::on_exit(const process::Exit& exit) { tell_exit_soon(exit, kTurnsForTheEnd); }

// The end of the channel is as good as here: it is told first, as it nearly always is in Node. Not
// so where a process of the worker's has inherited it.
void ForkedWorker::tell_exit_soon(const process::Exit& exit, int turns) {
  if (!has_channel_ || turns == 0) return tell_exit(exit);
  cluster_->loop.defer([weak = weak_from_this(), exit, turns] {
    auto self = weak.lock();
    if (self) static_cast<ForkedWorker&>(*self).tell_exit_soon(exit, turns - 1);
  });
}

void ForkedWorker::on_close(const process::Exit& exit) {
  auto self = shared_from_this();
  auto cluster = cluster_->shared_from_this();
  tell_exit(exit);  // of a process that could not be started, too
  cluster->bury(id);
}

void ForkedWorker::tell_disconnect() {
  if (!std::exchange(has_channel_, false)) return;
  auto self = shared_from_this();
  auto cluster = cluster_->shared_from_this();
  leave_protocol();
  if (dead) cluster->leave(id);
  state = Worker::State::disconnected;
  cluster->tell(id, &Events::disconnect, &Cluster::Impl::Events::disconnect);
  if (auto told = on_channel_end) told();
  cluster->check_disconnected();
}

void ForkedWorker::tell_exit(const process::Exit& exit) {
  if (std::exchange(dead, true)) return;
  auto self = shared_from_this();
  auto cluster = cluster_->shared_from_this();
  leave_protocol();
  if (!has_channel_) cluster->leave(id);
  deadline_.reset();
  state = Worker::State::dead;
  if (slot_) cluster->slots.give_back(*std::exchange(slot_, {}));
  cluster->check_disconnected();
  cluster->tell(id, &Events::exit, &Cluster::Impl::Events::exit, exit);
  if (auto told = on_end) told(exit);
}

void ForkedWorker::leave_protocol() {
  if (std::exchange(in_protocol_, false)) cluster_->protocol->remove(id);
}

}  // namespace pronghorn
