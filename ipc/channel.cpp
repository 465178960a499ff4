// SPDX-License-Identifier: Apache-2.0
#include "ipc/channel.h"

#include "ipc/channel_impl.h"
#include "ipc/wire.h"

#include <fcntl.h>

namespace pronghorn::ipc {

// The owner is gone: the peer sees EOF now; the memory lives until the running callback returns.
void Channel::Close::operator()(Impl* impl) const noexcept { impl->abandon(); }

Result<Channel> Channel::open(Loop& loop, UniqueFd fd, Handlers handlers, Limits limits) {
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  std::unique_ptr<Impl, Close> impl(new Impl(loop, std::move(fd), std::move(handlers), limits));
  if (auto watched = impl->watch(); !watched) return std::unexpected(watched.error());
  return Channel(std::move(impl));
}

Channel::Channel(std::unique_ptr<Impl, Close> impl) : impl_(std::move(impl)) {}
Channel::~Channel() = default;
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;

Result<bool> Channel::send(const Json& message, Sent sent) {
  auto text = encode_user_message(message);
  if (!text) return std::unexpected(std::move(text.error()));
  return impl_->send(std::move(*text), std::move(sent));
}

Result<bool> Channel::send(const InternalMessage& message, Sent sent) {
  return impl_->send(message.text(), std::move(sent));
}

Result<bool> Channel::send(const Json& message, const Handle& handle, Sent sent) {
  auto text = encode_user_message(message);
  if (!text) return std::unexpected(std::move(text.error()));
  return impl_->send_handle(*text, handle, std::move(sent));
}

Result<bool> Channel::send(const InternalMessage& message, const Handle& handle, Sent sent) {
  return impl_->send_handle(message.text(), handle, std::move(sent));
}

void Channel::count_sockets(std::string_view key,
                            std::move_only_function<void(Result<std::size_t>)> reply) {
  impl_->count_sockets(key, std::move(reply));
}
void Channel::when_sockets_closed(std::string_view key, std::move_only_function<void()> closed) {
  impl_->when_sockets_closed(key, std::move(closed));
}

bool Channel::disconnect() { return impl_->disconnect(); }
bool Channel::is_connected() const noexcept { return impl_->is_connected(); }
void Channel::pause() noexcept { impl_->set_paused(true); }
void Channel::resume() noexcept { impl_->set_paused(false); }
std::size_t Channel::queued() const noexcept { return impl_->queued(); }
std::size_t Channel::message_bytes() const noexcept { return impl_->message_bytes(); }
void Channel::ref() noexcept { impl_->set_referenced(true); }
void Channel::unref() noexcept { impl_->set_referenced(false); }
void Channel::ref_by_default(bool referenced) noexcept { impl_->set_default_reference(referenced); }
int Channel::fd() const noexcept { return impl_->fd(); }

}  // namespace pronghorn::ipc
