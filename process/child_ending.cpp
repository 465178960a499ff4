// SPDX-License-Identifier: Apache-2.0
// How a child is ended from here: signals, its timeout, its std::stop_token.
#include "process/child_state.h"
#include "process/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pronghorn::process {
namespace {

// Far enough, and nowhere near an overflow in milliseconds of the loop's clock.
constexpr Milliseconds kLongest = std::chrono::hours(24 * 365 * 100);

Error unknown_signal(const Signal& signal) {
  return {Errc::unknown_signal, fmt::format("unknown signal '{}'", signal.text())};
}

}  // namespace

Result<bool> ChildProcess::State::kill(const Signal& signal) {
  if (!signal.is_known()) return std::unexpected(unknown_signal(signal));
  if (!reaper) return false;
  int error = reaper->kill(signal.number());
  if (error == ESRCH) return false;
  if (error == EINVAL) return std::unexpected(unknown_signal(signal));
  if (error != 0) {
    return std::unexpected(
        Error::system(error, fmt::format("cannot signal process {}", *pid)).with_call({"kill"}));
  }
  killed = killed || signal.number() != 0;
  return true;
}

Result<std::size_t> ChildProcess::State::kill_tree(const Signal& signal) {
  if (!signal.is_known()) return std::unexpected(unknown_signal(signal));
  if (!reaper) return 0;
  bool running = reaper->is_running();
  auto hit =
      signal_tree({.pid = *pid, .is_running = running, .detached = detached}, signal.number());
  if (hit && *hit > 0 && running && signal.number() != 0) killed = true;
  return hit;
}

void ChildProcess::State::end_when(Milliseconds timeout, Milliseconds grace, const Signal& signal,
                                   const std::stop_token& token) {
  end_signal_ = signal;
  grace_ = grace;
  if (timeout > Milliseconds(0)) {
    timer_.emplace(loop, [this] { on_timeout(); });
    timer_->unref();  // the process keeps the loop running, or its owner does not want it to
    timer_->start(std::min(timeout, kLongest));
  }
  if (token.stop_possible()) {
    token_ = token;
    stopped_.emplace(loop, [this] { on_stopped(); });
    on_stop_.emplace(token, [this] { stopped_->send(); });
  }
}

void ChildProcess::State::on_timeout() {
  auto self = shared_from_this();
  if (std::exchange(escalating_, true)) {
    (void)kill(SIGKILL);
    return;
  }
  if (hooks_ && hooks_->on_timeout) hooks_->on_timeout();
  auto hit = kill(end_signal_);
  if (hit && *hit && grace_ < kLongest) timer_->start(grace_);
  if (!hit) emit_error(hit.error());
}

void ChildProcess::State::on_stopped() {
  disarm_stop();
  auto hit = kill(end_signal_);
  if (!hit) {
    emit_error(hit.error());
  } else if (*hit) {
    emit_error(Error(Errc::aborted, "the operation was aborted"));
  }
}

void ChildProcess::State::disarm_stop() noexcept {
  on_stop_.reset();
  stopped_.reset();
  token_ = {};
}

void ChildProcess::State::disarm() noexcept {
  timer_.reset();
  disarm_stop();
}

}  // namespace pronghorn::process
