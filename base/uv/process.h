// SPDX-License-Identifier: Apache-2.0
// One child process: started and reaped by uv_spawn, signalled through a pidfd only. It begins with
// the default action of each signal, an empty signal mask and no descriptors but those it was
// given.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::uv {

class Process {
 public:
  struct Options {
    std::string file;               ///< searched on the child's PATH when it has no '/'
    std::vector<std::string> args;  ///< argv, argv[0] included
    std::optional<std::vector<std::string>> env;  ///< "KEY=value" each; replaces; none: inherited
    std::string cwd;                              ///< empty: inherited
    /// Descriptor n of the child is descriptors[n] of ours; -1: /dev/null for 0-2, closed above.
    std::vector<int> descriptors = {0, 1, 2};
    bool detached = false;  ///< setsid(2)
  };
  /// Called once, after the child was reaped: exactly one of code (>= 0) and signal (> 0) is set.
  using OnExit = std::move_only_function<void(int code, int signal)>;

  /// Marks every descriptor of ours above 2 close-on-exec, also those that we were started with.
  /// @errors the errno of fork or exec (ENOENT, EACCES, EAGAIN …)
  static Result<Process> spawn(Loop& loop, const Options& options, OnExit on_exit);
  /// Does not end the child; it is still reaped while the loop runs.
  ~Process();
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;

  int pid() const noexcept;
  /// Sends a signal through the pidfd: never hits a stranger that got the number again.
  /// @returns false when the child is already reaped
  bool kill(int signum) noexcept;
  void unref() noexcept;

 private:
  struct Impl;
  struct Close {
    void operator()(Impl*) const noexcept;
  };
  explicit Process(std::unique_ptr<Impl, Close> impl);
  std::unique_ptr<Impl, Close> impl_;
};

}  // namespace pronghorn::uv
