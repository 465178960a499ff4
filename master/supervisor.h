// SPDX-License-Identifier: Apache-2.0
// When a worker is started, replaced, watched, ended and given up. A pure value: (event, now) ->
// actions; no clock, no process, no libuv. Master performs the actions and reports what came of
// them.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/ipc/scoreboard.h>

#include <csignal>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::master {

using ipc::SlotState;

struct SupervisorPolicy {
  std::uint32_t slots = 1;
  Millis first_backoff{100};  ///< after the first death before ready; doubles, with 20 % jitter
  Millis longest_backoff{30'000};
  std::uint32_t intensity = 10;     ///< deaths after ready that are answered at once …
  Millis intensity_window{60'000};  ///< … in this time, per slot
  Millis paced_interval{500};       ///< between two starts of a slot beyond the intensity
  Millis urgent_interval{50};       ///< the same while fewer than half of the slots are ready
  Millis start_timeout{30'000};     ///< from exec to ready
  Millis suspect_after{1'000};      ///< age of a heartbeat that makes a worker suspect
  Millis hang_timeout{10'000};      ///< age of a heartbeat that ends a worker
  Millis abort_grace{2'000};        ///< from SIGABRT to SIGKILL
  Millis drain_timeout{30'000};
  Millis drain_grace{250};     ///< a worker ends its own drain at drain_timeout; then we do
  Millis fast_timeout{1'000};  ///< the drain's deadline of a fast stop
  Millis term_grace{200};      ///< from SIGTERM to SIGKILL
  /// From the end of its channel to SIGTERM, when it was asked to leave: then all is served, and
  /// what keeps it (a timer, a database) is no reason to wait for drain_timeout.
  Millis leave_grace{2'000};
  Millis kill_again{5'000};  ///< SIGKILL is repeated: a process in the kernel's hands may be late
  Millis give_up_after{50'000};  ///< without any ready worker …
  std::uint32_t give_up_deaths =
      3;                      ///< … when each slot died so often in a row before it was ready
  Millis stall{1'000};        ///< a gap between two ticks that means: we were stopped, not they
  Millis stall_grace{2'000};  ///< heartbeats are not judged for so long afterwards
};

/// What Master has to do, in order.
struct Action {
  enum class Kind : std::uint8_t {
    spawn,      ///< start a process in `slot`; answer with spawned() or spawn_failed()
    drain,      ///< ask `slot` to finish and leave
    kill,       ///< send `number` to `slot`
    suspect,    ///< `slot` does not answer: note it
    recovered,  ///< `slot` answers again
    ready_all,  ///< every worker listens, for the first time
    give_up,    ///< `text` is why, `number` the exit code; finished follows when no process is left
    finished,   ///< no process is left and none will be started
  };
  Kind kind;
  std::uint32_t slot = 0;
  int number = 0;
  std::string text;
  bool operator==(const Action&) const = default;
};
using Actions = std::vector<Action>;

enum class StopMode : std::uint8_t { drain, fast, now };

class Supervisor {
 public:
  /// `random` yields numbers in [0, 1), for the jitter.
  Supervisor(SupervisorPolicy policy, std::move_only_function<double()> random);

  Actions start(Instant now);
  Actions spawned(std::uint32_t slot, Instant now);
  /// `why` becomes the reason if nothing ever starts.
  Actions spawn_failed(std::uint32_t slot, std::string_view why, Instant now);
  Actions ready(std::uint32_t slot, Instant now);
  /// The worker reported that its configuration cannot work: it is not tried again.
  Actions fault(std::uint32_t slot, std::string_view why, Instant now);
  /// The worker broke the channel's protocol: it is killed and replaced.
  Actions broken(std::uint32_t slot, Instant now);
  /// The channel ended while the process lives: the worker is leaving.
  Actions disconnected(std::uint32_t slot, Instant now);
  /// The process was reaped. `how` is its end in words, `code` its exit code if it had one.
  Actions exited(std::uint32_t slot, std::string_view how, std::optional<int> code, Instant now);
  /// How old the heartbeat of a slot is; only slots that tick are reported.
  Actions heartbeat(std::uint32_t slot, Millis age, Instant now);
  /// A second stop is at least as strict as the first.
  Actions stop(StopMode mode, Instant now);
  /// To be called when next_deadline() has come, and at least every `stall` / 2.
  Actions tick(Instant now);

  std::optional<Instant> next_deadline() const;

  struct SlotView {
    SlotState state = SlotState::empty;
    bool has_process = false;
    std::uint32_t attempt = 0;          ///< starts since it was last ready, the next one included
    std::optional<Instant> restart_at;  ///< of a waiting slot
  };
  SlotView slot(std::uint32_t index) const;
  std::uint32_t size() const noexcept { return policy_.slots; }
  std::uint32_t count(SlotState state) const noexcept;
  bool is_stopping() const noexcept { return stopping_; }
  const SupervisorPolicy& policy() const noexcept { return policy_; }

 private:
  enum class Step : std::uint8_t { none, asked, term, abort, kill };  // how far ending it has gone
  struct Slot {
    SlotState state = SlotState::empty;
    bool alive = false;
    bool was_ready = false;
    bool paced = false;  // waits because of the intensity, not because of the back-off
    Step step = Step::none;
    std::uint32_t early_deaths = 0;  // in a row, before ready
    Instant last_start{};
    Instant due{};  // of a waiting slot: the start; of a live one: the deadline
    bool has_due = false;
    std::string fault;
    std::deque<Instant> deaths;  // after ready, within the window
  };

  void spawn(std::uint32_t slot, Instant now, Actions& out);
  void escalate(std::uint32_t slot, int signum, Instant now, Actions& out);
  void ask_to_leave(std::uint32_t slot, Instant deadline, Instant now, Actions& out);
  void plan_restart(std::uint32_t slot, Instant now, Actions& out);
  void wait_until(Slot& slot, Instant due, bool paced);
  void back_off(Slot& slot, Instant now);
  void hurry_paced(Instant now, Actions& out);
  void on_due(std::uint32_t slot, Instant now, Actions& out);
  void shift_deadlines(Instant now, Instant::duration gap);
  void enter(Slot& slot, SlotState state, Instant now);
  void check_give_up(Instant now, Actions& out);
  void give_up(int code, std::string text, Instant now, Actions& out);
  void check_ready_all(Actions& out);
  void check_finished(Actions& out);
  bool fewer_than_half_ready() const noexcept;
  bool is_hopeless(const Slot& slot) const noexcept;

  SupervisorPolicy policy_;
  std::move_only_function<double()> random_;
  std::vector<Slot> slots_;
  bool stopping_ = false;
  bool finished_ = false;
  bool announced_ = false;  // ready_all was said
  bool ever_ready_ = false;
  std::optional<Instant> none_ready_since_;
  std::optional<Instant> last_tick_;
  Instant grace_until_{};
  std::string last_end_;  // the newest early death, in words
};

}  // namespace pronghorn::master
