// SPDX-License-Identifier: Apache-2.0
// One worker's process as the master sees it: started, joined to the Primary, signalled; a
// program's output is passed on. Owned by Master, one per slot and life; says what happened through
// Events.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/process/child_process.h>

#include "base/uv/timer.h"
#include "master/cluster/primary.h"
#include "master/line_relay.h"
#include "master/worker_image.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pronghorn::master {

class WorkerProcess {
 public:
  /// None of them destroys the WorkerProcess at once: Master defers that.
  struct Events {
    /// Ours: listens on all listeners. A program: listens for the first time, or says "ready".
    std::function<void()> on_ready;
    std::function<void(const std::string& why)>
        on_fault;  ///< says that its configuration cannot work
    std::function<void(const std::string& why)> on_broken;  ///< broke the protocol
    /// Writes to the access log that give_log() sent; `error`: it does not, and why.
    std::function<void(std::uint32_t number, const std::string& error)> on_log_taken;
    std::function<void()> on_disconnect;  ///< the channel has ended
    std::function<void(const process::Exit&)> on_exit;
    /// After on_exit: its channel and its output have ended, too.
    std::function<void()> on_close;
  };
  /// What all workers of a master share; it outlives them.
  struct Shared {
    Loop& loop;
    Primary& primary;
    LineOutput& out;
    LineOutput& err;
    std::size_t listeners;  ///< that a worker of ours listens on
  };
  struct Identity {
    std::uint32_t slot = 0;
    std::uint64_t generation = 1;
    Primary::Id id = 0;  ///< Node's NODE_UNIQUE_ID
  };

  static Result<std::unique_ptr<WorkerProcess>> start(const Shared& shared,
                                                      const WorkerImage& image, const Identity& who,
                                                      Events events);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int pid() const noexcept { return child_->pid().value(); }
  Primary::Id id() const noexcept { return who_.id; }
  bool kill(int signum) { return child_->kill(signum).value_or(false); }
  /// It listens on one address more (Primary's event).
  void note_listening();
  /// "Say Connection: close from now on, and go on accepting." Programs know no such word.
  void announce_drain();
  /// "End what is in flight, write its lines, and leave": before a signal that ends it.
  void announce_cut();
  /// "Write the access log into this file from now on"; on_log_taken follows. Not for programs.
  /// @errors the channel has ended; no descriptors left
  Result<void> give_log(int fd, std::uint32_t number);
  /// Node's disconnect: take what is queued, close the servers, finish, leave.
  void disconnect();

 private:
  WorkerProcess(const Shared& shared, const WorkerImage& image, const Identity& who, Events events);
  void listen();
  void relay_output();
  void on_message(const ipc::Json& message);
  void on_internal(const ipc::Json& message);
  Result<bool> send(const ipc::InternalMessage& message, const ipc::Handle* handle);
  void on_error(const Error& error);
  void on_disconnect();
  void on_exit(const process::Exit& exit);
  void report_exit();
  void leave_primary();
  void become_ready();
  bool is_flood();
  void broke(const std::string& why);

  // More than this in one second is no worker's business, beyond an answer to each message that it
  // was sent (the master hands over thousands of connections a second): a worker of ours says some
  // ten in its life, and a program's protocol as few. A program's own messages are not counted.
  static constexpr std::uint32_t kMaxMessagesPerSecond = 1000;

  const Shared& shared_;
  const bool is_program_;
  const Identity who_;
  Events events_;
  std::optional<process::ChildProcess> child_;
  std::optional<LineRelay> out_;
  std::optional<LineRelay> err_;
  std::size_t listening_ = 0;
  std::int64_t second_ = 0;
  std::uint32_t messages_ = 0;
  std::uint64_t answers_due_ = 0;
  bool joined_ = false;
  bool ready_ = false;
  bool broken_ = false;
  bool faulted_ = false;
  bool reported_ = false;
  std::optional<process::Exit> exit_;
  uv::Timer exit_timer_;   // waits for the last words
  uv::Timer ready_timer_;  // has said "ready", and may listen yet
};

}  // namespace pronghorn::master
