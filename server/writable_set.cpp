// SPDX-License-Identifier: Apache-2.0
#include "server/writable_set.h"

#include "server/connection.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace pronghorn::server {

WritableSet::WritableSet(Loop& loop) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw std::system_error(errno, std::generic_category(), "cannot make an epoll");
  auto poll = uv::Poll::open(loop, epoll_.get(), [this](int, int) { take(); });
  if (!poll) throw std::system_error(poll.error().errno_value(), std::generic_category());
  poll_.emplace(std::move(*poll));
  poll_->want(uv::Poll::kReadable);
  poll_->unref();
}

bool WritableSet::add(int fd, Connection& connection) noexcept {
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLET;
  event.data.ptr = &connection;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void WritableSet::remove(int fd, Connection& connection) noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  for (std::size_t i = begin_; i < end_; ++i) {
    if (ready_[i].data.ptr == &connection) ready_[i].data.ptr = nullptr;
  }
}

/// One batch a turn: the loop comes again as long as there are more.
void WritableSet::take() noexcept {
  int count = ::epoll_wait(epoll_.get(), ready_.data(), static_cast<int>(ready_.size()), 0);
  end_ = static_cast<std::size_t>(std::max(count, 0));
  for (begin_ = 0; begin_ < end_;) {
    auto* connection = static_cast<Connection*>(ready_[begin_++].data.ptr);
    if (connection != nullptr) connection->on_room();
  }
}

}  // namespace pronghorn::server
