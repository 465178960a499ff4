// SPDX-License-Identifier: Apache-2.0
#include "master/master.h"

#include <pronghorn/base/log.h>

#include "master/control_path.h"
#include "master/master_impl.h"
#include "master/process_setup.h"
#include "master/sealed_file.h"
#include "master/stop_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <random>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace pronghorn::master {
namespace {

constexpr Millis kTick{250};  // at most half of SupervisorPolicy::stall
constexpr unsigned kTicksPerSecond = 4;
constexpr unsigned kTicksPerStatus = 20;

std::uint32_t slots_of(const Master::Options& options) {
  std::uint32_t slots = options.workers;
  for (const auto& program : options.programs) slots += program.workers;
  return slots;
}

SupervisorPolicy policy_of(const Master::Options& options) {
  SupervisorPolicy policy = options.policy;
  policy.slots = slots_of(options);
  policy.drain_timeout = options.config.drain_timeout;
  policy.hang_timeout = options.config.hang_timeout;
  // It is suspected before it is ended, however short the time.
  policy.suspect_after = std::min(policy.suspect_after, policy.hang_timeout / 2);
  return policy;
}

std::move_only_function<double()> dice() {
  return [engine = std::minstd_rand(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

/// Of the servers that programs open: what is left of the descriptors is for workers and
/// connections.
std::size_t most_servers() {
  const std::size_t usual = Primary::Options().max_servers;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return usual;
  return std::min<std::size_t>(usual, limit.rlim_cur / 4);
}

StartFailure resource_failure(const Error& error) {
  // sysexits.h EX_TEMPFAIL: descriptors or memory are short now.
  return {75, "cannot start: " + error.message()};
}

}  // namespace

Master::Master(Loop& loop, Options options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Master::~Master() = default;
std::expected<void, StartFailure> Master::start() { return impl_->start(); }
void Master::stop(StopMode mode) { impl_->stop(mode); }

Master::Impl::Impl(Loop& event_loop, Options&& values)
    : loop(event_loop),
      options(std::move(values)),
      out(event_loop, STDOUT_FILENO),
      err(event_loop, STDERR_FILENO),
      supervisor(policy_of(options), dice()),
      notify(Notify::from_environment()),
      access_log(event_loop, std::move(options.access_log)),
      running(slots_of(options)),
      deadline(loop, [this] { perform(supervisor.tick(Clock::now())); }),
      ticker(loop, [this] { on_tick(); }),
      close_delay(loop, [this] { drain_queues(); }),
      burial(loop, [this] { bury(); }),
      last_words(loop, [this] { end(); }) {
  for (LineOutput* output : {&out, &err}) output->add([this] { end_when_silent(); });
}

std::expected<void, StartFailure> Master::Impl::start() {
  started_ms = monotonic_ms();
  auto opened = open_listeners(options.config.listen, options.config.backlog);
  if (!opened) return std::unexpected(std::move(opened).error());
  listeners = std::move(*opened);
  if (auto done = prepare_image(); !done) return done;
  if (auto done = open_primary(); !done) return done;
  if (auto done = open_control(); !done) return done;
  oom_score_before = oom_score();
  // A unit's OOMScoreAdjust= below 0 is meant for the service's one indispensable process.
  if (oom_score_before.starts_with('-')) oom_score_before = "0";
  protect_from_oom();
  watch_signals();
  ticker.start(kTick, kTick);
  for (const auto& listener : listeners) {
    log::info("listening", {{"listen", listener.address().text()}},
              "listening on " + listener.url());
  }
  perform(supervisor.start(Clock::now()));
  return {};
}

std::expected<void, StartFailure> Master::Impl::prepare_image() {
  auto scoreboard = ipc::Scoreboard::create(supervisor.size());
  if (!scoreboard) return std::unexpected(resource_failure(scoreboard.error()));
  board.emplace(std::move(*scoreboard));
  collector.emplace(*board, supervisor, listeners);
  if (options.workers > 0 && options.counts_clients) {
    auto memory = ipc::ClientMemory::create(
        {.clients = static_cast<std::uint32_t>(options.config.limits.clients),
         .slots = options.workers});
    if (!memory) return std::unexpected(resource_failure(memory.error()));
    clients.emplace(std::move(*memory));
  }
  auto config = make_sealed_file("pronghorn-config", options.config_toml);
  if (!config) return std::unexpected(resource_failure(config.error()));
  config_file = std::move(*config);
  for (std::uint32_t i = 0; i < options.workers; ++i) {
    UniqueFd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!bell)
      return std::unexpected(resource_failure(Error::system(errno, "cannot make an eventfd")));
    doorbells.push_back(std::move(bell));
  }
  make_images();
  return {};
}

std::expected<void, StartFailure> Master::Impl::open_primary() {
  // What programs do is not in the scoreboard.
  primary.emplace(
      loop,
      Primary::Options{.scheduling = options.config.scheduling,
                       .sticky = options.config.sticky,
                       .max_servers = most_servers(),
                       .board = options.programs.empty() ? &*board : nullptr,
                       // Not our own ones, such as the control socket.
                       .lends = [this](std::int64_t fd) { return options.inherited.contains(fd); }},
      Primary::Events{.on_online = {},
                      .on_listening = [this](Primary::Id id,
                                             const Address& address) { on_listening(id, address); },
                      .on_leaving = {}});
  shared.emplace(WorkerProcess::Shared{loop, *primary, out, err, listeners.size()});
  for (Listener& listener : listeners) {
    if (auto adopted = primary->adopt(listener); !adopted) {
      return std::unexpected(resource_failure(adopted.error()));
    }
  }
  return {};
}

std::expected<void, StartFailure> Master::Impl::open_control() {
  std::string path = options.config.control;
  if (path.empty()) {
    std::string folder = control_folder();
    auto made = make_control_folder(folder);
    if (!made) {
      log::warn("no control socket", {{"why", made.error().message()}},
                "no control socket, so no status: " + made.error().message());
      return {};
    }
    find_control_sockets(folder);  // removes what dead servers left
    path = control_path(folder, ::getpid());
  }
  auto server = ControlServer::open(
      loop, path, [this](std::string_view command, const ControlServer::Reply& reply) {
        answer(command, reply);
      });
  if (server) {
    control.emplace(std::move(*server));
  } else if (!options.config.control.empty()) {
    return std::unexpected(std::move(server).error());
  } else {
    log::warn("no control socket", {{"path", path}, {"why", server.error().text}},
              "no control socket, so no status: " + server.error().text);
  }
  return {};
}

void Master::Impl::answer(std::string_view command, const ControlServer::Reply& reply) {
  if (command == "status") return reply(status_line());
  if (command != "reopen") return reply({});
  reopen_log([this, reply](const ReopenOutcome& outcome) {
    say_reopened(outcome);
    reply(to_json(outcome));
  });
}

std::string Master::Impl::status_line() const {
  auto status = collector->collect(blank_status(), Clock::now());
  for (auto& worker : status.workers) worker.program = image_of(worker.slot - 1).title;
  for (const auto& address : program_addresses) status.listeners.push_back({address, 0, 0});
  return to_json(status);
}

ServerStatus Master::Impl::blank_status() const {
  ServerStatus status;
  status.version = options.version;
  status.uptime_ms = monotonic_ms() - started_ms;
  status.generation = generation;
  status.config_file = options.config_file;
  status.access_log = access_log_status();
  return status;
}

void Master::Impl::watch_signals() {
  had_terminal = ::isatty(STDERR_FILENO) != 0;
  for (int signum : {SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) {
    signals.emplace_back(loop, signum, [this, signum] { on_signal(signum); });
  }
}

// An action's outcome is an event with actions of its own: they queue up here, in order.
void Master::Impl::perform(Actions more) {
  actions.insert(actions.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  if (std::exchange(performing, true)) return;
  while (!actions.empty() && !finished) {
    Action action = std::move(actions.front());
    actions.pop_front();
    perform_one(action);
  }
  performing = false;
  if (!finished) sync();
}

void Master::Impl::perform_one(const Action& action) {
  switch (action.kind) {
    case Action::Kind::spawn:
      spawn(action.slot);
      break;
    case Action::Kind::drain:
      drain(action.slot);
      break;
    case Action::Kind::kill:
      kill(action.slot, action.number);
      break;
    case Action::Kind::suspect:
      note_suspect(action.slot, true);
      break;
    case Action::Kind::recovered:
      note_suspect(action.slot, false);
      break;
    case Action::Kind::ready_all:
      announce_ready();
      break;
    case Action::Kind::give_up:
      note_give_up(action);
      break;
    case Action::Kind::finished:
      finish();
      break;
  }
}

// The scoreboard and the timer follow the supervisor.
void Master::Impl::sync() {
  for (std::uint32_t i = 0; i < board->size(); ++i) {
    board->slot(i).state.store(static_cast<std::uint32_t>(supervisor.slot(i).state),
                               std::memory_order_relaxed);
  }
  auto next = supervisor.next_deadline();
  if (!next) return deadline.stop();
  // Rounded up: a millisecond early would only turn the loop once more.
  auto wait = std::chrono::ceil<Millis>(*next - Clock::now());
  deadline.start(std::max(wait, Millis(0)));
}

void Master::Impl::on_tick() {
  // First the gap since the last tick: whether old heartbeats are ours to blame.
  perform(supervisor.tick(Clock::now()));
  if (finished) return;
  std::int64_t now_ms = monotonic_ms();
  for (std::uint32_t i = 0; i < board->size(); ++i) {
    auto beat = board->slot(i).heartbeat_ms.load(std::memory_order_relaxed);
    if (beat != 0 && supervisor.slot(i).has_process) {
      perform(supervisor.heartbeat(i, Millis(now_ms - beat), Clock::now()));
    }
    if (finished) return;
  }
  ++ticks;
  if (ticks % kTicksPerSecond == 0) {
    collector->sample();
    look_at_log();
  }
  if (ticks % kTicksPerStatus == 0 && notify.is_active() && !supervisor.is_stopping()) {
    auto status = blank_status();
    collector->judge(status, Clock::now());
    std::string text = status.verdict + (status.reason.empty() ? "" : ": ") + status.reason;
    if (options.workers > 0) {  // programs do not say what they do
      text +=
          fmt::format("; {} connections, {} requests/s", with_commas(totals(*board).connections),
                      with_commas(static_cast<std::uint64_t>(collector->requests_per_second())));
    }
    notify.status(text);
  }
}

}  // namespace pronghorn::master
