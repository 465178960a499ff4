// SPDX-License-Identifier: Apache-2.0
// The access log among the master's duties: opened anew, and watched for lines that are lost.
#include <pronghorn/base/log.h>
#include <pronghorn/base/text.h>

#include "master/master_impl.h"
#include "master/slot_record.h"
#include "master/stop_text.h"

#include <fmt/format.h>

#include <utility>

namespace pronghorn::master {
namespace {

std::string why_text(int error) {
  return error == 0 ? std::string("it takes no more") : errno_text(error);
}

}  // namespace

void Master::Impl::reopen_log(AccessLogKeeper::Done done) {
  std::vector<AccessLogKeeper::Writer> writers;
  for (std::uint32_t slot = 0; slot < running.size(); ++slot) {
    WorkerProcess* process = running[slot].process.get();
    if (process == nullptr || image_of(slot).is_program()) continue;
    writers.push_back({.slot = slot,
                       .pid = process->pid(),
                       .id = running[slot].id,
                       .tell = [process](int fd, std::uint32_t number) {
                         return process->give_log(fd, number);
                       }});
  }
  access_log.reopen(
      [this] {
        for (auto& image : images) {
          if (!image.is_program()) image.access_log_fd = access_log.fd();
        }
      },
      std::move(writers), std::move(done));
}

void Master::Impl::say_reopened(const ReopenOutcome& outcome) {
  const std::string path = escape_control(outcome.path);
  if (path.empty()) {
    log::info("nothing to reopen", {}, "there is no access log to open anew");
    return;
  }
  if (!outcome.error.empty()) {
    // Looked at each second until the file is there again: said once.
    if (std::exchange(reopen_fault, outcome.error) == outcome.error) return;
    log::error(
        "access log not reopened", {{"path", path}, {"why", outcome.error}},
        fmt::format("{}; the one that is open is still written to", escape_control(outcome.error)));
    return;
  }
  reopen_fault.clear();
  for (const auto& worker : outcome.workers) {
    if (worker.ms >= 0) continue;
    log::warn("access log not taken",
              {{"slot", worker.slot}, {"pid", worker.pid}, {"why", worker.error}},
              fmt::format("{} has not confirmed that it writes to the new access log{}{}",
                          name_of(worker.slot - 1), worker.error.empty() ? "" : ": ",
                          escape_control(worker.error)));
  }
  log::info("access log reopened", {{"path", path}, {"workers", outcome.confirmed()}},
            fmt::format("the access log {} is open anew", path));
}

// Once a second.
void Master::Impl::look_at_log() {
  if (access_log.fd() < 0) return;
  if (access_log.is_moved()) {
    reopen_log([this](const ReopenOutcome& outcome) { say_reopened(outcome); });
  }
  const LogTotals sums = log_totals(*board);
  switch (log_drops.look(sums.lines, sums.dropped)) {
    case LogDrops::Change::begun:
      log::warn("access log lines dropped",
                {{"path", access_log.path()}, {"why", why_text(sums.error)}},
                fmt::format("lines of the access log {} are lost: {}",
                            escape_control(access_log.path()), why_text(sums.error)));
      break;
    case LogDrops::Change::ended:
      log::notice("access log written again",
                  {{"path", access_log.path()}, {"dropped", log_drops.lost()}},
                  fmt::format("the access log {} is written again; {} lines were lost",
                              escape_control(access_log.path()), with_commas(log_drops.lost())));
      break;
    case LogDrops::Change::none:
      break;
  }
}

AccessLogStatus Master::Impl::access_log_status() const {
  const LogTotals sums = log_totals(*board);
  return {.path = access_log.fd() < 0 ? std::string() : access_log.path(),
          .lines = sums.lines,
          .dropped = sums.dropped,
          .is_losing = log_drops.is_losing(),
          .error = sums.error == 0 ? std::string() : errno_text(sums.error)};
}

}  // namespace pronghorn::master
