// SPDX-License-Identifier: Apache-2.0
// The workers' processes: what they are started from, what they report, and when they are gone.
#include <pronghorn/base/log.h>
#include <pronghorn/base/text.h>

#include "config/config.h"
#include "master/master_impl.h"
#include "master/process_setup.h"
#include "master/slot_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pronghorn::master {
namespace {

// Of the dead whose output a child of theirs keeps open.
constexpr std::size_t kMostDead = 64;
// That are shown: a program that opens and closes servers of random ports has new ones for ever.
constexpr std::size_t kMostAddresses = 64;

/// "127.0.0.1:3000", "[::1]:3000", "*:3000", "unix:/run/app.sock", "udp:127.0.0.1:53".
std::string address_text(const Address& address) {
  if (address.type == AddressType::unix_socket) return "unix:" + escape_control(address.address);
  if (address.type == AddressType::descriptor) return fmt::format("fd:{}", address.fd.value_or(-1));
  const std::string host = escape_control(address.address);
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}:{}", ipc::is_udp(address.type) ? "udp:" : "",
                     host.empty() ? "*"
                     : is_ipv6    ? "[" + host + "]"
                                  : host,
                     address.port);
}

}  // namespace

void Master::Impl::make_images() {
  if (options.workers > 0) {
    WorkerImage& own = images.emplace_back();
    own.exec_path = options.exec_path;
    own.argv = options.argv;
    own.config_path = options.config_file;
    own.config_fd = config_file.get();
    own.scoreboard_fd = board->fd();
    if (clients) own.clients_fd = clients->fd();
    own.access_log_fd = access_log.fd();
    own.root_fds = options.root_fds;
    for (const auto& bell : doorbells) own.doorbells.push_back(bell.get());
    group_of_slot.insert(group_of_slot.end(), options.workers, 0);
  }
  for (const auto& program : options.programs) {
    group_of_slot.insert(group_of_slot.end(), program.workers, images.size());
    WorkerImage& image = images.emplace_back();
    image.title = program.title;
    image.exec_path = program.file;
    image.argv = {program.file};
    image.argv.insert(image.argv.end(), program.args.begin(), program.args.end());
  }
  for (WorkerImage& image : images) image.identity = options.identity;
}

void Master::Impl::spawn(std::uint32_t slot) {
  Primary::Id id = next_unique_id++;
  auto started =
      WorkerProcess::start(*shared, image_of(slot),
                           {.slot = slot, .generation = generation, .id = id}, events(slot, id));
  if (!started) {
    log::warn("worker not started", {{"slot", slot + 1}, {"error", started.error().message()}},
              fmt::format("{} cannot be started: {}", name_of(slot), started.error().message()));
    return perform(supervisor.spawn_failed(slot, started.error().message(), Clock::now()));
  }
  Running& worker = running[slot];
  worker.starts_again = worker.id != 0;
  worker.process = std::move(*started);
  worker.id = id;
  worker.kill_reason.clear();
  int pid = worker.process->pid();
  set_oom_score(pid, oom_score_before);
  record_start(board->slot(slot), pid, generation);
  log::debug("worker started", {{"slot", slot + 1}, {"pid", pid}});
  perform(supervisor.spawned(slot, Clock::now()));
}

// A dead worker's process object lives on until its output has ended; what it still says is not its
// successor's.
bool Master::Impl::is_current(std::uint32_t slot, Primary::Id id) const {
  return !finished && running[slot].process && running[slot].id == id;
}

WorkerProcess::Events Master::Impl::events(std::uint32_t slot, Primary::Id id) {
  WorkerProcess::Events events;
  events.on_ready = [this, slot, id] {
    if (is_current(slot, id)) on_worker_ready(slot);
  };
  events.on_fault = [this, slot, id](const std::string& why) {
    if (!is_current(slot, id)) return;
    std::string text = escape_control(why);
    log::error("worker fault", {{"slot", slot + 1}, {"fault", text}},
               fmt::format("worker {}: {}", slot + 1, text));
    perform(supervisor.fault(slot, text, Clock::now()));
  };
  events.on_log_taken = [this, id](std::uint32_t number, const std::string& error) {
    access_log.confirmed(id, number, error);
  };
  events.on_broken = [this, slot, id](const std::string& why) {
    if (is_current(slot, id)) on_worker_broken(slot, why);
  };
  events.on_disconnect = [this, slot, id] {
    if (is_current(slot, id)) perform(supervisor.disconnected(slot, Clock::now()));
  };
  events.on_exit = [this, slot, id](const process::Exit& exit) {
    if (is_current(slot, id)) on_worker_exit(slot, exit);
  };
  events.on_close = [this, id] { on_worker_close(id); };
  return events;
}

void Master::Impl::on_listening(Primary::Id id, const Address& address) {
  auto worker = std::ranges::find_if(
      running, [id](const Running& each) { return each.process && each.id == id; });
  if (worker == running.end()) return;
  ipc::ClusterMessage query;
  if (!address.address.empty()) query.address = address.address;
  query.port = address.port;
  query.address_type = address.type;
  const bool is_ours =
      std::ranges::any_of(listeners, [&](const Listener& each) { return each.matches(query); });
  std::string text = address_text(address);
  if (!is_ours && program_addresses.size() < kMostAddresses &&
      std::ranges::find(program_addresses, text) == program_addresses.end()) {
    program_addresses.push_back(std::move(text));
  }
  worker->process->note_listening();
}

void Master::Impl::on_worker_close(Primary::Id id) {
  auto it = std::ranges::find_if(dead, [id](const Dead& each) { return each.process->id() == id; });
  if (it == dead.end()) return;
  it->closed = true;
  burial.start(Millis(0));  // we are inside one of its callbacks
}

void Master::Impl::bury() {
  std::erase_if(dead, [](const Dead& each) { return each.closed; });
  while (dead.size() > kMostDead) dead.pop_front();
  end_when_silent();
}

}  // namespace pronghorn::master
