// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/loop.h>

#include <cassert>
#include <vector>

#include <uv.h>

namespace pronghorn {

struct Loop::State {
  uv_loop_t loop{};
  uv_check_t check{};  // runs deferred calls after the turn's callbacks
  uv_idle_t idle{};    // keeps the loop from sleeping while some are waiting
  std::vector<std::move_only_function<void()>> deferred;
};

Loop::Loop() : state_(std::make_unique<State>()) {
  [[maybe_unused]] int status = uv_loop_init(&state_->loop);
  assert(status == 0 && "uv_loop_init");
  state_->loop.data = state_.get();
  uv_check_init(&state_->loop, &state_->check);
  uv_idle_init(&state_->loop, &state_->idle);
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->check));
}

Loop::~Loop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->check), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->idle), nullptr);
  while (uv_run(&state_->loop, UV_RUN_NOWAIT) != 0 && uv_loop_alive(&state_->loop) != 0) {
    // Closing handles need one turn each; a handle that is still owned would spin here for ever.
    bool closing = false;
    uv_walk(&state_->loop, [](uv_handle_t* h, void* arg) {
      if (uv_is_closing(h) != 0) *static_cast<bool*>(arg) = true;
    }, &closing);
    if (!closing) break;
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
    auto calls = std::move(state->deferred);
    state->deferred.clear();
    for (auto& call : calls) call();
  });
}

uv_loop_s* Loop::native() noexcept { return &state_->loop; }

}  // namespace pronghorn
