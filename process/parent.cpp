// SPDX-License-Identifier: Apache-2.0
#include "process/parent.h"

#include <pronghorn/base/listeners.h>

#include "ipc/mailbox.h"

#include <utility>

namespace pronghorn::process {

struct Parent::State : std::enable_shared_from_this<Parent::State> {
  State(Loop& l, std::size_t max_pending) : loop(l), mailbox(l, max_pending) {}

  Result<void> open(UniqueFd fd, ipc::ChannelLimits limits);
  void on_end();
  void end();

  Loop& loop;
  std::string unique_id;
  std::optional<ipc::Channel> channel;
  ipc::Mailbox mailbox;
  Listeners<std::function<void(const Json&, ipc::ReceivedHandle&)>> internals;
  Listeners<std::move_only_function<void()>> disconnects;
  Listeners<std::move_only_function<void(const Error&)>> errors;
  bool ended = false;  // the Parent is gone
};

// Whatever is called may destroy the Parent, and with it the channel: each handler keeps the state.
Result<void> Parent::State::open(UniqueFd fd, ipc::ChannelLimits limits) {
  ipc::Channel::Handlers handlers;
  handlers.on_message = [this](const Json& message, ipc::ReceivedHandle handle) {
    auto self = shared_from_this();
    mailbox.take(message, std::move(handle));
  };
  handlers.on_internal = [this](const Json& message, ipc::ReceivedHandle handle) {
    auto self = shared_from_this();
    internals.emit(message, handle);
  };
  handlers.on_error = [this](const Error& error) {
    auto self = shared_from_this();
    errors.emit(error);
  };
  handlers.on_handle_lost = [this](const Error& error) {
    auto self = shared_from_this();
    errors.emit(error);
  };
  handlers.on_disconnect = [this] {
    auto self = shared_from_this();
    on_end();
  };
  auto opened = ipc::Channel::open(loop, std::move(fd), std::move(handlers), limits);
  if (!opened) return std::unexpected(std::move(opened.error()));
  channel = std::move(*opened);
  channel->ref_by_default(false);
  mailbox.watch(&*channel);
  return {};
}

void Parent::State::on_end() {
  mailbox.deliver();
  if (ended) return;
  mailbox.watch(nullptr);
  channel.reset();
  disconnects.emit();
}

void Parent::State::end() {
  ended = true;
  mailbox.close();
  channel.reset();
  internals.clear();
  disconnects.clear();
  errors.clear();
}

Parent::Parent(std::shared_ptr<State> state) : state_(std::move(state)) {}
Parent::~Parent() {
  if (state_) state_->end();
}
Parent::Parent(Parent&&) noexcept = default;
Parent& Parent::operator=(Parent&& other) noexcept {
  Parent old(std::exchange(state_, std::move(other.state_)));
  return *this;
}

Result<bool> Parent::send(const Json& message, ipc::Channel::Sent sent) {
  if (!state_->channel) {
    return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
  }
  return state_->channel->send(message, std::move(sent));
}

Result<bool> Parent::send(const Json& message, const ipc::Handle& handle, ipc::Channel::Sent sent) {
  if (!state_->channel) {
    return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
  }
  return state_->channel->send(message, handle, std::move(sent));
}

void Parent::disconnect() {
  if (state_->channel && state_->channel->disconnect()) return;
  state_->loop.defer([state = state_] {
    state->errors.emit(Error(Errc::ipc_disconnected, "the IPC channel is already disconnected"));
  });
}

bool Parent::connected() const noexcept {
  return state_->channel && state_->channel->is_connected();
}
ipc::Channel* Parent::channel() noexcept { return state_->channel ? &*state_->channel : nullptr; }
const std::string& Parent::unique_id() const noexcept { return state_->unique_id; }

void Parent::on_message(std::function<void(const Json&)> listener) {
  if (!listener) return;
  on_message([listener = std::move(listener)](const Json& message, ipc::ReceivedHandle&) {
    listener(message);
  });
}

void Parent::on_message(std::function<void(const Json&, ipc::ReceivedHandle&)> listener) {
  if (!listener) return;
  state_->mailbox.listen(std::move(listener));
  if (state_->channel) state_->channel->ref_by_default(true);
}

void Parent::on_internal(std::function<void(const Json&, ipc::ReceivedHandle&)> listener) {
  state_->internals.add(std::move(listener));
}

void Parent::on_disconnect(std::move_only_function<void()> listener) {
  if (!listener) return;
  state_->disconnects.add(std::move(listener));
  if (state_->channel) state_->channel->ref_by_default(true);
}

void Parent::on_error(std::move_only_function<void(const Error&)> listener) {
  state_->errors.add(std::move(listener));
}

Result<std::optional<Parent>> parent(Loop& loop, ipc::ChannelLimits limits) {
  std::string unique_id;
  auto fd = ipc::take_inherited_channel(&unique_id);
  if (!fd) return std::unexpected(std::move(fd.error()));
  if (!*fd) return std::nullopt;
  auto state = std::make_shared<Parent::State>(loop, limits.max_pending);
  state->unique_id = std::move(unique_id);
  if (auto opened = state->open(std::move(*fd), limits); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  return Parent(std::move(state));
}

}  // namespace pronghorn::process
