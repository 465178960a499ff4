// SPDX-License-Identifier: Apache-2.0
// A child process with a channel: what Node's child_process.fork gives. The rest of child_process
// (spawn, exec, execFile, streams) grows on this.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/channel.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::process {

/// How a process ended: exactly one is set.
struct Exit {
  std::optional<int> code;
  std::optional<int> signal;
};

struct ForkOptions {
  std::string exec_path;          ///< started as is
  std::vector<std::string> args;  ///< argv, argv[0] included
  std::vector<std::string>
      env;  ///< "KEY=value" added to (or replacing in) this process's environment
  std::vector<std::string> unset;  ///< names removed from it
  std::vector<int>
      descriptors;        ///< inherited as 4, 5 … in the child; 0-2 are inherited, 3 is the channel
  bool detached = false;  ///< a session and process group of its own
  ipc::Channel::Limits channel_limits;
};

class ChildProcess {
 public:
  struct Handlers {
    ipc::Channel::Handlers channel;
    /// After the child was reaped; the channel may end before or after it.
    std::move_only_function<void(const Exit&)> on_exit;
  };
  /// Starts the program with NODE_CHANNEL_FD=3 and NODE_CHANNEL_SERIALIZATION_MODE=json. The child
  /// gets no other descriptor: all of ours from 3 on are made close-on-exec. Callbacks come from
  /// the loop only, and each may destroy the ChildProcess. @errors socketpair, fork, exec
  static Result<ChildProcess> fork(Loop& loop, const ForkOptions& options, Handlers handlers);
  /// Closes the channel; does not end the child, which is still reaped.
  ~ChildProcess();
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;

  int pid() const noexcept;
  /// Through a pidfd. @returns false when it is already reaped
  bool kill(int signum) noexcept;
  bool is_running() const noexcept;
  ipc::Channel& channel() noexcept;

 private:
  struct Impl;
  explicit ChildProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::process
