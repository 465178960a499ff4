// SPDX-License-Identifier: Apache-2.0
// No SIGCHLD: a pidfd is readable when its process has ended, and never for one that was stopped or
// continued.
#include "process/reaper.h"

#include "base/uv/poll.h"

#include <cerrno>
#include <csignal>
#include <optional>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace pronghorn::process {
namespace {

int send(int pidfd, int signum) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signum, nullptr, 0) == 0 ? 0 : errno;
}

/// Nothing while it runs.
std::optional<Exit> collect(int pidfd) noexcept {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) != 0) {
    if (errno == EINTR || errno == EAGAIN) return std::nullopt;
    return Exit{.code = -errno};  // ECHILD: somebody else has reaped it
  }
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return Exit{.code = info.si_status};
  return Exit{.signal = info.si_status};
}

// One that could not be watched would become a zombie, or run without an owner.
void end(int pidfd) noexcept {
  send(pidfd, SIGKILL);
  while (!collect(pidfd)) {
    pollfd readable{pidfd, POLLIN, 0};
    ::poll(&readable, 1, -1);
  }
}

}  // namespace

struct Reaper::Impl : std::enable_shared_from_this<Reaper::Impl> {
  Impl(Loop& l, Launched started, OnExit callback)
      : loop(l), launched(std::move(started)), on_exit(std::move(callback)) {}

  void look() {
    std::optional<Exit> exit = collect(launched.pidfd.get());
    if (!exit) return;
    auto self = shared_from_this();
    poll.reset();  // before its descriptor
    launched.pidfd.reset();
    loop.release(this);
    if (auto callback = std::exchange(on_exit, nullptr)) callback(*exit);
  }
  void abandon() {
    on_exit = nullptr;
    if (!poll) return;
    poll->unref();
    loop.hold(shared_from_this());
  }

  Loop& loop;
  Launched launched;
  OnExit on_exit;
  std::optional<uv::Poll> poll;  // while it runs
};

Result<Reaper> Reaper::watch(Loop& loop, Launched launched, OnExit on_exit) {
  auto impl = std::make_shared<Impl>(loop, std::move(launched), std::move(on_exit));
  int pidfd = impl->launched.pidfd.get();
  auto poll = uv::Poll::open(loop, pidfd, [watched = impl.get()](int, int) { watched->look(); });
  if (!poll) {
    end(pidfd);
    return std::unexpected(poll.error());
  }
  impl->poll = std::move(*poll);
  impl->poll->want(uv::Poll::kReadable);
  return Reaper(std::move(impl));
}

Reaper::Reaper(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reaper::~Reaper() {
  if (impl_) impl_->abandon();
}
Reaper::Reaper(Reaper&&) noexcept = default;
Reaper& Reaper::operator=(Reaper&& other) noexcept {
  Reaper old(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

int Reaper::pid() const noexcept { return impl_->launched.pid; }
int Reaper::kill(int signum) noexcept {
  return is_running() ? send(impl_->launched.pidfd.get(), signum) : ESRCH;
}
bool Reaper::is_running() const noexcept { return impl_->poll.has_value(); }
void Reaper::ref() noexcept {
  if (impl_->poll) impl_->poll->ref();
}
void Reaper::unref() noexcept {
  if (impl_->poll) impl_->poll->unref();
}

}  // namespace pronghorn::process
