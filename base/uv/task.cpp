// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/task.h>

#include <memory>

namespace pronghorn {
namespace {

// A coroutine whose frame the loop holds; it lets go of itself at its end.
struct Detached {
  struct promise_type {
    Detached get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> frame;
};

struct Frame {
  std::coroutine_handle<> handle;
  Frame() = default;
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame() {
    if (handle) handle.destroy();
  }
};

Detached drive(Loop& loop, Task<void> task, const Frame* self) {
  co_await task;
  // From the loop: a frame cannot be destroyed while it runs.
  loop.defer([&loop, self] { loop.release(self); });
}

struct Outcome {
  std::optional<int> value;
  std::exception_ptr thrown;
};

Task<void> note(Task<int> main, std::shared_ptr<Outcome> outcome) {
  try {
    outcome->value = co_await main;
  } catch (...) {
    outcome->thrown = std::current_exception();
  }
}

}  // namespace

void start(Loop& loop, Task<void> task) {
  auto frame = std::make_shared<Frame>();
  auto handle = drive(loop, std::move(task), frame.get()).frame;
  frame->handle = handle;
  loop.hold(std::move(frame));
  handle.resume();
}

int run(Loop& loop, Task<int> main) {
  auto outcome = std::make_shared<Outcome>();
  start(loop, note(std::move(main), outcome));
  loop.run();
  if (outcome->thrown) std::rethrow_exception(outcome->thrown);
  return outcome->value.value_or(1);
}

}  // namespace pronghorn
