// SPDX-License-Identifier: Apache-2.0
#include "master/supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pronghorn::master {
namespace {

using Kind = Action::Kind;
constexpr int kConfig = 78;  // sysexits.h EX_CONFIG: a worker may say it with its exit code, too

}  // namespace

Supervisor::Supervisor(SupervisorPolicy policy, std::move_only_function<double()> random)
    : policy_(policy), random_(std::move(random)), slots_(policy.slots) {}

Actions Supervisor::start(Instant now) {
  Actions out;
  if (stopping_ || none_ready_since_) return out;
  none_ready_since_ = now;
  last_tick_ = now;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) spawn(i, now, out);
  return out;
}

void Supervisor::spawn(std::uint32_t slot, Instant now, Actions& out) {
  Slot& s = slots_[slot];
  s.state = SlotState::starting;
  s.was_ready = false;
  s.step = Step::none;
  s.last_start = now;
  s.has_due = false;
  out.push_back({Kind::spawn, slot, 0, {}});
}

Actions Supervisor::spawned(std::uint32_t slot, Instant now) {
  Actions out;
  Slot& s = slots_[slot];
  if (s.state != SlotState::starting || s.alive) return out;
  s.alive = true;
  s.due = now + policy_.start_timeout;
  s.has_due = true;
  // The stop came between our action and its report.
  if (stopping_) escalate(slot, SIGKILL, now, out);
  return out;
}

Actions Supervisor::spawn_failed(std::uint32_t slot, std::string_view why, Instant now) {
  Actions out;
  Slot& s = slots_[slot];
  if (s.state != SlotState::starting || s.alive) return out;
  last_end_ = fmt::format("worker {} cannot be started: {}", slot + 1, why);
  if (stopping_) {
    s.state = SlotState::stopped;
    check_finished(out);
    return out;
  }
  back_off(s, now);
  check_give_up(now, out);
  return out;
}

Actions Supervisor::ready(std::uint32_t slot, Instant now) {
  Actions out;
  Slot& s = slots_[slot];
  if (s.state != SlotState::starting || !s.alive || s.step != Step::none || !s.fault.empty()) {
    return out;
  }
  enter(s, SlotState::ready, now);
  s.was_ready = true;
  s.early_deaths = 0;
  s.has_due = false;
  ever_ready_ = true;
  check_ready_all(out);
  return out;
}

Actions Supervisor::fault(std::uint32_t slot, std::string_view why, Instant now) {
  Slot& s = slots_[slot];
  if (!s.alive || stopping_) return {};
  if (s.was_ready) return broken(slot, now);  // it has worked: not the configuration
  s.fault = why.empty() ? "the configuration cannot work" : std::string(why);
  if (s.step != Step::none) return {};
  // It should leave by itself now.
  s.step = Step::asked;
  enter(s, SlotState::draining, now);
  s.due = now + policy_.abort_grace;
  s.has_due = true;
  return {};
}

Actions Supervisor::broken(std::uint32_t slot, Instant now) {
  Actions out;
  if (slots_[slot].alive) escalate(slot, SIGKILL, now, out);
  return out;
}

Actions Supervisor::disconnected(std::uint32_t slot, Instant now) {
  Slot& s = slots_[slot];
  if (s.alive && s.step == Step::asked) s.due = std::min(s.due, now + policy_.leave_grace);
  if (!s.alive || s.step != Step::none) return {};
  s.step = Step::asked;
  enter(s, SlotState::draining, now);
  s.due = now + policy_.drain_timeout + policy_.drain_grace;
  s.has_due = true;
  Actions out;
  if (!stopping_) hurry_paced(now, out);
  return out;
}

Actions Supervisor::exited(std::uint32_t slot, std::string_view how, std::optional<int> code,
                           Instant now) {
  Actions out;
  Slot& s = slots_[slot];
  if (!s.alive) return out;
  s.alive = false;
  s.has_due = false;
  s.step = Step::none;
  enter(s, SlotState::stopped, now);
  if (!stopping_ && !s.was_ready && code == kConfig && s.fault.empty()) {
    s.fault = fmt::format("worker {} {}", slot + 1, how);
  }
  if (stopping_) {
    check_finished(out);
  } else if (!s.fault.empty()) {
    s.state = SlotState::failed;
    check_give_up(now, out);
    if (!stopping_) check_ready_all(out);
  } else {
    if (!s.was_ready) last_end_ = fmt::format("worker {} {} before it was ready", slot + 1, how);
    plan_restart(slot, now, out);
    check_give_up(now, out);
  }
  if (!stopping_) hurry_paced(now, out);
  return out;
}

void Supervisor::plan_restart(std::uint32_t slot, Instant now, Actions& out) {
  Slot& s = slots_[slot];
  if (!s.was_ready) {
    back_off(s, now);
    return;
  }
  s.deaths.push_back(now);
  while (s.deaths.front() + policy_.intensity_window <= now ||
         s.deaths.size() > policy_.intensity + 1) {
    s.deaths.pop_front();
  }
  if (s.deaths.size() <= policy_.intensity) {
    spawn(slot, now, out);
    return;
  }
  // exited() hurries it when the service is in need.
  wait_until(s, std::max(now, s.last_start + policy_.paced_interval), true);
  if (s.due <= now) spawn(slot, now, out);
}

void Supervisor::wait_until(Slot& slot, Instant due, bool paced) {
  slot.state = SlotState::waiting;
  slot.due = due;
  slot.has_due = true;
  slot.paced = paced;
}

// 100 ms doubled each time, times 0.8 to 1.2 but never beyond the bounds: the eleventh start comes
// more than a minute after the first.
void Supervisor::back_off(Slot& slot, Instant now) {
  auto delay = policy_.first_backoff;
  for (std::uint32_t i = 0; i < slot.early_deaths && delay < policy_.longest_backoff; ++i)
    delay *= 2;
  delay = std::min(delay, policy_.longest_backoff);
  ++slot.early_deaths;
  auto jittered = std::chrono::duration<double, std::milli>(delay) * (0.8 + 0.4 * random_());
  auto within = std::clamp(std::chrono::duration_cast<Millis>(jittered), policy_.first_backoff,
                           policy_.longest_backoff);
  wait_until(slot, now + within, false);
}

// A slot that waits its turn at the pace of a healthy service is wanted sooner when the service is
// not.
void Supervisor::hurry_paced(Instant now, Actions& out) {
  if (!fewer_than_half_ready()) return;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    Slot& s = slots_[i];
    if (s.state != SlotState::waiting || !s.paced) continue;
    s.due = std::min(s.due, std::max(now, s.last_start + policy_.urgent_interval));
    if (s.due <= now) spawn(i, now, out);
  }
}

Actions Supervisor::heartbeat(std::uint32_t slot, Millis age, Instant now) {
  Actions out;
  Slot& s = slots_[slot];
  if (!s.alive || now < grace_until_) return out;
  if (s.state == SlotState::draining && s.step == Step::asked && age >= policy_.hang_timeout) {
    escalate(slot, SIGABRT, now, out);  // it will not drain any more
    return out;
  }
  if (stopping_ || s.step != Step::none) return out;
  if (s.state == SlotState::suspect && age <= policy_.suspect_after) {
    enter(s, SlotState::ready, now);
    out.push_back({Kind::recovered, slot, 0, {}});
  } else if (s.state == SlotState::ready && age > policy_.suspect_after) {
    enter(s, SlotState::suspect, now);
    out.push_back({Kind::suspect, slot, 0, {}});
    hurry_paced(now, out);
  }
  if (s.state == SlotState::suspect && age >= policy_.hang_timeout)
    escalate(slot, SIGABRT, now, out);
  return out;
}

Actions Supervisor::tick(Instant now) {
  Actions out;
  if (last_tick_ && now - *last_tick_ > policy_.stall) shift_deadlines(now, now - *last_tick_);
  last_tick_ = now;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].has_due && slots_[i].due <= now) on_due(i, now, out);
  }
  check_give_up(now, out);
  return out;
}

// The machine was suspended, or we were stopped: our workers had no more time than we had.
void Supervisor::shift_deadlines(Instant now, Instant::duration gap) {
  grace_until_ = now + policy_.stall_grace;
  for (Slot& s : slots_) {
    if (s.alive && s.has_due) s.due += gap;
  }
  if (none_ready_since_) *none_ready_since_ = std::min(now, *none_ready_since_ + gap);
}

void Supervisor::on_due(std::uint32_t slot, Instant now, Actions& out) {
  Slot& s = slots_[slot];
  if (!s.alive) {
    if (s.state == SlotState::waiting && !stopping_) spawn(slot, now, out);
    return;
  }
  switch (s.step) {
    case Step::none:
      escalate(slot, SIGABRT, now, out);
      break;  // late at starting
    case Step::asked:
      escalate(slot, SIGTERM, now, out);
      break;
    case Step::term:
    case Step::abort:
    case Step::kill:
      escalate(slot, SIGKILL, now, out);
      break;
  }
}

void Supervisor::enter(Slot& slot, SlotState state, Instant now) {
  // The last moment at which a worker was ready.
  if (slot.state == SlotState::ready || state == SlotState::ready) none_ready_since_ = now;
  slot.state = state;
}

void Supervisor::check_ready_all(Actions& out) {
  auto able = slots_.size() - count(SlotState::failed);
  if (announced_ || stopping_ || able == 0 || count(SlotState::ready) < able) return;
  announced_ = true;
  out.push_back({Kind::ready_all, 0, 0, {}});
}

bool Supervisor::fewer_than_half_ready() const noexcept {
  return count(SlotState::ready) * 2 < slots_.size();
}

std::uint32_t Supervisor::count(SlotState state) const noexcept {
  return static_cast<std::uint32_t>(std::ranges::count(slots_, state, &Slot::state));
}

std::optional<Instant> Supervisor::next_deadline() const {
  std::optional<Instant> next;
  auto consider = [&next](Instant t) { next = next ? std::min(*next, t) : t; };
  for (const Slot& s : slots_) {
    if (s.has_due) consider(s.due);
  }
  if (!stopping_ && none_ready_since_ && count(SlotState::ready) + count(SlotState::suspect) == 0) {
    // What has passed is not waited for: then deaths and the slots' own deadlines decide.
    for (int term = 1; term <= 2; ++term) {
      auto end = *none_ready_since_ + term * policy_.give_up_after;
      if (!last_tick_ || *last_tick_ < end) {
        consider(end);
        break;
      }
    }
  }
  return next;
}

Supervisor::SlotView Supervisor::slot(std::uint32_t index) const {
  const Slot& s = slots_[index];
  SlotView view{s.state, s.alive, s.early_deaths + 1, std::nullopt};
  if (s.state == SlotState::waiting) view.restart_at = s.due;
  return view;
}

}  // namespace pronghorn::master
