// SPDX-License-Identifier: Apache-2.0
#include "worker/worker.h"

#include <pronghorn/server/server.h>

#include "base/log.h"
#include "base/uv/poll.h"
#include "base/uv/timer.h"
#include "ipc/channel.h"
#include "ipc/cluster_messages.h"
#include "ipc/scoreboard.h"
#include "worker/gate.h"
#include "worker/heartbeat.h"
#include "worker/listen_requests.h"

#include <cerrno>
#include <unistd.h>

namespace pronghorn::worker {
namespace {

constexpr int kExitConfig = 78;  // sysexits.h EX_CONFIG

Result<ipc::Scoreboard> open_scoreboard(const std::optional<ipc::Boot>& boot) {
  if (!boot) return ipc::Scoreboard::create(1);
  UniqueFd fd(boot->scoreboard_fd);
  return ipc::Scoreboard::attach(fd.get());
}

std::vector<UniqueFd> take_doorbells(const std::optional<ipc::Boot>& boot) {
  std::vector<UniqueFd> doorbells;
  if (boot) {
    for (int fd : boot->doorbells) doorbells.emplace_back(fd);
  }
  return doorbells;
}

}  // namespace

struct Worker::Impl {
  Impl(Loop& l, Options o, ipc::Scoreboard s, Router router);
  ~Impl();

  void start();
  void send(const ipc::InternalMessage& message);
  void on_internal(const ipc::Json& message, UniqueFd handle);
  void on_reply(const ipc::ClusterMessage& reply, UniqueFd handle);
  void fault(const Error& error);
  void refuse(const Error& error);
  void begin_serving();
  void drain();
  void on_channel_end();
  void finish(int code);

  Loop& loop;
  Options options;
  ipc::Scoreboard scoreboard;
  ipc::Slot& slot;
  Server server;
  std::optional<server::AccessLog> access_log;
  std::optional<Gate> gate;
  std::optional<uv::Poll> doorbell;
  Heartbeat heartbeat;
  ListenRequests requests;
  std::optional<ipc::Channel> channel;
  uv::Timer deadline;
  std::int64_t next_seq = 0;
  bool draining = false;
  bool finished = false;
};

Worker::Impl::Impl(Loop& l, Options o, ipc::Scoreboard s, Router router)
    : loop(l),
      options(std::move(o)),
      scoreboard(std::move(s)),
      slot(scoreboard.slot(options.boot ? options.boot->slot : 0)),
      server(loop, std::move(router),
             {.limits = options.config.limits,
              .timeouts = options.config.timeouts,
              .max_connections = options.max_connections},
             &slot.counters),
      heartbeat(loop, slot,
                [this] {
                  if (gate) gate->on_tick();
                }),
      requests(options.config.listen, static_cast<std::int64_t>(options.config.backlog)),
      deadline(loop, [this] { server.close_connections(); }) {
  if (options.boot && options.boot->access_log_fd >= 0) {
    access_log.emplace(options.boot->access_log_fd, options.access_log_form, options.colour,
                       slot.counters);
    server.set_access_log(&*access_log);
  }
  if (options.boot && scoreboard.size() > 1) {
    gate.emplace(scoreboard, options.boot->slot, take_doorbells(options.boot),
                 [this](bool on) { server.set_accepting(on); });
    server.set_accept_policy(&*gate);
  }
}

Worker::Impl::~Impl() {
  // The server closes its connections after gate and log are gone.
  server.set_accept_policy(nullptr);
  server.set_access_log(nullptr);
}

void Worker::Impl::start() {
  if (gate) {
    auto poll = uv::Poll::open(loop, gate->doorbell(), [this](int, int) { gate->on_doorbell(); });
    if (!poll) {
      log::error("no doorbell", {{"why", poll.error().message()}});
      return finish(1);
    }
    doorbell = std::move(*poll);
    doorbell->want(uv::Poll::kReadable);
    doorbell->unref();
  }
  auto opened = ipc::Channel::open(
      loop, std::move(options.channel),
      {.on_internal = [this](const ipc::Json& m,
                             ipc::ReceivedHandle handle) { on_internal(m, std::move(handle.fd)); },
       .on_disconnect = [this] { on_channel_end(); },
       .on_error = [](const Error& e) { log::error("channel broken", {{"why", e.message()}}); }});
  if (!opened) {
    log::error("no channel", {{"why", opened.error().message()}});
    return finish(1);
  }
  channel = std::move(*opened);
  send(ipc::encode_online(next_seq++));
  if (options.fault) return fault(*options.fault);
  for (const auto& query : requests.queries(next_seq)) send(ipc::encode_query_server(query));
}

void Worker::Impl::send(const ipc::InternalMessage& message) {
  // A channel that is closing reports itself by on_disconnect.
  static_cast<void>(channel->send(message));
}

void Worker::Impl::on_internal(const ipc::Json& json, UniqueFd handle) {
  if (auto ours = ipc::decode_pronghorn(json)) {
    if (ours->act == "drain") server.begin_drain();
    return;
  }
  auto message = ipc::decode_cluster_message(json);
  if (!message) return;
  if (message->ack) return on_reply(*message, std::move(handle));
  if (message->act == "disconnect") drain();
}

void Worker::Impl::on_reply(const ipc::ClusterMessage& reply, UniqueFd handle) {
  if (draining) return;
  auto listening = requests.take_reply(reply, static_cast<bool>(handle));
  if (!listening) return refuse(listening.error());
  if (auto added = server.add_listener(std::move(handle)); !added) return refuse(added.error());
  if (requests.all_answered()) begin_serving();
  listening->seq = next_seq++;
  send(ipc::encode_listening(*listening));
}

/// What passes by itself is no fault: the primary may start us again.
void Worker::Impl::refuse(const Error& error) {
  switch (error.errno_value()) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      log::error("cannot listen", {{"why", error.message()}});
      return finish(1);
    default:
      fault(error);
  }
}

void Worker::Impl::begin_serving() {
  slot.live.store(1);
  heartbeat.start();
  log::debug("listening", {{"listeners", options.config.listen.size()}});
}

void Worker::Impl::fault(const Error& error) {
  send(ipc::encode_pronghorn({.act = "fault", .text = error.message()}));
  loop.set_exit_code(kExitConfig);
  draining = finished = true;
  channel->disconnect();  // what was sent goes out first; on_channel_end stops the loop
}

void Worker::Impl::drain() {
  if (draining) return;
  draining = true;
  slot.live.store(0);  // not in the others' mean any more
  // Alone with its queue now: the gate would leave it to workers that are draining as well.
  server.set_accept_policy(nullptr);
  doorbell.reset();  // before the descriptor that it watches, which the gate owns
  gate.reset();
  deadline.start(options.config.drain_timeout);
  server.close([this] {
    finished = true;
    if (!channel || !channel->disconnect()) loop.stop();
  });
}

void Worker::Impl::on_channel_end() {
  if (finished) return loop.stop();
  if (!draining) log::warn("primary is gone", {}, "the master is gone: draining");
  drain();
}

void Worker::Impl::finish(int code) {
  loop.set_exit_code(code);
  finished = true;
  loop.stop();
}

Worker::Worker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::create(Loop& loop, Options options, Router router) {
  auto scoreboard = open_scoreboard(options.boot);
  if (!scoreboard) return std::unexpected(scoreboard.error());
  if (options.boot && (options.boot->slot >= scoreboard->size() ||
                       options.boot->doorbells.size() != scoreboard->size())) {
    return std::unexpected(Error("the boot variable and the scoreboard disagree"));
  }
  auto impl =
      std::make_unique<Impl>(loop, std::move(options), std::move(*scoreboard), std::move(router));
  return std::unique_ptr<Worker>(new Worker(std::move(impl)));
}

void Worker::start() { impl_->start(); }

}  // namespace pronghorn::worker
