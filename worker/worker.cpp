// SPDX-License-Identifier: Apache-2.0
#include "worker/worker.h"

#include <pronghorn/server/server.h>

#include "base/log.h"
#include "base/uv/poll.h"
#include "base/uv/timer.h"
#include "ipc/channel.h"
#include "ipc/client_memory.h"
#include "ipc/cluster_messages.h"
#include "ipc/file_parcel.h"
#include "ipc/scoreboard.h"
#include "server/access_log.h"
#include "worker/gate.h"
#include "worker/heartbeat.h"
#include "worker/primary_link.h"
#include "worker/primary_listen.h"

#include <cerrno>
#include <chrono>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pronghorn::worker {
namespace {

constexpr int kExitConfig = 78;  // sysexits.h EX_CONFIG

Result<ipc::Scoreboard> open_scoreboard(const std::optional<ipc::Boot>& boot) {
  if (!boot) return ipc::Scoreboard::create(1);
  UniqueFd fd(boot->scoreboard_fd);
  return ipc::Scoreboard::attach(fd.get());
}

/// None: nothing goes by the client's address, or the server counts alone.
Result<std::optional<ipc::ClientMemory>> open_clients(const std::optional<ipc::Boot>& boot) {
  if (!boot || boot->clients_fd < 0) return std::optional<ipc::ClientMemory>();
  UniqueFd fd(boot->clients_fd);
  auto memory = ipc::ClientMemory::attach(fd.get());
  if (!memory) return std::unexpected(std::move(memory.error()));
  if (boot->slot >= memory->table().shape().slots) {
    return std::unexpected(Error("the boot variable and the table of clients disagree"));
  }
  return std::optional(std::move(*memory));
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
  Impl(Loop& l, Options o, ipc::Scoreboard s, std::optional<ipc::ClientMemory> c, Router router);
  ~Impl();

  void open_access_log();
  void start();
  bool open_channel();
  bool watch_doorbell();
  void listen();
  void send(const ipc::InternalMessage& message);
  void on_internal(const ipc::Json& message, ipc::ReceivedHandle handle);
  void take_log(const ipc::PronghornMessage& message, const ipc::ReceivedHandle& handle);
  void close_old_logs();
  void confirm_log(std::optional<std::uint32_t> number, const std::string& error);
  void refuse(const Error& error);
  void fault(const std::string& why);
  void begin_serving();
  void drain();
  void cut();
  void on_channel_end();
  void finish(int code);

  Loop& loop;
  Options options;
  ipc::Scoreboard scoreboard;
  ipc::Slot& slot;
  std::optional<ipc::ClientMemory> clients;
  std::optional<ipc::Channel> channel;  // outlives who may still send by it
  PrimaryLink link;
  PrimaryListen listening;
  Server server;
  std::vector<UniqueFd> access_log_files;  // the last is written to; others while they still are
  std::optional<server::AccessLog> access_log;
  uv::Timer log_timer;
  std::vector<std::optional<std::uint32_t>> reopenings;  // not confirmed yet
  std::optional<Gate> gate;
  std::optional<uv::Poll> doorbell;
  Heartbeat heartbeat;
  uv::Timer deadline;
  std::size_t open_listeners = 0;
  bool draining = false;
  bool finished = false;
};

Worker::Impl::Impl(Loop& l, Options o, ipc::Scoreboard s, std::optional<ipc::ClientMemory> c,
                   Router router)
    : loop(l),
      options(std::move(o)),
      scoreboard(std::move(s)),
      slot(scoreboard.slot(options.boot ? options.boot->slot : 0)),
      clients(std::move(c)),
      link({.send = [this](const ipc::InternalMessage& m) { return channel->send(m); },
            .on_disconnect_asked = [this] { drain(); }}),
      // A master of ours listens on what the same configuration says, in its words.
      listening(loop, link,
                options.boot ? PrimaryListen::Names::as_they_are : PrimaryListen::Names::resolved),
      server(loop, std::move(router),
             {.limits = options.config.limits,
              .timeouts = options.config.timeouts,
              .request_id = options.config.request_id,
              .max_connections = options.max_connections},
             &slot.counters),
      log_timer(loop, [this] { close_old_logs(); }),
      heartbeat(loop, slot,
                [this] {
                  if (gate && slot.live.load() != 0) gate->on_tick();
                }),
      deadline(loop, [this] { cut(); }) {
  open_access_log();
  if (clients) server.set_client_table(&clients->table(), options.boot->slot);
  // The others' doorbells, and only where all accept from one socket: who has a socket of its own,
  // or is given its connections, must take them.
  auto doorbells = take_doorbells(options.boot);
  if (options.config.scheduling == Scheduling::shared && doorbells.size() > 1) {
    gate.emplace(scoreboard, options.boot->slot, std::move(doorbells),
                 [this](bool on) { server.set_accepting(on); });
    server.set_accept_policy(&*gate);
  }
}

Worker::Impl::~Impl() {
  // The server closes its connections after gate and log are gone.
  server.set_accept_policy(nullptr);
  server.set_access_log(nullptr);
}

void Worker::Impl::open_access_log() {
  if (!options.boot || options.boot->access_log_fd < 0) return;
  access_log_files.emplace_back(options.boot->access_log_fd);
  const config::Config& config = options.config;
  access_log.emplace(
      options.boot->access_log_fd,
      server::AccessLog::Options{.format = options.access_log_format,
                                 .colour = options.colour,
                                 .buffer = config.access_log_buffer,
                                 .flush = config.access_log_flush,
                                 .in_thread = true,
                                 .worker = options.boot->slot + 1,
                                 .on_cut =
                                     [this] {
                                       for (std::uint32_t i = 0; i < scoreboard.size(); ++i) {
                                         scoreboard.slot(i).counters.log_torn.store(1);
                                       }
                                     }},
      slot.counters);
  server.set_access_log(&*access_log);
}

void Worker::Impl::start() {
  if (!watch_doorbell() || !open_channel()) return finish(1);
  heartbeat.start();  // first: whoever is ready without one is never found to hang
  link.online();
  if (options.fault) return fault(options.fault->message());
  listen();
}

bool Worker::Impl::watch_doorbell() {
  if (!gate) return true;
  auto poll = uv::Poll::open(loop, gate->doorbell(), [this](int, int) { gate->on_doorbell(); });
  if (!poll) {
    log::error("no doorbell", {{"why", poll.error().message()}});
    return false;
  }
  doorbell = std::move(*poll);
  doorbell->want(uv::Poll::kReadable);
  doorbell->unref();
  return true;
}

bool Worker::Impl::open_channel() {
  auto opened = ipc::Channel::open(
      loop, std::move(options.channel),
      {.on_internal = [this](const ipc::Json& m,
                             ipc::ReceivedHandle handle) { on_internal(m, std::move(handle)); },
       .on_disconnect = [this] { on_channel_end(); },
       .on_error = [](const Error& e) { log::error("channel broken", {{"why", e.message()}}); }});
  if (!opened) {
    log::error("no channel", {{"why", opened.error().message()}});
    return false;
  }
  channel = std::move(*opened);
  return true;
}

void Worker::Impl::listen() {
  server.on_listening([this](const Address&) {
    if (++open_listeners == options.config.listen.size()) begin_serving();
  });
  server.on_error([this](const Error& error) { refuse(error); });
  for (const auto& address : options.config.listen) {
    Server::ListenOptions how{.backlog = static_cast<std::int64_t>(options.config.backlog)};
    for (const auto& own : options.config.listeners) {
      if (own.address != address) continue;
      how.limits = own.limits;
      how.timeouts = own.timeouts;
    }
    auto asked = server.listen(address.text(), how);
    if (!asked) return refuse(asked.error());
  }
}

void Worker::Impl::send(const ipc::InternalMessage& message) {
  // A channel that is closing reports itself by on_disconnect.
  static_cast<void>(channel->send(message));
}

void Worker::Impl::on_internal(const ipc::Json& json, ipc::ReceivedHandle handle) {
  if (link.take(json, handle)) return;
  auto ours = ipc::decode_pronghorn(json);
  if (ours && ours->act == "drain") server.begin_drain();
  if (ours && ours->act == "cut") {
    drain();
    cut();
  }
  if (ours && ours->act == "reopen") take_log(*ours, handle);
}

/// The old files stay open until nothing goes to them any more, however long that takes.
void Worker::Impl::take_log(const ipc::PronghornMessage& message,
                            const ipc::ReceivedHandle& handle) {
  auto file = ipc::unpack_file(handle.fd.get());
  if (!file || !access_log)
    return confirm_log(message.number, file ? std::string() : file.error().message());
  access_log->reopen(file->get());
  access_log_files.push_back(std::move(*file));
  reopenings.push_back(message.number);
  close_old_logs();
}

void Worker::Impl::close_old_logs() {
  constexpr std::chrono::milliseconds kLookAgain{5};
  access_log->flush();
  if (!access_log->is_reopened()) return log_timer.start(kLookAgain);
  access_log_files.erase(access_log_files.begin(), access_log_files.end() - 1);
  for (auto number : std::exchange(reopenings, {})) confirm_log(number, {});
}

/// Confirmed means: nothing will be written to the old file any more.
void Worker::Impl::confirm_log(std::optional<std::uint32_t> number, const std::string& error) {
  send(ipc::encode_pronghorn({.act = "reopened", .text = error, .number = number}));
}

/// What passes by itself is no fault: the primary may start us again.
void Worker::Impl::refuse(const Error& error) {
  if (draining) return;
  const FailedCall* call = error.call();
  std::string why = error.message();
  if (error.errno_value() != 0 && call != nullptr) {
    why = "cannot listen on " + call->path + ": " + errno_text(error.errno_value());
  }
  switch (error.errno_value()) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      log::error("cannot listen", {{"why", why}});
      return finish(1);
    default:
      fault(why);
  }
}

void Worker::Impl::begin_serving() {
  slot.live.store(1);
  log::debug("listening", {{"listeners", options.config.listen.size()}});
}

void Worker::Impl::fault(const std::string& why) {
  // A master of ours says it, once for all its workers.
  if (!options.boot) log::error("cannot serve", {{"why", why}}, why);
  send(ipc::encode_pronghorn({.act = "fault", .text = why}));
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
  listening.close_all([this] {
    finished = true;
    if (!channel->disconnect()) loop.stop();
  });
}

/// Ends what is in flight; the access log has a line of each, with what was sent.
void Worker::Impl::cut() {
  slot.counters.requests_cut.add(slot.counters.requests_active.get());
  server.close_connections();
  if (access_log) access_log->flush();
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
  // The slots behind those with a doorbell are foreign programs', which take no baton.
  if (options.boot && (options.boot->slot >= options.boot->doorbells.size() ||
                       options.boot->doorbells.size() > scoreboard->size())) {
    return std::unexpected(Error("the boot variable and the scoreboard disagree"));
  }
  auto clients = open_clients(options.boot);
  if (!clients) return std::unexpected(clients.error());
  auto impl = std::make_unique<Impl>(loop, std::move(options), std::move(*scoreboard),
                                     std::move(*clients), std::move(router));
  return std::unique_ptr<Worker>(new Worker(std::move(impl)));
}

void Worker::start() { impl_->start(); }

}  // namespace pronghorn::worker
