// SPDX-License-Identifier: Apache-2.0
// The parent's end of a child's channel.
#include "process/child_state.h"

#include <cerrno>
#include <utility>

namespace pronghorn::process {

// Whatever is called may drop the ChildProcess, and with it the channel: each handler keeps the
// state.
Result<void> ChildProcess::State::open_channel(UniqueFd fd, ipc::ChannelLimits limits) {
  ipc::Channel::Handlers handlers;
  handlers.on_message = [this](const Json& message, ipc::ReceivedHandle handle) {
    auto self = shared_from_this();
    mailbox.take(message, std::move(handle));
  };
  handlers.on_internal = [this](const Json& message, ipc::ReceivedHandle handle) {
    auto self = shared_from_this();
    events.internal.emit(message, handle);
  };
  handlers.on_handle_lost = [this](const Error& error) { emit_error(error); };
  handlers.on_error = [this](const Error& error) { emit_error(error); };
  handlers.on_disconnect = [this] { on_channel_end(); };
  auto opened = ipc::Channel::open(loop, std::move(fd), std::move(handlers), limits);
  if (!opened) return std::unexpected(std::move(opened.error()));
  channel_ = std::move(*opened);
  mailbox.watch(&*channel_);
  return {};
}

void ChildProcess::State::on_channel_end() {
  auto self = shared_from_this();
  mailbox.deliver();
  mailbox.watch(nullptr);
  channel_.reset();
  events.disconnect.emit();
  maybe_close();
}

Result<bool> ChildProcess::State::send(const Json& message, const ipc::Handle* handle,
                                       ipc::Channel::Sent sent) {
  if (!channel_) {
    return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
  }
  if (start_error) {
    // Taken, as in Node, and told after the error of the start that nobody got it.
    loop.soon([weak = weak_from_this(), sent = std::move(sent)]() mutable {
      auto self = weak.lock();
      if (!self) return;
      const auto error = Error::system(EPIPE, "cannot write to the channel").with_call({"write"});
      return sent ? sent(&error) : self->emit_error(error);
    });
    return true;
  }
  return handle == nullptr ? channel_->send(message, std::move(sent))
                           : channel_->send(message, *handle, std::move(sent));
}

void ChildProcess::State::disconnect() {
  if (channel_ && channel_->disconnect()) return;
  loop.soon([weak = weak_from_this()] {
    if (auto self = weak.lock()) {
      self->emit_error(Error(Errc::ipc_disconnected, "the channel is already disconnected"));
    }
  });
}

bool ChildProcess::State::connected() const noexcept {
  return channel_ && channel_->is_connected();
}

ipc::Channel* ChildProcess::State::channel() noexcept { return channel_ ? &*channel_ : nullptr; }

}  // namespace pronghorn::process
