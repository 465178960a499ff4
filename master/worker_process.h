// SPDX-License-Identifier: Apache-2.0
// One worker's process as the master sees it: started, spoken to in Node's cluster messages,
// signalled. Owned by Master, one per slot and life; says what happened through Events.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/process/child_process.h>

#include "base/uv/timer.h"
#include "master/listener.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::master {

/// What is the same for all workers. Borrowed descriptors: they stay open as long as the master.
struct WorkerImage {
  std::string exec_path =
      "/proc/self/exe";  // a binary that was replaced or deleted on disk still starts
  std::vector<std::string> argv;
  std::string config_path;  ///< of the file that was read, which is never served; empty: none
  int config_fd = -1;
  int scoreboard_fd = -1;
  int access_log_fd = -1;
  int root_fd = -1;
  std::vector<int> doorbells;
};

class WorkerProcess {
 public:
  /// None of them destroys the WorkerProcess at once: Master defers that.
  struct Events {
    std::function<void()> on_ready;  ///< listens on all listeners
    std::function<void(const std::string& why)>
        on_fault;  ///< says that its configuration cannot work
    std::function<void(const std::string& why)> on_broken;  ///< broke the protocol
    std::function<void()> on_disconnect;                    ///< the channel has ended
    std::function<void(const process::Exit&)> on_exit;
  };

  /// `unique_id` is Node's NODE_UNIQUE_ID: counts up over all workers of this master.
  static Result<std::unique_ptr<WorkerProcess>> start(Loop& loop, const WorkerImage& image,
                                                      std::uint32_t slot, std::uint64_t generation,
                                                      std::uint64_t unique_id,
                                                      const std::vector<Listener>& listeners,
                                                      Events events);

  int pid() const noexcept { return child_->pid().value(); }
  bool kill(int signum) { return child_->kill(signum).value_or(false); }
  /// "Say Connection: close from now on, and go on accepting."
  void announce_drain();
  /// Node's disconnect: take what is queued, close the listeners, finish, leave.
  void disconnect();

 private:
  WorkerProcess(Loop& loop, const std::vector<Listener>& listeners, Events events);
  void listen();
  void on_internal(const ipc::Json& message);
  void on_cluster(const ipc::ClusterMessage& message);
  void answer_query(const ipc::ClusterMessage& query);
  void note_listening(const ipc::ClusterMessage& message);
  Result<bool> send(const ipc::InternalMessage& message, const ipc::Handle* handle = nullptr);
  void on_error(const Error& error);
  void on_disconnect();
  void on_exit(const process::Exit& exit);
  void report_exit();
  bool is_flood();
  void send_failed(const Error& error);
  void broke(const std::string& why);

  // More messages than this in one second are no worker's business: it says some ten in its life.
  static constexpr std::uint32_t kMaxMessagesPerSecond = 1000;

  const std::vector<Listener>& listeners_;
  Events events_;
  std::optional<process::ChildProcess> child_;
  std::vector<bool> listening_;
  std::int64_t next_seq_ = 0;
  std::int64_t second_ = 0;
  std::uint32_t messages_ = 0;
  bool ready_ = false;
  bool leaving_ = false;
  bool broken_ = false;
  bool faulted_ = false;
  bool reported_ = false;
  std::optional<process::Exit> exit_;
  uv::Timer exit_timer_;  // waits for the last words
};

}  // namespace pronghorn::master
