// SPDX-License-Identifier: Apache-2.0
#include "master/worker_process.h"

#include <pronghorn/base/clock.h>
#include <pronghorn/process/spawn.h>

#include "base/log.h"
#include "ipc/file_parcel.h"
#include "ipc/json_text.h"
#include "process/child_access.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

namespace pronghorn::master {
namespace {

constexpr int kConfigFault = 78;  // sysexits.h EX_CONFIG
// A child of the worker's may hold the channel open after its end.
constexpr Millis kLastWords{100};
// A Node program that says "ready" in its listen()'s callback does so just before its 'listening':
// the ready line should know the address.
constexpr Millis kListensMeanwhile{50};

}  // namespace

WorkerProcess::WorkerProcess(const Shared& shared, const WorkerImage& image, const Identity& who,
                             Events events)
    : shared_(shared),
      is_program_(image.is_program()),
      who_(who),
      events_(std::move(events)),
      exit_timer_(shared.loop,
                  [this] {
                    leave_primary();
                    report_exit();
                  }),
      ready_timer_(shared.loop, [this] { become_ready(); }) {}

WorkerProcess::~WorkerProcess() { leave_primary(); }

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const Shared& shared,
                                                            const WorkerImage& image,
                                                            const Identity& who, Events events) {
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(shared, image, who, std::move(events)));
  auto child =
      process::spawn(shared.loop, image.exec_path, {image.argv.begin() + 1, image.argv.end()},
                     spawn_options(image, who.slot, who.generation, who.id));
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
  child_->on_message([this](const Json& message) { on_message(message); });
  // No message of a worker's carries a handle; one that does is closed.
  child_->on_internal([this](const Json& message, ipc::ReceivedHandle&) { on_internal(message); });
  child_->on_error([this](const Error& error) { on_error(error); });
  child_->on_disconnect([this] { on_disconnect(); });
  child_->on_exit([this](const process::Exit& exit) { on_exit(exit); });
  child_->on_close([this](const process::Exit&) { events_.on_close(); });
  if (is_program_) relay_output();
  joined_ = true;
  shared_.primary.add(who_.id, is_program_ ? std::nullopt : std::optional(who_.slot),
                      [this](const ipc::InternalMessage& message, const ipc::Handle* handle) {
                        return send(message, handle);
                      });
}

void WorkerProcess::relay_output() {
  std::string name = fmt::format("worker {}", who_.slot + 1);
  out_.emplace(child_->out(), shared_.out, name);
  err_.emplace(child_->err(), shared_.err, name);
}

void WorkerProcess::on_error(const Error& error) {
  if (!child_->connected()) return broke(error.message());
  // A listener that it had no descriptor for: it never gets ready, which has its own deadline.
  log::warn("worker did not take what was sent", {{"why", error.message()}});
}

void WorkerProcess::leave_primary() {
  if (std::exchange(joined_, false)) shared_.primary.remove(who_.id);
}

void WorkerProcess::on_disconnect() {
  ready_timer_.stop();
  leave_primary();
  if (exit_) {
    exit_timer_.stop();
    report_exit();
  } else if (!broken_) {
    events_.on_disconnect();
  }
}

void WorkerProcess::on_exit(const process::Exit& exit) {
  exit_ = exit;
  ready_timer_.stop();
  // Its last words may still be unread: what it has accepted, or a fault's reason, is worth the
  // wait.
  if (child_->channel() != nullptr) {
    exit_timer_.start(kLastWords);
    if (exit.code == kConfigFault && !faulted_) return;
  } else {
    leave_primary();
  }
  report_exit();
}

void WorkerProcess::report_exit() {
  if (!std::exchange(reported_, true)) events_.on_exit(*exit_);
}

bool WorkerProcess::is_flood() {
  if (answers_due_ > 0) {
    --answers_due_;
    return false;
  }
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
  auto sent = handle == nullptr ? channel->send(message) : channel->send(message, *handle);
  if (sent) {
    ++answers_due_;
  } else if (sent.error().errno_value() == ENOBUFS) {
    broke("cannot send: " + sent.error().message());  // it does not read what it asked for
  }
  return sent;
}

void WorkerProcess::on_message(const ipc::Json& message) {
  if (!is_program_) {
    is_flood();  // counted, not understood
    return;
  }
  if (ready_) return;
  // As programs tell other process managers that they are ready without listening.
  auto text = ipc::dump_json(message);
  if (text && *text == "\"ready\"") ready_timer_.start(kListensMeanwhile);
}

void WorkerProcess::on_internal(const ipc::Json& message) {
  if (broken_ || is_flood() || shared_.primary.take(who_.id, message)) return;
  auto ours = ipc::decode_pronghorn(message);
  if (ours && ours->act == "fault") {
    faulted_ = true;
    events_.on_fault(ours->text);
  } else if (ours && ours->act == "reopened") {
    events_.on_log_taken(ours->number.value_or(0), ours->text);
  }
}

void WorkerProcess::note_listening() {
  if (++listening_ >= (is_program_ ? 1 : shared_.listeners)) become_ready();
}

void WorkerProcess::become_ready() {
  ready_timer_.stop();
  if (!std::exchange(ready_, true)) events_.on_ready();
}

void WorkerProcess::announce_drain() {
  if (is_program_) return;
  // That it fails is said by on_disconnect, or by send().
  static_cast<void>(send(ipc::encode_pronghorn({.act = "drain"}), nullptr));
}

void WorkerProcess::announce_cut() {
  if (is_program_) return;
  static_cast<void>(send(ipc::encode_pronghorn({.act = "cut"}), nullptr));
}

Result<void> WorkerProcess::give_log(int fd, std::uint32_t number) {
  auto parcel = ipc::pack_file(fd);
  if (!parcel) return std::unexpected(parcel.error());
  const ipc::Handle handle = ipc::Handle::native(parcel->get());
  auto sent = send(ipc::encode_pronghorn({.act = "reopen", .number = number}), &handle);
  if (!sent) return std::unexpected(sent.error());
  return {};
}

void WorkerProcess::disconnect() { static_cast<void>(shared_.primary.disconnect(who_.id)); }

}  // namespace pronghorn::master
