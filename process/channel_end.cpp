// SPDX-License-Identifier: Apache-2.0
#include "process/channel_end.h"

#include <utility>

namespace pronghorn::process {

ChannelEnd::ChannelEnd(Loop& loop, std::size_t max_pending)
    : messages(loop, max_pending), loop_(loop) {}

Result<void> ChannelEnd::open(UniqueFd fd, ipc::ChannelLimits limits, Hooks hooks) {
  hooks_ = std::move(hooks);
  auto fail = [this](const Error& error) {
    auto owner = hooks_.owner.lock();
    hooks_.on_error(error);
  };
  ipc::Channel::Handlers handlers;
  handlers.on_message = [this](const Json& message, ipc::ReceivedHandle handle) {
    auto owner = hooks_.owner.lock();
    messages.take(message, std::move(handle));
  };
  handlers.on_internal = [this](const Json& message, ipc::ReceivedHandle handle) {
    auto owner = hooks_.owner.lock();
    internals.emit(message, handle);
  };
  handlers.on_handle_lost = fail;
  handlers.on_error = fail;
  handlers.on_disconnect = [this] { on_disconnect(); };
  auto opened = ipc::Channel::open(loop_, std::move(fd), std::move(handlers), limits);
  if (!opened) return std::unexpected(std::move(opened.error()));
  channel_ = std::move(*opened);
  messages.watch(&*channel_);
  return {};
}

void ChannelEnd::on_disconnect() {
  auto owner = hooks_.owner.lock();
  messages.deliver();
  if (!channel_) return;  // closed by one who got a message
  messages.watch(nullptr);
  channel_.reset();
  disconnects.emit();
  hooks_.on_end();
}

Result<bool> ChannelEnd::send(const Json& message, const ipc::Handle* handle,
                              ipc::Channel::Sent sent) {
  if (!channel_) {
    return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
  }
  return handle == nullptr ? channel_->send(message, std::move(sent))
                           : channel_->send(message, *handle, std::move(sent));
}

bool ChannelEnd::disconnect() { return channel_ && channel_->disconnect(); }

bool ChannelEnd::connected() const noexcept { return channel_ && channel_->is_connected(); }

void ChannelEnd::silence() noexcept {
  messages.close();
  internals.clear();
  disconnects.clear();
}

}  // namespace pronghorn::process
