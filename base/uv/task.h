// SPDX-License-Identifier: Apache-2.0
// A coroutine that yields one value. Started by awaiting it, by start() or by run().
#pragma once

#include <pronghorn/base/uv/loop.h>

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace pronghorn {

template <class T>
class Task;

namespace detail {

/// What all tasks' promises share: who waits for the end.
struct TaskPromiseBase {
  std::coroutine_handle<> waiter = std::noop_coroutine();
  std::exception_ptr exception;

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      return self.promise().waiter;
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
struct TaskPromise : TaskPromiseBase {
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& value) {
    result.emplace(std::forward<U>(value));
  }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*result);
  }
  std::optional<T> result;
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object();
  void return_void() noexcept {}
  void take() {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail

// gcc 12 miscompiles two forms of co_await (clang-19 compiles both right): a temporary made by
// braces, `co_await f({.x = 1})`, where a member has a destructor, is destroyed twice, and `a ?
// co_await b : c` runs b in any case. Give the first a name before, and write the second as an
// `if`.

/// Lazy: nothing runs before it is awaited or started. Owns its frame; destroying a Task that waits
/// destroys the frame and what it holds.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;

  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    frame_.promise().waiter = waiter;
    return frame_;
  }
  /// The value; what the coroutine threw is thrown again.
  T await_resume() { return frame_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> frame_;
};

namespace detail {
template <class T>
Task<T> TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
}  // namespace detail

/// Runs `task` up to its first wait, then goes on with it from the loop, which owns it: an
/// unfinished one is destroyed with the loop. An exception that leaves it ends the program
/// (std::terminate), as there is nobody to catch it.
void start(Loop& loop, Task<void> task);

/// Starts `main`, runs the loop until nothing is left to wait for, and returns main's value, or 1
/// when the loop ended first. An exception that leaves it is thrown here.
int run(Loop& loop, Task<int> main);

}  // namespace pronghorn
