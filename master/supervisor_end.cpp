// SPDX-License-Identifier: Apache-2.0
// How workers are made to end, and when the master gives up: the other half of Supervisor.
#include "master/supervisor.h"

#include <fmt/format.h>

#include <algorithm>

namespace pronghorn::master {
namespace {

using Kind = Action::Kind;
constexpr int kSoftware = 70;  // sysexits.h EX_SOFTWARE
constexpr int kConfig = 78;    // EX_CONFIG

}  // namespace

// One rung of the ladder; the deadline leads to the next one (on_due).
void Supervisor::escalate(std::uint32_t slot, int signum, Instant now, Actions& out) {
  Slot& s = slots_[slot];
  Step step = signum == SIGKILL ? Step::kill : signum == SIGABRT ? Step::abort : Step::term;
  if (step == Step::kill && s.step == Step::kill && s.due > now) return;
  s.step = step;
  if (s.state == SlotState::ready) enter(s, SlotState::suspect, now);
  s.has_due = true;
  s.due = now + (step == Step::kill    ? policy_.kill_again
                 : step == Step::abort ? policy_.abort_grace
                                       : policy_.term_grace);
  out.push_back({Kind::kill, slot, signum, {}});
}

void Supervisor::ask_to_leave(std::uint32_t slot, Instant deadline, Instant now, Actions& out) {
  Slot& s = slots_[slot];
  bool first = s.step == Step::none;
  if (!first && s.step != Step::asked) return;  // it is being killed already
  s.due = s.step == Step::asked ? std::min(s.due, deadline) : deadline;
  s.step = Step::asked;
  enter(s, SlotState::draining, now);
  s.has_due = true;
  if (first) out.push_back({Kind::drain, slot, 0, {}});
}

Actions Supervisor::stop(StopMode mode, Instant now) {
  Actions out;
  stopping_ = true;
  auto deadline = now + (mode == StopMode::drain ? policy_.drain_timeout + policy_.drain_grace
                                                 : policy_.fast_timeout);
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    Slot& s = slots_[i];
    if (!s.alive) {
      // A slot whose spawn is under way answers with spawned() or spawn_failed().
      if (s.state == SlotState::starting) continue;
      if (s.state != SlotState::failed) s.state = SlotState::stopped;
      s.has_due = false;
    } else if (mode != StopMode::now) {
      ask_to_leave(i, deadline, now, out);
    } else if (s.step != Step::term && s.step != Step::kill) {
      escalate(i, SIGTERM, now, out);
    }
  }
  check_finished(out);
  return out;
}

bool Supervisor::is_hopeless(const Slot& slot) const noexcept {
  return slot.state == SlotState::failed || slot.early_deaths >= policy_.give_up_deaths;
}

void Supervisor::check_give_up(Instant now, Actions& out) {
  if (stopping_ || !none_ready_since_) return;
  bool any_alive = std::ranges::any_of(
      slots_, [](const Slot& s) { return s.alive || s.state == SlotState::starting; });
  auto failed = std::ranges::find(slots_, SlotState::failed, &Slot::state);
  bool all_failed = count(SlotState::failed) == slots_.size();
  // All workers have one configuration: a fault of one, and none that lives, is everyone's fault.
  if (failed != slots_.end() && !any_alive && (!ever_ready_ || all_failed)) {
    give_up(kConfig, failed->fault, now, out);
    return;
  }
  if (count(SlotState::ready) + count(SlotState::suspect) > 0) return;
  auto without = now - *none_ready_since_;
  if (without < policy_.give_up_after ||
      !std::ranges::all_of(slots_, [this](const Slot& s) { return is_hopeless(s); })) {
    return;
  }
  // One that is starting may yet live; but starts that overlap must not keep this open for ever.
  if (any_alive && without < 2 * policy_.give_up_after) return;
  give_up(kSoftware, fmt::format("no worker can live: {}", last_end_), now, out);
}

void Supervisor::give_up(int code, std::string text, Instant now, Actions& out) {
  // What was to be started in this turn is not; one that is being started answers with spawned().
  std::erase_if(out, [this](const Action& a) {
    if (a.kind == Kind::spawn) slots_[a.slot].state = SlotState::stopped;
    return a.kind == Kind::spawn;
  });
  out.push_back({Kind::give_up, 0, code, std::move(text)});
  stopping_ = true;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    Slot& s = slots_[i];
    if (s.alive) {
      escalate(i, SIGKILL, now, out);
    } else if (s.state == SlotState::waiting) {
      s.state = SlotState::stopped;
      s.has_due = false;
    }
  }
  check_finished(out);
}

void Supervisor::check_finished(Actions& out) {
  if (!stopping_ || finished_) return;
  for (const Slot& s : slots_) {
    if (s.alive || s.state == SlotState::starting) return;
  }
  finished_ = true;
  out.push_back({Kind::finished, 0, 0, {}});
}

}  // namespace pronghorn::master
