// SPDX-License-Identifier: Apache-2.0
#include "ipc/channel.h"

#include "ipc/channel_impl.h"
#include "ipc/socket_io.h"
#include "ipc/wire.h"

#include <fcntl.h>

namespace pronghorn::ipc {

// The owner is gone: the peer sees EOF now; the memory lives until the running callback returns.
void Channel::Close::operator()(Impl* impl) const noexcept { impl->abandon(); }

Result<Channel> Channel::open(Loop& loop, UniqueFd fd, Handlers handlers, Limits limits) {
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  std::unique_ptr<Impl, Close> impl(new Impl(std::move(fd), std::move(handlers), limits));
  if (auto watched = impl->watch(loop); !watched) return std::unexpected(watched.error());
  return Channel(std::move(impl));
}

Channel::Channel(std::unique_ptr<Impl, Close> impl) : impl_(std::move(impl)) {}
Channel::~Channel() = default;
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;

Result<bool> Channel::send(const Json& message) {
  auto text = encode_user_message(message);
  if (!text) return std::unexpected(std::move(text.error()));
  return impl_->send(std::move(*text));
}

Result<bool> Channel::send(const InternalMessage& message) { return impl_->send(message.text()); }

Result<bool> Channel::send(const Json& message, HandleType type, int fd) {
  auto text = encode_user_message(message);
  if (!text) return std::unexpected(std::move(text.error()));
  return impl_->send_handle(*text, type, fd);
}

Result<bool> Channel::send(const InternalMessage& message, HandleType type, int fd) {
  return impl_->send_handle(message.text(), type, fd);
}

void Channel::disconnect() { impl_->disconnect(); }
bool Channel::is_connected() const noexcept { return impl_->is_connected(); }
void Channel::ref() noexcept { impl_->set_referenced(true); }
void Channel::unref() noexcept { impl_->set_referenced(false); }

}  // namespace pronghorn::ipc
