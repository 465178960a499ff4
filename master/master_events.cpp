// SPDX-License-Identifier: Apache-2.0
// What happens to workers: started, ready, hung, dead. The sentences that people read are made
// here.
#include <pronghorn/base/log.h>
#include <pronghorn/base/text.h>

#include "master/exit_text.h"
#include "master/master_impl.h"
#include "master/process_setup.h"
#include "master/slot_record.h"

#include <fmt/format.h>

#include <csignal>
#include <unistd.h>
#include <utility>

namespace pronghorn::master {

std::string Master::Impl::name_of(std::uint32_t slot) const {
  const std::string& title = image_of(slot).title;
  return fmt::format("worker {}{}", slot + 1,
                     title.empty() ? "" : " (" + escape_control(title) + ")");
}

void Master::Impl::on_worker_ready(std::uint32_t slot) {
  auto took = monotonic_ms() - board->slot(slot).started_ms.load();
  auto level = running[slot].starts_again ? log::Level::info : log::Level::debug;
  log::write(level, "worker ready",
             {{"slot", slot + 1}, {"pid", running[slot].process->pid()}, {"ms", took}},
             fmt::format("{} is ready after {}", name_of(slot), format_duration(Millis(took))));
  perform(supervisor.ready(slot, Clock::now()));
}

void Master::Impl::on_worker_broken(std::uint32_t slot, const std::string& why) {
  running[slot].kill_reason = "broke the channel's protocol: " + escape_control(why);
  log::error("worker broke protocol", {{"slot", slot + 1}, {"error", why}},
             fmt::format("{} {}", name_of(slot), running[slot].kill_reason));
  perform(supervisor.broken(slot, Clock::now()));
}

void Master::Impl::note_suspect(std::uint32_t slot, bool suspect) {
  primary->set_suspect(running[slot].id, suspect);
  if (!suspect) {
    log::info("worker recovered", {{"slot", slot + 1}},
              fmt::format("{} answers again", name_of(slot)));
    return;
  }
  const auto& entry = board->slot(slot);
  auto age = monotonic_ms() - entry.heartbeat_ms.load();
  std::string request = escape_control(entry.counters.in_hand.text());
  log::warn("worker suspect",
            {{"slot", slot + 1}, {"request", request.empty() ? "-" : request}, {"ms", age}},
            fmt::format("{} has not answered for {}{}{}", name_of(slot),
                        format_duration(Millis(age)), request.empty() ? "" : " in ", request));
}

void Master::Impl::kill(std::uint32_t slot, int signum) {
  Running& worker = running[slot];
  if (!worker.process) return;
  const bool is_program = image_of(slot).is_program();
  if (signum == SIGABRT) {
    bool hung = supervisor.slot(slot).state != SlotState::starting;
    const auto& policy = supervisor.policy();
    worker.kill_reason =
        is_program ? fmt::format("neither listened nor sent \"ready\" within {}",
                                 format_duration(policy.start_timeout))
        : hung     ? fmt::format("no heartbeat for {}", format_duration(policy.hang_timeout))
                   : fmt::format("not ready after {}", format_duration(policy.start_timeout));
  }
  // A program's memory is nobody's clue to why it does not listen.
  if (is_program && signum == SIGABRT) {
    log::warn("worker not ready", {{"slot", slot + 1}, {"reason", worker.kill_reason}},
              fmt::format("{} {}: it is ended", name_of(slot), worker.kill_reason));
    signum = SIGTERM;
  }
  // Ours ignore it, and have until the next signal for the lines of what they cut.
  if (signum == SIGTERM) worker.process->announce_cut();
  log::debug("worker signalled", {{"slot", slot + 1}, {"signal", signal_name(signum)}});
  worker.process->kill(signum);
}

void Master::Impl::on_worker_exit(std::uint32_t slot, const process::Exit& exit) {
  Running& worker = running[slot];
  int pid = worker.process->pid();
  auto& entry = board->slot(slot);
  auto lost = record_exit(entry, exit);
  if (clients && slot < options.workers) clients->table().connections().clear(slot);
  if (supervisor.is_stopping()) requests_cut += lost;
  std::string how =
      exit_text(exit.code.value_or(0), exit.signal.value_or(0), entry.last_exit_request.text());
  if (!worker.kill_reason.empty()) how += " (" + worker.kill_reason + ")";
  access_log.left(worker.id);
  dead.push_back({std::move(worker.process)});
  auto next = supervisor.exited(slot, how, exit.code, Clock::now());
  log_exit(slot, pid, how, exit);
  perform(std::move(next));
}

void Master::Impl::log_exit(std::uint32_t slot, int pid, const std::string& how,
                            const process::Exit& exit) {
  if (supervisor.is_stopping()) {
    log::debug("worker left", {{"slot", slot + 1}, {"pid", pid}},
               fmt::format("{} {}", name_of(slot), how));
    return;
  }
  auto view = supervisor.slot(slot);
  std::string then = "not tried again";
  std::int64_t wait = 0;
  if (view.restart_at) {
    wait = std::max<std::int64_t>(
        0, std::chrono::ceil<Millis>(*view.restart_at - Clock::now()).count());
    then = fmt::format("restart in {} (attempt {})", format_duration(Millis(wait)), view.attempt);
  } else if (view.state == SlotState::starting) {
    then = "restart at once";
  }
  std::string sentence = fmt::format("{} {}; {}", name_of(slot), how, then);
  std::string request = escape_control(board->slot(slot).last_exit_request.text());
  if (exit.signal) {
    log::warn("worker killed",
              {{"slot", slot + 1},
               {"pid", pid},
               {"signal", signal_name(*exit.signal)},
               {"request", request.empty() ? "-" : request},
               {"restart_ms", wait},
               {"attempt", view.attempt}},
              sentence);
  } else {
    log::warn("worker exited",
              {{"slot", slot + 1},
               {"pid", pid},
               {"code", exit.code.value_or(-1)},
               {"request", request.empty() ? "-" : request},
               {"restart_ms", wait},
               {"attempt", view.attempt}},
              sentence);
  }
}

void Master::Impl::announce_ready() {
  Ready ready;
  ready.workers = supervisor.count(SlotState::ready);
  ready.pid = ::getpid();
  std::string all;
  for (const auto& listener : listeners) {
    ready.urls.push_back(listener.url());
    ready.addresses.push_back(listener.address());
    all += " " + ready.urls.back();
  }
  ready.opened = program_addresses;
  for (const auto& address : ready.opened) all += " " + address;
  std::string_view listen = all.empty() ? "-" : std::string_view(all).substr(1);
  log::notice("ready", {{"workers", ready.workers}, {"listen", listen}, {"pid", ready.pid}},
              fmt::format("ready{}{} with {} {}", all.empty() ? "" : " on", all, ready.workers,
                          ready.workers == 1 ? "worker" : "workers"));
  notify.ready(fmt::format("OK: {} workers ready", ready.workers));
  if (options.on_ready) options.on_ready(ready);
}

}  // namespace pronghorn::master
