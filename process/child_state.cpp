// SPDX-License-Identifier: Apache-2.0
// A child's events and their order. Each callback here may take the ChildProcess with it: whoever
// emits holds the state first, and asks afterwards whether it still has an owner.
#include "process/child_state.h"

#include "process/stream_access.h"

#include <utility>

namespace pronghorn::process {

void ChildProcess::State::Events::clear() noexcept {
  spawn.clear();
  error.clear();
  exit.clear();
  close.clear();
}

ChildProcess::State::State(Loop& l, Command c, std::size_t max_pending)
    : loop(l), command(std::move(c)), channel(l, max_pending) {}

void ChildProcess::State::reserve_streams(std::size_t count) { slots.resize(count); }

Result<void> ChildProcess::State::open_stream(std::size_t index, UniqueFd fd) {
  using Sides = Stream::Sides;
  Sides sides = index == 0 ? Sides::writable : index < 3 ? Sides::readable : Sides::both;
  auto opened = Stream::open(loop, std::move(fd), sides);
  if (!opened) return std::unexpected(std::move(opened.error()));
  Slot& slot = slots[index];
  slot = {std::move(*opened), true};
  ++open_streams_;
  StreamAccess::on_gone(slot.stream, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    --self->open_streams_;
    self->maybe_close();
  });
  return {};
}

Result<void> ChildProcess::State::watch(Launched launched) {
  int number = launched.pid;
  auto watched =
      Reaper::watch(loop, std::move(launched), [this](const Exit& how) { on_exit(how); });
  if (!watched) return std::unexpected(std::move(watched.error()));
  reaper = std::move(*watched);
  pid = number;
  loop.soon([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->on_spawned();
  });
  return {};
}

void ChildProcess::State::on_spawned() {
  events.spawn.emit();
  // A token that was stopped before: the process runs, and is aborted now, as in Node.
  if (token_.stop_requested()) on_stopped();
}

void ChildProcess::State::fail_start(Error error) {
  start_error = std::move(error);
  loop.soon([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->exit = Exit{.code = -self->start_error->errno_value()};
    self->slots[0].stream.destroy();
    self->emit_error(*self->start_error);
    self->finish();
  });
}

void ChildProcess::State::on_exit(const Exit& how) {
  auto self = shared_from_this();
  disarm_stop();
  // For exec the time is over for what a grandchild may still write, too.
  if (escalating_ || !hooks_ || !hooks_->on_timeout) timer_.reset();
  exit = how;
  // Nobody reads it any more, but a grandchild: Node's answer is the same.
  slots[0].stream.destroy();
  events.exit.emit(how);
  finish();
}

// What nobody has read is thrown away now, and messages without a listener have no bound any more:
// neither must keep close from coming.
void ChildProcess::State::finish() {
  told_end_ = true;
  channel.messages.lift_limit();
  for (Slot& slot : slots) {
    if (slot.is_pipe) StreamAccess::drain_after_exit(slot.stream);
  }
  maybe_close();
}

void ChildProcess::State::maybe_close() {
  if (closed_ || !told_end_ || open_streams_ > 0 || channel.channel() != nullptr) return;
  closed_ = true;
  disarm();
  auto self = shared_from_this();
  if (hooks_) hooks_->on_close(*exit);
  events.close.emit(*exit);
  if (hooks_) loop.release(held_);
}

void ChildProcess::State::emit_error(const Error& error) {
  auto self = shared_from_this();
  if (hooks_ && hooks_->on_error) hooks_->on_error(error);
  events.error.emit(error);
}

void ChildProcess::State::hold(ChildHooks hooks) {
  // The hooks may own the ChildProcess, and so this: with the loop they go in any case.
  struct Held {
    explicit Held(std::shared_ptr<State> s) : state(std::move(s)) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { auto hooks = std::exchange(state->hooks_, std::nullopt); }
    std::shared_ptr<State> state;
  };
  hooks_ = std::move(hooks);
  auto held = std::make_shared<Held>(shared_from_this());
  held_ = held.get();
  loop.hold(std::move(held));
}

void ChildProcess::State::abandon() noexcept {
  events.clear();
  channel.silence();
  if (!hooks_ || closed_) {
    tear_down();
  } else {
    for (Slot& slot : slots) StreamAccess::silence(slot.stream);
  }
}

void ChildProcess::State::tear_down() noexcept {
  closed_ = true;
  disarm();
  reaper.reset();
  channel.close();
  slots.clear();
}

}  // namespace pronghorn::process
