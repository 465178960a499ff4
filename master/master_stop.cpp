// SPDX-License-Identifier: Apache-2.0
// Stopping without loss (docs/architecture.md): no connection begins any more, those that have
// begun are taken and answered, and only then the listeners are closed.
#include <pronghorn/base/log.h>
#include <pronghorn/base/text.h>

#include "master/exit_text.h"
#include "master/master_impl.h"
#include "master/stop_text.h"

#include <fmt/format.h>

#include <csignal>

namespace pronghorn::master {
namespace {

// TCP_DEFER_ACCEPT hides connections whose request is still on its way: closing at once lost 248
// requests of a loaded test, 100 ms later none in 15 runs.
constexpr Millis kQuiet{100};

}  // namespace

void Master::Impl::on_signal(int signum) {
  switch (signum) {
    case SIGTERM:
    case SIGQUIT:
      stop(StopMode::drain);
      break;
    case SIGINT:
      // As a shell expects of a program that is interrupted twice: it dies by the signal.
      if (last_stop_signal == SIGINT && exit_code == 0) exit_code = 130;
      stop(StopMode::fast);
      break;
    default:
      log::info("signal", {{"signal", signal_name(signum)}}, signal_name(signum) + " is ignored");
      return;
  }
  last_stop_signal = signum;
}

void Master::Impl::stop(StopMode mode) {
  if (finished) return;
  bool again = supervisor.is_stopping();
  if (again) mode = StopMode::now;
  auto work = in_flight(*board);
  const auto& policy = supervisor.policy();
  std::string text = mode == StopMode::now
                         ? stopping_now_text(work)
                         : stopping_text(work, mode == StopMode::drain ? policy.drain_timeout
                                                                       : policy.fast_timeout);
  log::notice("stopping", {{"requests", work.requests}}, text);
  notify.stopping(text);
  if (!again) {
    for (auto& listener : listeners) listener.refuse_new();
    close_delay.start(kQuiet);
  }
  perform(supervisor.stop(mode, Clock::now()));
}

void Master::Impl::drain(std::uint32_t slot) {
  Running& worker = running[slot];
  if (!worker.process) return;
  worker.process->announce_drain();
  if (listeners_closed) worker.process->disconnect();
}

void Master::Impl::close_listeners() {
  if (listeners_closed) return;
  listeners_closed = true;
  // The workers first: each takes what is queued before it closes its descriptors; ours would only
  // go sooner.
  for (auto& worker : running) {
    if (worker.process) worker.process->disconnect();
  }
  for (auto& listener : listeners) listener.close();
}

void Master::Impl::note_give_up(const Action& action) {
  exit_code = action.number;
  log::critical("giving up", {{"reason", action.text}, {"exit_code", action.number}});
  notify.stopping("giving up: " + action.text);
  listeners_closed = true;
  for (auto& listener : listeners) listener.close();
}

void Master::Impl::finish() {
  finished = true;
  deadline.stop();
  ticker.stop();
  close_delay.stop();
  signals.clear();
  control.reset();
  for (auto& listener : listeners) listener.close();
  auto uptime = Millis(monotonic_ms() - started_ms);
  auto requests = totals(*board).requests;
  log::notice("stopped", {{"requests", requests}, {"cut", requests_cut}},
              stopped_text(uptime, requests, requests_cut));
  loop.set_exit_code(exit_code);
  loop.stop();
}

}  // namespace pronghorn::master
