// SPDX-License-Identifier: Apache-2.0
#include "worker/signals.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace pronghorn::worker {
namespace {

volatile sig_atomic_t grace_seconds = 0;

void set_alarm(int) {
  ::alarm(static_cast<unsigned>(grace_seconds));
}  // async-signal-safe; SIGALRM kills

}  // namespace

void ignore_group_signals() noexcept {
  for (int signum : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ})
    ::signal(signum, SIG_IGN);
}

void end_after_parent(std::chrono::seconds grace) noexcept {
  grace_seconds = static_cast<sig_atomic_t>(grace.count());
  struct sigaction action{};
  action.sa_handler = set_alarm;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGRTMIN, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGRTMIN);
}

}  // namespace pronghorn::worker
