// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/loop.h>

#include "base/uv/box.h"

#include <uv.h>

#include <cassert>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pronghorn {

struct Loop::State {
  uv_loop_t loop{};
  uv_check_t check{};  // runs deferred calls after the turn's callbacks
  uv_idle_t idle{};    // keeps the loop from sleeping while some are waiting
  std::vector<std::move_only_function<void()>> deferred;
  std::vector<std::move_only_function<void()>> calling;  // the turn's; its memory is used again
  uv_prepare_t prepare{};                                // runs what is due before the next poll
  std::vector<std::move_only_function<void()>> soon;
  std::unordered_map<const void*, std::shared_ptr<void>> held;
  std::unordered_map<const void*, void*> attached;
};

namespace {

// libuv 1.44 forgets the epoll descriptor of a loop that it could not finish. A version
// that does not may have closed it: then the number is nobody's, or not an epoll's.
void close_forgotten_backend(const uv_loop_t& loop) noexcept {
  int fd = uv_backend_fd(&loop);
  epoll_event none{};
  if (fd >= 0 && ::epoll_wait(fd, &none, 1, 0) >= 0) ::close(fd);
}

}  // namespace

Loop::Loop() : state_(std::make_unique<State>()) {
  if (int status = uv_loop_init(&state_->loop); status < 0) {
    close_forgotten_backend(state_->loop);
    throw std::system_error(-status, std::generic_category(), "cannot make an event loop");
  }
  state_->loop.data = state_.get();
  uv_check_init(&state_->loop, &state_->check);
  uv_idle_init(&state_->loop, &state_->idle);
  uv_prepare_init(&state_->loop, &state_->prepare);
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->check));
}

Loop::~Loop() {
  // Deferred calls and what is held may own handles: they must close while there is a loop.
  while (!state_->deferred.empty() || !state_->soon.empty() || !state_->held.empty()) {
    auto calls = std::exchange(state_->deferred, {});
    auto due = std::exchange(state_->soon, {});
    auto held = std::exchange(state_->held, {});
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->check), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->idle), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->prepare), nullptr);
  for (bool closing = true; closing;) {
    uv_run(&state_->loop, UV_RUN_NOWAIT);
    closing = false;
    uv_walk(
        &state_->loop,
        [](uv_handle_t* h, void* found) {
          if (uv_is_closing(h) != 0) *static_cast<bool*>(found) = true;
        },
        &closing);
    // What runs on the pool's threads is waited for: its memory is ours.
    if (!closing && state_->loop.active_reqs.count > 0)
      closing = uv_run(&state_->loop, UV_RUN_ONCE) != 0;
  }
  [[maybe_unused]] int status = uv_loop_close(&state_->loop);
  assert(status == 0 && "a handle outlives its loop");
}

int Loop::run() {
  uv_run(&state_->loop, UV_RUN_DEFAULT);
  return exit_code_;
}

void Loop::stop() noexcept { uv_stop(&state_->loop); }

std::int64_t Loop::now_ms() const noexcept {
  return static_cast<std::int64_t>(uv_now(&state_->loop));
}

void Loop::defer(std::move_only_function<void()> fn) {
  state_->deferred.push_back(std::move(fn));
  if (state_->deferred.size() > 1) return;
  uv_idle_start(&state_->idle, [](uv_idle_t*) {});
  uv_check_start(&state_->check, [](uv_check_t* handle) {
    auto* state = static_cast<State*>(handle->loop->data);
    uv_check_stop(&state->check);
    uv_idle_stop(&state->idle);
    std::swap(state->deferred, state->calling);
    for (auto& call : state->calling) call();
    state->calling.clear();
  });
}

void Loop::soon(std::move_only_function<void()> fn) {
  state_->soon.push_back(std::move(fn));
  // libuv prepares between a turn's timers and its poll; an active handle makes it go on.
  uv_prepare_start(&state_->prepare, [](uv_prepare_t* handle) {
    auto* state = static_cast<State*>(handle->loop->data);
    while (!state->soon.empty()) {
      auto due = std::exchange(state->soon, {});
      for (auto& call : due) call();
    }
    uv_prepare_stop(&state->prepare);
  });
}

void Loop::hold(std::shared_ptr<void> what) {
  const void* key = what.get();
  state_->held.emplace(key, std::move(what));
}

void Loop::release(const void* what) noexcept {
  // Out of the map first: what goes here may release others.
  auto held = state_->held.extract(what);
}

void Loop::attach(const void* key, void* what) {
  if (what == nullptr) {
    state_->attached.erase(key);
  } else {
    state_->attached.insert_or_assign(key, what);
  }
}

void* Loop::attached(const void* key) const noexcept {
  auto found = state_->attached.find(key);
  return found == state_->attached.end() ? nullptr : found->second;
}

uv_loop_s* Loop::native() noexcept { return &state_->loop; }

}  // namespace pronghorn
