// SPDX-License-Identifier: Apache-2.0
#include "master/worker_process.h"

#include <pronghorn/base/clock.h>
#include <pronghorn/ipc/boot.h>
#include <pronghorn/process/spawn.h>

#include "base/log.h"
#include "process/child_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pronghorn::master {
namespace {

constexpr int kConfigFault = 78;  // sysexits.h EX_CONFIG
process::SpawnOptions spawn_options(const WorkerImage& image, std::uint32_t slot,
                                    std::uint64_t generation, std::uint64_t unique_id) {
  using process::Stdio;
  std::vector<Stdio> stdio = {Stdio::inherit, Stdio::inherit, Stdio::inherit, Stdio::ipc};
  auto inherit = [&stdio](int fd) {
    if (fd < 0) return -1;
    stdio.emplace_back(fd);
    return static_cast<int>(stdio.size()) - 1;
  };
  ipc::Boot boot;
  boot.slot = slot;
  boot.generation = generation;
  boot.config_fd = inherit(image.config_fd);
  boot.scoreboard_fd = inherit(image.scoreboard_fd);
  boot.access_log_fd = inherit(image.access_log_fd);
  boot.root_fd = inherit(image.root_fd);
  for (int fd : image.doorbells) boot.doorbells.push_back(inherit(fd));
  process::Environment env;
  env.set("NODE_UNIQUE_ID", std::to_string(unique_id));
  env.set(ipc::Boot::kVariable, boot.to_text());
  if (!image.config_path.empty()) env.set("PRONGHORN_CONFIG", image.config_path);
  // What the service manager says to the master is not said to its workers.
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
                           "LISTEN_PID", "LISTEN_FDNAMES"}) {
    env.unset(name);
  }
  process::SpawnOptions options;
  options.env_merge = std::move(env);
  options.argv0 = image.argv.front();
  options.stdio = std::move(stdio);
  // A worker that floods us is ended before it costs memory.
  options.channel_limits = {.max_message = 1 << 20, .max_queued = 1 << 20};
  return options;
}

}  // namespace

WorkerProcess::WorkerProcess(Loop& loop, const std::vector<Listener>& listeners, Events events)
    : listeners_(listeners),
      events_(std::move(events)),
      exit_timer_(loop, [this] { report_exit(); }) {}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(
    Loop& loop, const WorkerImage& image, std::uint32_t slot, std::uint64_t generation,
    std::uint64_t unique_id, const std::vector<Listener>& listeners, Events events) {
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(loop, listeners, std::move(events)));
  worker->listening_.resize(listeners.size());
  auto child = process::spawn(loop, image.exec_path, {image.argv.begin() + 1, image.argv.end()},
                              spawn_options(image, slot, generation, unique_id));
  if (!child) return std::unexpected(std::move(child.error()));
  // Known already, and the supervisor counts it as this start's end.
  if (const Error* why = process::ChildProcessAccess::start_error(*child)) {
    return std::unexpected(*why);
  }
  worker->child_.emplace(std::move(*child));
  worker->listen();
  return worker;
}

void WorkerProcess::listen() {
  // A program of the user may send messages of its own: counted, not understood.
  child_->on_message([this](const Json&) { is_flood(); });
  // No message of a worker's carries a handle; one that does is closed.
  child_->on_internal([this](const Json& message, ipc::ReceivedHandle&) { on_internal(message); });
  child_->on_error([this](const Error& error) { on_error(error); });
  child_->on_disconnect([this] { on_disconnect(); });
  child_->on_exit([this](const process::Exit& exit) { on_exit(exit); });
}

void WorkerProcess::on_error(const Error& error) {
  if (!child_->connected()) return broke(error.message());
  // A listener that it had no descriptor for: it never gets ready, which has its own deadline.
  log::warn("worker did not take what was sent", {{"why", error.message()}});
}

void WorkerProcess::on_disconnect() {
  if (exit_) {
    report_exit();
  } else if (!broken_) {
    events_.on_disconnect();
  }
}

void WorkerProcess::on_exit(const process::Exit& exit) {
  exit_ = exit;
  // Its last words may still be unread: a fault's reason is worth the wait. Bounded, as a child of
  // the worker's may hold the channel open.
  if (exit.code == kConfigFault && !faulted_ && child_->connected()) {
    exit_timer_.start(Millis(100));
  } else {
    report_exit();
  }
}

void WorkerProcess::report_exit() {
  exit_timer_.stop();
  if (!std::exchange(reported_, true)) events_.on_exit(*exit_);
}

bool WorkerProcess::is_flood() {
  std::int64_t second = monotonic_ms() / 1000;
  if (std::exchange(second_, second) != second) messages_ = 0;
  if (++messages_ <= kMaxMessagesPerSecond) return false;
  broke(fmt::format("more than {} messages in a second", kMaxMessagesPerSecond));
  return true;
}

void WorkerProcess::broke(const std::string& why) {
  if (std::exchange(broken_, true)) return;
  // The kill comes first: at the end of its channel a worker would leave as if all were well.
  events_.on_broken(why);
  if (ipc::Channel* channel = child_->channel()) channel->disconnect();
}

Result<bool> WorkerProcess::send(const ipc::InternalMessage& message, const ipc::Handle* handle) {
  ipc::Channel* channel = child_->channel();
  if (channel == nullptr) {
    return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
  }
  return handle == nullptr ? channel->send(message) : channel->send(message, *handle);
}

void WorkerProcess::on_internal(const ipc::Json& message) {
  if (broken_ || is_flood()) return;
  if (auto cluster = ipc::decode_cluster_message(message)) {
    on_cluster(*cluster);
  } else if (auto ours = ipc::decode_pronghorn(message); ours && ours->act == "fault") {
    faulted_ = true;
    events_.on_fault(ours->text);
  }
}

void WorkerProcess::on_cluster(const ipc::ClusterMessage& message) {
  if (message.act == "queryServer") {
    answer_query(message);
  } else if (message.act == "listening") {
    note_listening(message);
  } else if (message.act == "exitedAfterDisconnect" && message.seq) {
    // Without this answer a Node worker never disconnects (node-ipc 3.4).
    leaving_ = true;
    if (auto sent = send(ipc::encode_ack(*message.seq, next_seq_++)); !sent) {
      send_failed(sent.error());
    }
  }
  // online: the start deadline waits for `listening`; close: the listener is ours and stays.
}

void WorkerProcess::answer_query(const ipc::ClusterMessage& query) {
  // A worker that was told to leave gets no listener any more (node-ipc 3.4).
  if (!query.seq || leaving_) return;
  auto skip = query.index;
  auto found = std::ranges::find_if(
      listeners_, [&](const Listener& l) { return l.matches(query) && skip-- == 0; });
  std::string key =
      fmt::format("{}:{}:{}::{}", query.address.value_or("null"), query.port.value_or(-1),
                  static_cast<int>(query.address_type), query.index);
  Result<bool> sent = true;
  if (found == listeners_.end()) {
    sent = send(ipc::encode_error_reply(*query.seq, key, -EADDRNOTAVAIL, next_seq_++));
  } else {
    const auto socket = ipc::Handle::native(found->fd());
    sent =
        send(ipc::encode_shared_reply({.seq = next_seq_++, .ack = query.seq, .key = key}), &socket);
  }
  if (!sent && sent.error().errno_value() == EMFILE) {
    // Our lack, not the worker's fault: it will report and leave, and be tried again.
    sent = send(ipc::encode_error_reply(*query.seq, key, -EMFILE, next_seq_++));
  }
  if (!sent) send_failed(sent.error());
}

void WorkerProcess::note_listening(const ipc::ClusterMessage& message) {
  auto skip = message.index;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (!listeners_[i].matches(message)) continue;
    // A real port is one listener's only; of those that were asked for as 0 the index says which.
    if (message.port == listeners_[i].address().port || skip-- == 0) listening_[i] = true;
  }
  if (ready_ || !std::ranges::all_of(listening_, std::identity{})) return;
  ready_ = true;
  events_.on_ready();
}

void WorkerProcess::send_failed(const Error& error) {
  // Closed: the channel has ended, on_disconnect and on_exit follow. ENOBUFS: it does not read what
  // it asked for.
  if (error.code() != Errc::ipc_channel_closed) broke("cannot send: " + error.message());
}

void WorkerProcess::announce_drain() {
  if (auto sent = send(ipc::encode_pronghorn({.act = "drain"})); !sent) send_failed(sent.error());
}

void WorkerProcess::disconnect() {
  leaving_ = true;
  if (auto sent = send(ipc::encode_disconnect(next_seq_++)); !sent) send_failed(sent.error());
}

}  // namespace pronghorn::master
