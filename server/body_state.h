// SPDX-License-Identifier: Apache-2.0
// What the reader of a request's body (BodyStream) and its session share.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::server {

class Session;

class BodyState final : public std::enable_shared_from_this<BodyState> {
 public:
  /// A body that comes.
  explicit BodyState(Session& session) noexcept : session_(&session) {}
  /// One that is here.
  explicit BodyState(std::string_view whole) : buffered_(whole), complete_(true) {}

  // The session's side. Each may run the reader's code.
  /// Somebody asks for bytes: read them.
  bool wants() const noexcept {
    return !complete_ && !error_ && (waiter_ || (on_data_ && !paused_));
  }
  void deliver(std::string_view piece, bool last);
  using OnError = std::function<void(const Error&)>;
  /// It will not be complete. Harmless when it is.
  void fail(const Error& error, const OnError& listener);
  /// The session has no more to do with it. @returns the listener for fail(): listeners may own
  /// their stream, which owns us, so that none may stay here
  OnError detach() noexcept;

  // The reader's side.
  void set_on_data(std::function<void(std::string_view)> call);
  void set_on_end(std::function<void()> call);
  void set_on_error(OnError call);
  void pause() noexcept { paused_ = true; }
  void resume();

  /// What BodyStream::read waits with.
  struct Wait {
    explicit Wait(BodyState& of) noexcept : body(of) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    BodyState& body;
    bool await_ready() const noexcept {
      return !body.buffered_.empty() || body.complete_ || body.error_;
    }
    void await_suspend(std::coroutine_handle<> waiter) {
      body.waiter_ = waiter;
      body.ask();
    }
    void await_resume() const noexcept {}
    ~Wait() { body.waiter_ = nullptr; }
  };
  /// After it: the next piece, nothing at the end. Throws BodyAborted.
  std::optional<std::string> take();

 private:
  void ask();
  void tell_end();
  void wake();

  Session* session_ = nullptr;
  std::string buffered_;  // came for a read(), or before on_data
  std::function<void(std::string_view)> on_data_;
  std::function<void()> on_end_;
  OnError on_error_;
  std::optional<Error> error_;
  std::coroutine_handle<> waiter_;
  bool paused_ = false;
  bool complete_ = false;
  bool told_end_ = false;
};

}  // namespace pronghorn::server
