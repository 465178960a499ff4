// SPDX-License-Identifier: Apache-2.0
// Work that blocks, off the loop: on libuv's pool of threads (UV_THREADPOOL_SIZE, 4 by default).
#pragma once

#include <pronghorn/base/uv/loop.h>
#include <pronghorn/base/uv/task.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace pronghorn {

/// What offload() throws when as many calls wait or run as may: the work was not taken. A handler
/// that lets it through is answered with 503.
class OffloadQueueFull : public std::runtime_error {
 public:
  OffloadQueueFull() : std::runtime_error("too many calls wait for a thread") {}
};

/// How many calls of a loop may wait or run at once; 1000 unless set. A Server sets it to its
/// limits.offload_queue.
void set_offload_queue(Loop& loop, std::size_t at_most);

namespace detail {

/// A call, as the pool sees it. Kept by who waits and by the pool; freed on the loop's thread.
class OffloadedCall {
 public:
  OffloadedCall() = default;
  OffloadedCall(const OffloadedCall&) = delete;
  OffloadedCall& operator=(const OffloadedCall&) = delete;
  virtual ~OffloadedCall() = default;
  virtual void run() noexcept = 0;  ///< on a thread of the pool

  std::coroutine_handle<> waiter;  ///< null: nobody wants the result any more
  void* request = nullptr;         ///< the pool's, while it has the call
};

template <class F>
class OffloadedCallOf final : public OffloadedCall {
 public:
  using T = std::invoke_result_t<F&>;
  explicit OffloadedCallOf(F call) : call_(std::move(call)) {}
  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<T>) {
        call_();
      } else {
        value_.emplace(call_());
      }
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }
  T take() {
    if (thrown_) std::rethrow_exception(thrown_);
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 private:
  F call_;
  std::optional<std::conditional_t<std::is_void_v<T>, char, T>> value_;
  std::exception_ptr thrown_;
};

class OffloadWait {
 public:
  OffloadWait(Loop& loop, std::shared_ptr<OffloadedCall> call) noexcept
      : loop_(loop), call_(std::move(call)) {}
  OffloadWait(const OffloadWait&) = delete;
  OffloadWait& operator=(const OffloadWait&) = delete;
  ~OffloadWait();
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  std::shared_ptr<OffloadedCall> call_;
};

template <class Call>
Task<typename Call::T> offloaded(Loop& loop, std::shared_ptr<Call> call) {
  OffloadWait wait(loop, call);
  co_await wait;
  co_return call->take();
}

}  // namespace detail

/// Calls `f` on a thread of the pool. What it returns or throws comes where the task is awaited, on
/// the loop's thread; nothing is begun before. `f` must not touch what the loop's thread uses
/// meanwhile. A task that is destroyed while it waits takes its call out of the queue; one that
/// runs already runs to its end, unheard. A loop that ends waits for calls that run.
/// Give a lambda with captures a name first and move it in (gcc 12; base/uv/task.h).
template <class F>
auto offload(Loop& loop, F&& f) {
  using Call = detail::OffloadedCallOf<std::decay_t<F>>;
  return detail::offloaded(loop, std::make_shared<Call>(std::forward<F>(f)));
}

}  // namespace pronghorn
