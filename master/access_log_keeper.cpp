// SPDX-License-Identifier: Apache-2.0
#include "master/access_log_keeper.h"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <utility>

namespace pronghorn::master {

std::size_t ReopenOutcome::confirmed() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(workers, [](const Worker& each) { return each.ms >= 0; }));
}

AccessLogKeeper::AccessLogKeeper(Loop& loop, AccessLogFile file, Millis patience)
    : file_(std::move(file)), patience_(patience), deadline_(loop, [this] { finish_late(); }) {
  remember_file();
}

void AccessLogKeeper::remember_file() noexcept {
  struct stat info{};
  is_regular_ = file_.fd && ::fstat(file_.fd.get(), &info) == 0 && S_ISREG(info.st_mode);
  device_ = info.st_dev;
  inode_ = info.st_ino;
}

bool AccessLogKeeper::is_moved() const noexcept {
  if (!is_regular_ || !can_reopen()) return false;
  struct stat info{};
  if (::stat(file_.path.c_str(), &info) == 0) {
    return info.st_dev != device_ || info.st_ino != inode_;
  }
  // Anything else (a file system that is away for a moment) says nothing about the file.
  return errno == ENOENT;
}

void AccessLogKeeper::reopen(const std::function<void()>& switched, std::vector<Writer> writers,
                             Done done) {
  if (!can_reopen()) return done({});
  auto opened = file_.open();
  if (!opened) {
    ReopenOutcome failed{.path = file_.path, .error = opened.error().message(), .workers = {}};
    return done(failed);
  }
  file_.fd = std::move(*opened);
  remember_file();
  switched();

  ++number_;
  begun_ms_ = monotonic_ms();
  outcome_ = {.path = file_.path, .error = {}, .workers = {}};
  ids_.clear();
  waiting_.push_back({std::move(done), begun_ms_ + patience_.count()});
  for (Writer& writer : writers) {
    outcome_.workers.push_back({.slot = writer.slot + 1, .pid = writer.pid, .ms = -1, .error = {}});
    ids_.push_back(writer.id);
    auto before = std::ranges::find(sent_, writer.id, [](const Sent& each) { return each.to.id; });
    if (before != sent_.end()) {
      before->is_outdated = true;
    } else {
      outcome_.workers.back().error = tell(std::move(writer));
    }
  }
  if (waiting_.size() == 1) deadline_.start(patience_);
  finish_if_complete();
}

/// @returns what is wrong, or nothing
std::string AccessLogKeeper::tell(Writer to) {
  if (auto told = to.tell(file_.fd.get(), number_); !told) return told.error().message();
  sent_.push_back({.to = std::move(to), .number = number_});
  return {};
}

ReopenOutcome::Worker* AccessLogKeeper::waits_for(Primary::Id id) {
  if (waiting_.empty()) return nullptr;
  auto found = std::ranges::find(ids_, id);
  if (found == ids_.end()) return nullptr;
  auto& worker = outcome_.workers[static_cast<std::size_t>(found - ids_.begin())];
  return worker.ms < 0 && worker.error.empty() ? &worker : nullptr;
}

void AccessLogKeeper::confirmed(Primary::Id id, std::uint32_t number, const std::string& error) {
  auto sent = std::ranges::find(sent_, id, [](const Sent& each) { return each.to.id; });
  if (sent == sent_.end() || sent->number != number) return;
  Sent taken = std::move(*sent);
  sent_.erase(sent);
  std::string fault = error;
  if (taken.is_outdated) {
    fault = tell(std::move(taken.to));
    if (fault.empty()) return;
  }
  auto* worker = waits_for(id);
  if (worker == nullptr) return;
  worker->error = fault;
  if (fault.empty()) worker->ms = monotonic_ms() - begun_ms_;
  finish_if_complete();
}

void AccessLogKeeper::left(Primary::Id id) {
  std::erase_if(sent_, [id](const Sent& each) { return each.to.id == id; });
  auto found = std::ranges::find(ids_, id);
  if (waiting_.empty() || found == ids_.end()) return;
  outcome_.workers.erase(outcome_.workers.begin() + (found - ids_.begin()));
  ids_.erase(found);
  finish_if_complete();
}

void AccessLogKeeper::finish_if_complete() {
  const bool complete = std::ranges::all_of(
      outcome_.workers, [](const auto& worker) { return worker.ms >= 0 || !worker.error.empty(); });
  if (!complete) return;
  deadline_.stop();
  for (auto& each : std::exchange(waiting_, {})) each.done(outcome_);
}

/// Each who asked has waited as long as was said, and no longer because others asked again.
void AccessLogKeeper::finish_late() {
  const std::int64_t now = monotonic_ms();
  std::vector<Done> late;
  while (!waiting_.empty() && (late.empty() || waiting_.front().until_ms <= now)) {
    late.push_back(std::move(waiting_.front().done));
    waiting_.pop_front();
  }
  if (!waiting_.empty()) deadline_.start(Millis(waiting_.front().until_ms - now));
  const ReopenOutcome outcome = outcome_;
  for (auto& done : late) done(outcome);
}

}  // namespace pronghorn::master
