// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_own.h"

#include <pronghorn/base/log.h>

#include "ipc/boot.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace pronghorn {
namespace {

// For the requests in flight of a worker whose primary has gone.
constexpr std::chrono::seconds kOrphanDrain{30};

[[noreturn]] void fail(const Error& error) {
  throw std::system_error(error.code(), "cannot be a worker: " + error.message());
}

template <class T>
T value_of(Result<T> result) {
  if (!result) fail(result.error());
  return std::move(*result);
}

}  // namespace

std::shared_ptr<OwnWorker> OwnWorker::open(Loop& loop) {
  auto parent = value_of(process::parent(loop));
  // The text of the code is added by std::system_error.
  const std::error_code none(EBADF, std::generic_category());
  if (!parent) fail(Error(none, "NODE_UNIQUE_ID is set, and NODE_CHANNEL_FD is not"));
  std::shared_ptr<ipc::Scoreboard> board;
  auto boot = value_of(ipc::Boot::take_from_environment());
  if (boot && boot->scoreboard_fd >= 0) {
    UniqueFd fd(boot->scoreboard_fd);
    board = std::make_shared<ipc::Scoreboard>(value_of(ipc::Scoreboard::attach(fd.get())));
    loop.hold(board);  // a Server may outlive the Cluster
    if (boot->slot >= board->size()) fail(Error("the primary's scoreboard has no such slot"));
  }
  ipc::Slot* slot = board ? &board->slot(boot->slot) : nullptr;
  auto worker = std::make_shared<OwnWorker>(loop, std::move(*parent), slot);
  worker->link_.online();
  return worker;
}

OwnWorker::OwnWorker(Loop& loop, process::Parent primary, ipc::Slot* slot)
    : loop_(loop),
      parent_(std::move(primary)),
      link_({.send = [this](const ipc::InternalMessage& message) -> Result<bool> {
               if (auto* channel = parent_ ? parent_->channel() : nullptr) {
                 return channel->send(message);
               }
               return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
             },
             .on_disconnect_asked = [this] { leave(true); }}),
      listen_(loop, link_),
      source_(loop, listen_, slot != nullptr ? &slot->counters : nullptr,
              [this] { state = Worker::State::listening; }) {
  id = std::strtoull(parent_->unique_id().c_str(), nullptr, 10);
  state = Worker::State::online;
  log::rename("worker " + std::to_string(id));
  listen_to(*parent_);
  if (slot == nullptr) return;
  heartbeat_.emplace(loop, *slot, [] {});
  heartbeat_->start();
}

// Whatever is called may destroy the Cluster, and with it the channel: each handler keeps this.
void OwnWorker::listen_to(process::Parent& parent) {
  parent.on_internal([this](const Json& message, ipc::ReceivedHandle& handle) {
    auto self = shared_from_this();
    link_.take(message, handle);
  });
  parent.on_message([this](const Json& message, ipc::ReceivedHandle& handle) {
    auto self = shared_from_this();
    events.message.emit(message, handle);
  });
  parent.on_error([this](const Error& error) {
    auto self = shared_from_this();
    events.error.emit(error);
  });
  parent.on_disconnect([this] {
    auto self = shared_from_this();
    state = Worker::State::disconnected;
    events.disconnect.emit();
    if (!parent_) return;  // the Cluster has gone
    if (destroying_) return exit_well();
    if (!exited_after_disconnect) on_primary_gone();
  });
}

void OwnWorker::end() noexcept {
  events.clear();
  drain_limit_.reset();
  heartbeat_.reset();
  parent_.reset();
}

Result<bool> OwnWorker::send(const Json& message, const ipc::Handle* handle,
                             ipc::Channel::Sent sent) {
  return handle == nullptr ? parent_->send(message, std::move(sent))
                           : parent_->send(message, *handle, std::move(sent));
}

void OwnWorker::disconnect() {
  if (!destroying_) leave(false);
}

void OwnWorker::leave(bool primary_knows) {
  if (std::exchange(leaving_, true)) return;
  exited_after_disconnect = true;
  if (!is_connected()) return;
  steps_left_ = primary_knows ? 1 : 2;
  auto weak = weak_from_this();
  auto done = [weak] {
    if (auto self = weak.lock()) static_cast<OwnWorker&>(*self).on_step_done();
  };
  if (!primary_knows) link_.exited_after_disconnect(done);
  listen_.close_all(done);
}

void OwnWorker::on_step_done() {
  if (--steps_left_ == 0 && is_connected()) parent_->disconnect();
}

void OwnWorker::kill(const process::Signal&) {
  if (std::exchange(destroying_, true)) return;
  exited_after_disconnect = true;
  if (!is_connected()) return exit_well();
  link_.exited_after_disconnect([weak = weak_from_this()] {
    auto self = std::static_pointer_cast<OwnWorker>(weak.lock());
    if (self && self->is_connected()) self->parent_->disconnect();
  });
}

void OwnWorker::on_primary_gone() {
  auto weak = weak_from_this();
  auto over = [weak] {
    if (auto self = weak.lock()) static_cast<OwnWorker&>(*self).exit_well();
  };
  drain_limit_.emplace(loop_, over);
  drain_limit_->start(kOrphanDrain);
  listen_.close_all(over);
}

void OwnWorker::exit_well() {
  drain_limit_.reset();
  loop_.set_exit_code(0);
  loop_.stop();
}

}  // namespace pronghorn
