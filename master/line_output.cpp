// SPDX-License-Identifier: Apache-2.0
#include "master/line_output.h"

#include "base/log.h"

#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::master {

LineOutput::LineOutput(Loop& loop, int fd)
    : loop_(loop), fd_(fd), is_journal_(log::is_journal(fd)) {
  struct stat about{};
  if (::fstat(fd, &about) != 0) return;
  if (S_ISREG(about.st_mode)) {
    way_ = Way::direct;
  } else if (S_ISSOCK(about.st_mode)) {
    way_ = Way::socket;
  } else {
    own_.reset(::open(fmt::format("/proc/self/fd/{}", fd).c_str(),
                      O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (own_) way_ = Way::own;
  }
}

std::size_t LineOutput::write_some(std::string_view text) noexcept {
  while (true) {
    ssize_t n = 0;
    switch (way_) {
      case Way::socket:
        n = ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        break;
      case Way::own:
        n = ::write(own_.get(), text.data(), text.size());
        break;
      case Way::ask: {
        pollfd ask{.fd = fd_, .events = POLLOUT, .revents = 0};
        if (::poll(&ask, 1, 0) == 0) return 0;
        n = ::write(fd_, text.data(), text.size());
        break;
      }
      case Way::direct:
        n = ::write(fd_, text.data(), text.size());
        break;
    }
    if (n > 0) return static_cast<std::size_t>(n);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return 0;
    return text.size();  // nobody will ever read it
  }
}

void LineOutput::write(std::string_view lines) {
  const bool was_full = is_full();
  waiting_ += lines;
  if (!was_full) flush();
}

void LineOutput::flush() {
  std::string_view rest = waiting_;
  while (!rest.empty()) {
    // As many whole lines as a pipe takes in one piece; of a longer one, a piece.
    std::string_view piece = rest.substr(0, PIPE_BUF);
    if (const auto end = piece.rfind('\n'); end != std::string_view::npos) {
      piece = piece.substr(0, end + 1);
    }
    const std::size_t went = write_some(piece);
    rest.remove_prefix(went);
    if (went == 0) break;
  }
  waiting_.erase(0, waiting_.size() - rest.size());
  if (is_full()) wait();
}

void LineOutput::wait() {
  if (!poll_) {
    nested_.reset(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{};
    event.events = EPOLLOUT;
    const int watched = own_ ? own_.get() : fd_;
    auto opened = nested_ && ::epoll_ctl(nested_.get(), EPOLL_CTL_ADD, watched, &event) == 0
                      ? uv::Poll::open(loop_, nested_.get(),
                                       [this](int, int) {
                                         flush();
                                         if (is_full()) return;
                                         poll_->want(0);
                                         for (auto& on_free : waiters_) on_free();
                                       })
                      : std::unexpected(Error::system(errno, "cannot watch the output"));
    if (!opened) {
      waiting_.clear();  // it cannot be waited for: lost, as to a broken descriptor
      return;
    }
    poll_ = std::move(*opened);
    poll_->unref();
  }
  poll_->want(uv::Poll::kReadable);
}

LineOutput::Waiter LineOutput::add(std::function<void()> on_free) {
  return waiters_.insert(waiters_.end(), std::move(on_free));
}

void LineOutput::remove(Waiter waiter) { waiters_.erase(waiter); }

}  // namespace pronghorn::master
