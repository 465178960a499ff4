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
#include <unistd.h>
#include <utility>

namespace pronghorn::master {
namespace {

// TCP_DEFER_ACCEPT hides connections whose request is still on its way: closing at once lost 248
// requests of a loaded test, 100 ms later none in 15 runs.
constexpr Millis kQuiet{100};
// For what the last workers wrote and nobody has read yet.
constexpr Millis kLastWords{1'000};

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
    case SIGHUP:
      // Its window is closed: nobody is left who could press Ctrl-C. The kernel and the shell may
      // both say so, which is no second request.
      if (had_terminal && ::isatty(STDERR_FILENO) == 0) {
        if (!supervisor.is_stopping()) stop(StopMode::drain);
        break;
      }
      [[fallthrough]];
    default:
      if (signum == SIGUSR1) {
        return reopen_log([this](const ReopenOutcome& outcome) { say_reopened(outcome); });
      }
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
  auto deadline_of = mode == StopMode::drain ? policy.drain_timeout : policy.fast_timeout;
  const bool is_known = options.workers > 0;
  const bool is_now = mode == StopMode::now;
  std::string text = is_known
                         ? (is_now ? stopping_now_text(work) : stopping_text(work, deadline_of))
                         : (is_now ? stopping_now_text() : stopping_text(deadline_of));
  log::notice("stopping", {{"requests", work.requests}}, text);
  notify.stopping(text);
  if (!again) {
    drain_patience = deadline_of / 2;
    for (auto& listener : listeners) listener.refuse_new();
    primary->refuse_new();
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

// What waits in our hands is the workers' first: from `disconnect` on a worker takes none. And from
// here on no reuseport socket is lent to one that leaves next.
void Master::Impl::drain_queues() {
  if (std::exchange(draining_queues, true)) return close_listeners();
  // One worker that never answers, or is full till the end, must not cost the others theirs.
  close_delay.start(drain_patience);
  primary->drain([this] { close_listeners(); });
}

void Master::Impl::close_listeners() {
  if (std::exchange(listeners_closed, true)) return;
  close_delay.stop();
  // Ours first: a worker takes what is queued before it closes its descriptor, but what comes after
  // the last one's look, and before we close ours, would be nobody's (55 connections, once).
  free_addresses();
  for (auto& worker : running) {
    if (worker.process) worker.process->disconnect();
  }
}

// The Primary watches the listeners' descriptors: it forgets them first.
void Master::Impl::free_addresses() {
  primary->close_servers();
  for (auto& listener : listeners) listener.close();
}

void Master::Impl::note_give_up(const Action& action) {
  exit_code = action.number;
  log::critical("giving up", {{"reason", action.text}, {"exit_code", action.number}});
  notify.stopping("giving up: " + action.text);
  listeners_closed = true;
  free_addresses();
}

void Master::Impl::finish() {
  finished = true;
  deadline.stop();
  ticker.stop();
  close_delay.stop();
  signals.clear();
  control.reset();
  free_addresses();
  last_words.start(kLastWords);
  end_when_silent();
}

void Master::Impl::end_when_silent() {
  if (finished && dead.empty() && !out.is_full() && !err.is_full()) end();
}

void Master::Impl::end() {
  if (std::exchange(ended, true)) return;
  last_words.stop();
  auto uptime = Millis(monotonic_ms() - started_ms);
  auto requests = totals(*board).requests;
  auto handed = primary->totals().handed_over;
  if (options.workers > 0) {
    log::notice("stopped", {{"requests", requests}, {"cut", requests_cut}},
                stopped_text(uptime, requests, requests_cut));
  } else {
    log::notice("stopped", {{"handed_over", handed}}, stopped_text(uptime, handed));
  }
  loop.set_exit_code(exit_code);
  loop.stop();
}

}  // namespace pronghorn::master
