// SPDX-License-Identifier: Apache-2.0
// What answers a request: one of three shapes, told apart by what the callable looks like.
#pragma once

#include <pronghorn/base/uv/task.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>
#include <pronghorn/server/response_writer.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace pronghorn {

/// What a route has of its own.
struct RouteOptions {
  /// Largest decoded body in bytes, instead of limits.body; more is a 413.
  std::optional<std::uint64_t> body_limit{};
  /// Calls the handler when the head is here; the body comes by Request::body_stream().
  bool stream_body = false;
  /// How often a second one client may ask for this route, in all workers together and beside
  /// limits.requests_per_second; more is a 429. 0: no limit. HEAD counts for GET's route.
  std::uint64_t requests_per_second = 0;
  /// That a client may save up; 0: as many as a second has.
  std::uint64_t requests_burst = 0;
  /// Until the handler begins to answer, instead of timeouts.handler; then 503. At most a day.
  std::optional<std::chrono::milliseconds> handler_timeout{};
};

/// A handler, made from any callable of one of the shapes. It runs on the loop's thread and must
/// not block; what does belongs into offload() (base/uv/offload.h). What becomes of one that throws
/// or never answers: docs/reference/handlers.md.
class Handler {
 public:
  /// Answers at once.
  using Value = std::move_only_function<Response(const Request&)>;
  /// Answers when the coroutine returns. The request lives until then, also when the client has
  /// left; an unfinished coroutine is destroyed with the server.
  using Waiting = std::move_only_function<Task<Response>(const Request&)>;
  /// Answers through the writer, now or later, whole or in pieces. The request lives until the
  /// answer is complete, and as long as the writer does when it never is.
  using Writing = std::move_only_function<void(const Request&, ResponseWriter)>;

  Handler() = default;
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Handler> &&
             (std::is_invocable_r_v<Response, F&, const Request&> ||
              std::is_invocable_r_v<Task<Response>, F&, const Request&> ||
              std::is_invocable_v<F&, const Request&, ResponseWriter>))
  Handler(F&& call) {
    if constexpr (std::is_invocable_r_v<Response, F&, const Request&>) {
      call_.emplace<Value>(std::forward<F>(call));
    } else if constexpr (std::is_invocable_r_v<Task<Response>, F&, const Request&>) {
      call_.emplace<Waiting>(std::forward<F>(call));
    } else {
      call_.emplace<Writing>(std::forward<F>(call));
    }
  }

  explicit operator bool() const noexcept { return call_.index() != 0; }
  /// Null when it has another shape.
  Value* value() noexcept { return std::get_if<Value>(&call_); }
  Waiting* waiting() noexcept { return std::get_if<Waiting>(&call_); }
  Writing* writing() noexcept { return std::get_if<Writing>(&call_); }

 private:
  std::variant<std::monostate, Value, Waiting, Writing> call_;
};

}  // namespace pronghorn
