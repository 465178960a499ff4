// SPDX-License-Identifier: Apache-2.0
#include "ipc/mailbox.h"

#include <pronghorn/base/listeners.h>

#include "ipc/json_text.h"

#include <cstdint>
#include <deque>
#include <utility>

namespace pronghorn::ipc {
namespace {
// What a socket counts beside its message: a peer must not fill our table of descriptors.
constexpr std::size_t kSocketBytes = 64 * 1024;
}  // namespace

struct Mailbox::State {
  struct Held {
    std::shared_ptr<const Json> message;
    ReceivedHandle handle;
    std::size_t bytes;
  };

  void deliver();
  void pause_or_resume() noexcept;

  Loop* loop = nullptr;
  std::size_t max_pending = 0;
  Channel* channel = nullptr;
  Listeners<Listener> listeners;
  std::deque<Held> held;
  std::size_t pending = 0;
  bool scheduled = false;
  bool paused = false;
  bool delivering = false;
  bool gone = false;
};

// The caller holds the state: a listener may destroy the Mailbox.
void Mailbox::State::deliver() {
  if (std::exchange(delivering, true)) return;
  while (!gone && !held.empty() && !listeners.empty()) {
    Held next = std::move(held.front());
    held.pop_front();
    pending -= next.bytes;
    listeners.emit(*next.message, next.handle);
  }
  delivering = false;
  if (!gone) pause_or_resume();
}

void Mailbox::State::pause_or_resume() noexcept {
  // Once paused, it stays so until all was delivered: not once for each message.
  bool full = paused ? !held.empty() && max_pending != SIZE_MAX : pending > max_pending;
  if (channel == nullptr || full == paused) return;
  paused = full;
  full ? channel->pause() : channel->resume();
}

Mailbox::Mailbox(Loop& loop, std::size_t max_pending) : state_(std::make_shared<State>()) {
  state_->loop = &loop;
  state_->max_pending = max_pending;
}

void Mailbox::close() noexcept {
  state_->gone = true;
  state_->channel = nullptr;
  state_->held.clear();
  state_->listeners.clear();
}

void Mailbox::watch(Channel* channel) noexcept { state_->channel = channel; }

void Mailbox::take(const Json& message, ReceivedHandle handle) {
  auto state = state_;
  if (!state->listeners.empty() && state->held.empty() && !state->delivering) {
    state->listeners.emit(message, handle);
    return;
  }
  std::size_t bytes = state->channel == nullptr ? 0 : state->channel->message_bytes();
  if (handle) bytes += kSocketBytes;
  state->pending += bytes;
  state->held.push_back({copy_json(message), std::move(handle), bytes});
  state->pause_or_resume();
}

void Mailbox::listen(Listener listener) {
  state_->listeners.add(std::move(listener));
  if (state_->held.empty() || std::exchange(state_->scheduled, true)) return;
  state_->loop->defer([state = state_] {
    state->scheduled = false;
    state->deliver();
  });
}

void Mailbox::deliver() {
  auto state = state_;
  state->deliver();
}

void Mailbox::lift_limit() noexcept {
  state_->max_pending = SIZE_MAX;
  state_->pause_or_resume();
}

std::size_t Mailbox::pending() const noexcept { return state_->pending; }

}  // namespace pronghorn::ipc
