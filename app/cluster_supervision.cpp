// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_supervision.h"

#include "app/exit_codes.h"
#include "config/cpus.h"
#include "master/exit_text.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

namespace pronghorn::app {
namespace {

using master::Action;

constexpr Millis kTick{250};  // at most half of SupervisorPolicy::stall
constexpr Millis kNever = std::chrono::hours(24 * 365);

master::SupervisorPolicy full_policy(const SupervisionPolicy& policy, Millis disconnect_timeout) {
  master::SupervisorPolicy full;
  full.slots = policy.workers != 0 ? policy.workers : config::available_cpus().count;
  full.first_backoff = policy.first_backoff;
  full.longest_backoff = policy.longest_backoff;
  full.intensity = policy.intensity;
  full.intensity_window = policy.intensity_window;
  full.start_timeout = policy.start_timeout;
  full.give_up_after = policy.give_up_after;
  full.drain_timeout = disconnect_timeout;
  full.hang_timeout = policy.hang_timeout.count() > 0 ? policy.hang_timeout : kNever;
  // It is suspected before it is ended, however short the time.
  full.suspect_after = std::min(full.suspect_after, full.hang_timeout / 2);
  return full;
}

}  // namespace

ClusterSupervision::ClusterSupervision(Loop& loop, const SupervisionPolicy& policy,
                                       Millis disconnect_timeout, Hooks hooks)
    : loop_(loop),
      on_give_up_(policy.on_give_up),
      hooks_(std::move(hooks)),
      supervisor_(full_policy(policy, disconnect_timeout),
                  [engine = std::minstd_rand(std::random_device{}())]() mutable {
                    return std::uniform_real_distribution<double>(0, 1)(engine);
                  }),
      ids_(supervisor_.size(), 0),
      deadline_(loop, [this] { perform(supervisor_.tick(Clock::now())); }),
      ticker_(loop, [this] { on_tick(); }) {
  ticker_.unref();  // the workers keep the loop running
}

void ClusterSupervision::start() {
  ticker_.start(kTick, kTick);
  perform(supervisor_.start(Clock::now()));
}
void ClusterSupervision::stop() {
  if (!over_) perform(supervisor_.stop(master::StopMode::drain, Clock::now()));
}
void ClusterSupervision::end() noexcept {
  over_ = true;
  deadline_.stop();
  ticker_.stop();
}

// First the gap since the last tick: whether old heartbeats are ours to blame.
void ClusterSupervision::on_tick() {
  auto keep = hooks_.keep();
  perform(supervisor_.tick(Clock::now()));
  for (std::uint32_t slot = 0; slot < supervisor_.size() && !over_; ++slot) {
    if (!supervisor_.slot(slot).has_process) continue;
    if (auto age = hooks_.heartbeat(ids_[slot])) {
      perform(supervisor_.heartbeat(slot, *age, Clock::now()));
    }
  }
}

// As in Master: an action's outcome is an event with actions of its own, which queue up in order.
void ClusterSupervision::perform(master::Actions more) {
  actions_.insert(actions_.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
  auto keep = hooks_.keep();
  if (std::exchange(performing_, true)) return;
  while (!actions_.empty() && !over_) {
    Action action = std::move(actions_.front());
    actions_.pop_front();
    perform_one(action);
  }
  performing_ = false;
  if (!over_) sync();
}

void ClusterSupervision::perform_one(const Action& action) {
  switch (action.kind) {
    case Action::Kind::spawn:
      return fork(action.slot);
    case Action::Kind::drain:
      return hooks_.disconnect(ids_[action.slot]);
    case Action::Kind::kill:
      return hooks_.kill(ids_[action.slot], action.number);
    case Action::Kind::give_up:
      return give_up(action);
    case Action::Kind::finished:
      return end();
    case Action::Kind::suspect:
      return hooks_.set_suspect(ids_[action.slot], true);
    case Action::Kind::recovered:
      return hooks_.set_suspect(ids_[action.slot], false);
    case Action::Kind::ready_all:
      return;
  }
}

void ClusterSupervision::fork(std::uint32_t slot) {
  ids_[slot] = hooks_.fork(
      {.on_listening = [this, slot] { perform(supervisor_.ready(slot, Clock::now())); },
       .on_channel_end = [this, slot] { perform(supervisor_.disconnected(slot, Clock::now())); },
       .on_end =
           [this, slot](const process::Exit& exit) {
             auto how = master::exit_text(exit.code.value_or(0), exit.signal.value_or(0), "");
             perform(supervisor_.exited(slot, how, exit.code, Clock::now()));
           }});
  perform(supervisor_.spawned(slot, Clock::now()));
}

void ClusterSupervision::give_up(const Action& action) {
  if (auto told = on_give_up_) return told(Error(action.text));
  loop_.set_exit_code(kSoftware);
  loop_.stop();
}

void ClusterSupervision::sync() {
  auto next = supervisor_.next_deadline();
  if (!next) return deadline_.stop();
  deadline_.start(std::max(std::chrono::ceil<Millis>(*next - Clock::now()), Millis(0)));
}

}  // namespace pronghorn::app
