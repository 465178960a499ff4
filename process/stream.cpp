// SPDX-License-Identifier: Apache-2.0
#include "process/stream.h"

#include "process/stream_access.h"
#include "process/stream_impl.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>

namespace pronghorn::process {

Result<Stream> Stream::open(Loop& loop, UniqueFd fd, Sides sides) {
  struct stat about{};
  if (::fstat(fd.get(), &about) != 0) {
    return std::unexpected(Error::system(errno, "cannot open a stream"));
  }
  auto kind = S_ISSOCK(about.st_mode) ? Impl::Kind::socket : Impl::Kind::plain;
  auto impl = std::make_shared<Impl>(loop, std::move(fd), kind, sides);
  if (auto watched = impl->watch(impl->fd.get()); !watched) {
    return std::unexpected(watched.error());
  }
  return Stream(std::move(impl));
}

Result<Stream> Stream::open_shared(Loop& loop, int fd) {
  auto failed = [] { return std::unexpected(Error::system(errno, "cannot open a stream")); };
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  UniqueFd nested(own ? ::epoll_create1(EPOLL_CLOEXEC) : -1);
  if (!nested) return failed();
  epoll_event event{};
  event.events = EPOLLIN;
  bool is_file = false;
  if (::epoll_ctl(nested.get(), EPOLL_CTL_ADD, own.get(), &event) != 0) {
    if (errno != EPERM) return failed();
    is_file = true;
  }
  auto kind = is_file ? Impl::Kind::file : Impl::Kind::shared;
  auto impl = std::make_shared<Impl>(loop, std::move(own), kind, Sides::readable);
  if (!is_file) {
    // libuv would set O_NONBLOCK on what it watches: on the epoll descriptor that does no harm.
    impl->nested = std::move(nested);
    if (auto watched = impl->watch(impl->nested.get()); !watched) {
      return std::unexpected(watched.error());
    }
  }
  return Stream(std::move(impl));
}

Stream::Stream() = default;
Stream::Stream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::~Stream() {
  if (impl_) impl_->abandon();
}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  Stream old(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

void Stream::on_data(std::move_only_function<void(std::string_view)> listener) {
  if (!impl_) return;
  impl_->on_data.add(std::move(listener));
  if (impl_->flowing == Impl::Flow::idle) impl_->flow(Impl::Flow::flowing);
}
void Stream::on_end(std::move_only_function<void()> listener) {
  if (impl_) impl_->on_end.add(std::move(listener));
}
void Stream::pause() noexcept {
  if (impl_) impl_->flow(Impl::Flow::paused);
}
void Stream::resume() noexcept {
  if (impl_) impl_->flow(Impl::Flow::flowing);
}
bool Stream::is_paused() const noexcept { return impl_ && impl_->flowing == Impl::Flow::paused; }
bool Stream::is_readable() const noexcept {
  return impl_ && impl_->fd && impl_->reads && (!impl_->read_ended || impl_->end_due);
}

bool Stream::write(std::string_view bytes, Written written) {
  if (impl_) return impl_->write(bytes, std::move(written));
  if (written) {
    Error error = Error::system(EBADF, "write");
    written(&error);
  }
  return false;
}
void Stream::end(std::string_view last) {
  if (impl_) impl_->end(last);
}
void Stream::on_drain(std::move_only_function<void()> listener) {
  if (impl_) impl_->on_drain.add(std::move(listener));
}
void Stream::on_finish(std::move_only_function<void()> listener) {
  if (impl_) impl_->on_finish.add(std::move(listener));
}
bool Stream::is_writable() const noexcept {
  return impl_ && impl_->fd && impl_->writes && !impl_->ending;
}
std::size_t Stream::writable_length() const noexcept { return impl_ ? impl_->queue.size() : 0; }

void Stream::pipe(Stream& to) {
  if (impl_) {
    impl_->pipe(to.impl_);
  } else {
    to.end();
  }
}

void Stream::on_error(std::move_only_function<void(const Error&)> listener) {
  if (impl_) impl_->on_error.add(std::move(listener));
}
void Stream::on_close(std::move_only_function<void()> listener) {
  if (impl_) impl_->on_close.add(std::move(listener));
}
void Stream::destroy() {
  if (impl_) impl_->destroy();
}
bool Stream::is_open() const noexcept { return impl_ && impl_->fd; }

void Stream::ref() noexcept {
  if (!impl_) return;
  impl_->referenced = true;
  impl_->update();
}
void Stream::unref() noexcept {
  if (!impl_) return;
  impl_->referenced = false;
  impl_->update();
}
int Stream::fd() const noexcept { return impl_ ? impl_->fd.get() : -1; }

void StreamAccess::drain_after_exit(Stream& stream) {
  auto& impl = stream.impl_;
  if (!impl || impl->lent || impl->flowing != Stream::Impl::Flow::idle) return;
  impl->flow(Stream::Impl::Flow::flowing);
}

void StreamAccess::lend(const Stream& stream) noexcept {
  if (stream.impl_) stream.impl_->lent = true;
}

void StreamAccess::collect(Stream& stream, std::move_only_function<void(std::string_view)> take) {
  if (!stream.impl_) return;
  stream.impl_->collector = std::move(take);
  stream.impl_->flow(Stream::Impl::Flow::flowing);
}

void StreamAccess::silence(Stream& stream) noexcept {
  if (stream.impl_) stream.impl_->silence();
}

void StreamAccess::on_gone(Stream& stream, std::move_only_function<void()> listener) {
  if (stream.impl_) stream.impl_->on_gone = std::move(listener);
}

}  // namespace pronghorn::process
