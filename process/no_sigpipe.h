// SPDX-License-Identifier: Apache-2.0
// Writing to what may have no reader any more. Used where a write has no MSG_NOSIGNAL: pipes,
// files, our standard error.
#pragma once

#include <cerrno>
#include <csignal>
#include <ctime>

namespace pronghorn::process {

/// While it lives, a write of this thread without a reader is EPIPE and no SIGPIPE; one that waited
/// before still waits afterwards. A library cannot ignore the signal for the whole program.
class NoSigpipe {
 public:
  NoSigpipe() noexcept {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  /// Leaves errno as the write left it.
  ~NoSigpipe() {
    const int error = errno;
    if (is_raised_ && !was_pending_) {
      timespec now{};
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  /// The write said EPIPE: a signal waits, and is taken at the end.
  void raised() noexcept { is_raised_ = true; }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
  bool is_raised_ = false;
};

}  // namespace pronghorn::process
