// SPDX-License-Identifier: Apache-2.0
// The parent's end of a child's channel.
#include "process/child_state.h"

#include <cerrno>
#include <utility>

namespace pronghorn::process {

Result<void> ChildProcess::State::open_channel(UniqueFd fd, ipc::ChannelLimits limits) {
  return channel.open(std::move(fd), limits,
                      {.owner = weak_from_this(),
                       .on_error = [this](const Error& error) { emit_error(error); },
                       .on_end = [this] { maybe_close(); }});
}

Result<bool> ChildProcess::State::send(const Json& message, const ipc::Handle* handle,
                                       ipc::Channel::Sent sent) {
  if (channel.channel() != nullptr && start_error) {
    // Taken, as in Node, and told after the error of the start that nobody got it.
    loop.soon([weak = weak_from_this(), sent = std::move(sent)]() mutable {
      auto self = weak.lock();
      if (!self) return;
      const auto error = Error::system(EPIPE, "cannot write to the channel").with_call({"write"});
      return sent ? sent(&error) : self->emit_error(error);
    });
    return true;
  }
  return channel.send(message, handle, std::move(sent));
}

void ChildProcess::State::disconnect() {
  if (channel.disconnect()) return;
  loop.soon([weak = weak_from_this()] {
    if (auto self = weak.lock()) {
      self->emit_error(Error(Errc::ipc_disconnected, "the channel is already disconnected"));
    }
  });
}

}  // namespace pronghorn::process
