// SPDX-License-Identifier: Apache-2.0
// The parts of Master; only master.cpp and the other master_*.cpp include this.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include "base/uv/signal.h"
#include "base/uv/timer.h"
#include "ipc/client_memory.h"
#include "ipc/scoreboard.h"
#include "master/cluster/primary.h"
#include "master/control_server.h"
#include "master/line_output.h"
#include "master/listener.h"
#include "master/log_drops.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/status_collector.h"
#include "master/supervisor.h"
#include "master/worker_process.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::master {

struct Master::Impl {
  Impl(Loop& event_loop, Options&& values);

  // master.cpp: start and the turn of events.
  std::expected<void, StartFailure> start();
  std::expected<void, StartFailure> prepare_image();
  std::expected<void, StartFailure> open_control();
  void watch_signals();
  void perform(Actions actions);
  void perform_one(const Action& action);
  std::expected<void, StartFailure> open_primary();
  void sync();
  void on_tick();
  ServerStatus blank_status() const;
  void answer(std::string_view command, const ControlServer::Reply& reply);
  std::string status_line() const;

  // master_workers.cpp: their processes, from the start to the last word.
  void make_images();
  const WorkerImage& image_of(std::uint32_t slot) const { return images[group_of_slot[slot]]; }
  /// For people: "worker 3", "worker 4 (api)".
  std::string name_of(std::uint32_t slot) const;
  void spawn(std::uint32_t slot);
  WorkerProcess::Events events(std::uint32_t slot, Primary::Id id);
  bool is_current(std::uint32_t slot, Primary::Id id) const;
  void on_listening(Primary::Id id, const Address& address);
  void on_worker_close(Primary::Id id);
  void bury();

  // master_events.cpp: what happens to workers.
  void on_worker_ready(std::uint32_t slot);
  void on_worker_broken(std::uint32_t slot, const std::string& why);
  void on_worker_exit(std::uint32_t slot, const process::Exit& exit);
  void log_exit(std::uint32_t slot, int pid, const std::string& how, const process::Exit& exit);
  void kill(std::uint32_t slot, int signum);
  void note_suspect(std::uint32_t slot, bool suspect);
  void announce_ready();

  // master_log.cpp: the access log.
  void reopen_log(AccessLogKeeper::Done done);
  void say_reopened(const ReopenOutcome& outcome);
  void look_at_log();
  AccessLogStatus access_log_status() const;

  // master_stop.cpp: stopping without loss.
  void on_signal(int signum);
  void stop(StopMode mode);
  void drain(std::uint32_t slot);
  void drain_queues();
  void close_listeners();
  void free_addresses();
  void note_give_up(const Action& action);
  void finish();
  void end_when_silent();
  void end();

  struct Running {
    std::unique_ptr<WorkerProcess> process;
    Primary::Id id = 0;         // Node's unique id; tells a slot's lives apart
    std::string kill_reason;    // why we ended it; empty: we did not
    bool starts_again = false;  // a life after the slot's first
  };

  struct Dead {
    std::unique_ptr<WorkerProcess> process;
    bool closed = false;  // nothing comes from it any more
  };

  Loop& loop;
  Options options;
  std::int64_t started_ms = 0;
  std::uint64_t generation = 1;
  Primary::Id next_unique_id = 1;
  std::string oom_score_before;

  std::vector<Listener> listeners;
  std::optional<ipc::Scoreboard> board;
  std::optional<ipc::ClientMemory> clients;  // where a limit goes by the client
  UniqueFd config_file;
  std::vector<UniqueFd> doorbells;
  std::vector<WorkerImage> images;  // one a group
  std::vector<std::size_t> group_of_slot;
  std::vector<std::string> program_addresses;  // what they listen on besides, the first of them
  LineOutput out;
  LineOutput err;
  std::optional<Primary> primary;
  std::optional<WorkerProcess::Shared> shared;
  Supervisor supervisor;
  std::optional<StatusCollector> collector;
  std::optional<ControlServer> control;
  Notify notify;
  AccessLogKeeper access_log;
  LogDrops log_drops;
  std::string reopen_fault;  // that was said already

  std::vector<Running> running;
  std::deque<Dead> dead;  // until their output has ended
  std::deque<Action> actions;
  bool performing = false;

  uv::Timer deadline;     // the supervisor's next one
  uv::Timer ticker;       // heartbeats are looked at
  uv::Timer close_delay;  // between the filter, the look at the queues, and the closing
  uv::Timer burial;       // of the dead that are closed
  uv::Timer last_words;   // how long the end waits for what workers still have to say
  unsigned ticks = 0;
  std::vector<uv::Signal> signals;

  int exit_code = 0;
  int last_stop_signal = 0;
  bool had_terminal = false;  // for our log, at the start
  std::uint64_t requests_cut = 0;
  Millis drain_patience{0};  // with the queues, from the first look at them
  bool listeners_closed = false;
  bool draining_queues = false;
  bool finished = false;  // no process is left
  bool ended = false;
};

}  // namespace pronghorn::master
