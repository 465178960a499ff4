// SPDX-License-Identifier: Apache-2.0
#include "process/parent.h"

#include <pronghorn/base/listeners.h>

#include "process/channel_end.h"

#include <utility>

namespace pronghorn::process {

struct Parent::State : std::enable_shared_from_this<Parent::State> {
  State(Loop& l, std::size_t max_pending) : loop(l), channel(l, max_pending) {}

  Result<void> open(UniqueFd fd, ipc::ChannelLimits limits);
  void end();

  Loop& loop;
  std::string unique_id;
  ChannelEnd channel;
  Listeners<std::move_only_function<void(const Error&)>> errors;
};

Result<void> Parent::State::open(UniqueFd fd, ipc::ChannelLimits limits) {
  auto opened = channel.open(std::move(fd), limits,
                             {.owner = weak_from_this(),
                              .on_error = [this](const Error& error) { errors.emit(error); },
                              .on_end = [] {}});
  if (opened) channel.channel()->ref_by_default(false);
  return opened;
}

void Parent::State::end() {
  channel.silence();
  channel.close();
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
  return state_->channel.send(message, nullptr, std::move(sent));
}

Result<bool> Parent::send(const Json& message, const ipc::Handle& handle, ipc::Channel::Sent sent) {
  return state_->channel.send(message, &handle, std::move(sent));
}

void Parent::disconnect() {
  if (state_->channel.disconnect()) return;
  state_->loop.defer([state = state_] {
    state->errors.emit(Error(Errc::ipc_disconnected, "the IPC channel is already disconnected"));
  });
}

bool Parent::connected() const noexcept { return state_->channel.connected(); }
ipc::Channel* Parent::channel() noexcept { return state_->channel.channel(); }
const std::string& Parent::unique_id() const noexcept { return state_->unique_id; }

void Parent::on_message(std::function<void(const Json&)> listener) {
  if (!listener) return;
  on_message([listener = std::move(listener)](const Json& message, ipc::ReceivedHandle&) {
    listener(message);
  });
}

void Parent::on_message(std::function<void(const Json&, ipc::ReceivedHandle&)> listener) {
  if (!listener) return;
  state_->channel.messages.listen(std::move(listener));
  if (channel() != nullptr) channel()->ref_by_default(true);
}

void Parent::on_internal(std::function<void(const Json&, ipc::ReceivedHandle&)> listener) {
  state_->channel.internals.add(std::move(listener));
}

void Parent::on_disconnect(std::move_only_function<void()> listener) {
  if (!listener) return;
  state_->channel.disconnects.add(std::move(listener));
  if (channel() != nullptr) channel()->ref_by_default(true);
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
