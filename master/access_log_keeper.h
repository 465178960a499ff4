// SPDX-License-Identifier: Apache-2.0
// The access log's file as the master keeps it: open for the workers to inherit, and opened anew
// when it is asked for or the file was moved. The new one is open before anybody lets go of the
// old, and who does not confirm in time is named. Owned by Master.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>

#include "base/uv/timer.h"
#include "master/cluster/primary.h"
#include "master/reopen_outcome.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace pronghorn::master {

/// What the master is given of the access log.
struct AccessLogFile {
  std::string path;  ///< for people: also "-" for standard error, "off" or empty
  UniqueFd fd;       ///< empty: there is none
  /// Opens the path again. Empty: there is nothing to open (standard error).
  std::function<Result<UniqueFd>()> open;
};

class AccessLogKeeper {
 public:
  /// A worker that writes to it.
  struct Writer {
    std::uint32_t slot = 0;
    int pid = 0;
    Primary::Id id = 0;
    /// Sends it the new file; it confirms with `number`. May be called until left(). @errors its
    /// channel has ended
    std::function<Result<void>(int fd, std::uint32_t number)> tell;
  };
  using Done = std::function<void(const ReopenOutcome&)>;

  /// How long workers may take to confirm.
  static constexpr Millis kPatience{5'000};

  AccessLogKeeper(Loop& loop, AccessLogFile file, Millis patience = kPatience);

  int fd() const noexcept { return file_.fd.get(); }
  const std::string& path() const noexcept { return file_.path; }
  bool can_reopen() const noexcept { return file_.fd && file_.open; }

  /// The path names another file by now, or none. One stat(2); never for what is no regular file.
  bool is_moved() const noexcept;
  /// Opens the file anew; `switched` is called when that went well, before any worker is told, so
  /// that those who start from then on inherit it. `done` comes at once where there is nobody to
  /// wait for, else when all have confirmed or its own time is over, whoever asks besides. A
  /// further call takes over from one that still waits. Who has not confirmed the file that it was
  /// sent gets the latest when it has: a worker that stands still holds up one file, not as many as
  /// there were signals.
  void reopen(const std::function<void()>& switched, std::vector<Writer> writers, Done done);
  /// A worker writes to the new file; `error`: it could not take it.
  void confirmed(Primary::Id id, std::uint32_t number, const std::string& error);
  /// A worker has ended: its successor inherits the new file.
  void left(Primary::Id id);

 private:
  struct Sent {
    Writer to;
    std::uint32_t number = 0;
    bool is_outdated = false;  // there is a later file
  };
  void remember_file() noexcept;
  std::string tell(Writer to);
  ReopenOutcome::Worker* waits_for(Primary::Id id);
  void finish_if_complete();
  void finish_late();

  AccessLogFile file_;
  bool is_regular_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;

  Millis patience_;
  std::uint32_t number_ = 0;  // of the latest reopening
  std::int64_t begun_ms_ = 0;
  ReopenOutcome outcome_;
  std::vector<Primary::Id> ids_;  // of outcome_.workers
  std::vector<Sent> sent_;        // files that are not confirmed
  struct Waiting {
    Done done;
    std::int64_t until_ms = 0;
  };
  std::deque<Waiting> waiting_;  // those who asked first; empty: nothing is going on
  uv::Timer deadline_;
};

}  // namespace pronghorn::master
