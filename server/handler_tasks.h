// SPDX-License-Identifier: Apache-2.0
// The coroutines of a server's handlers that have not returned yet, and the one place where
// exceptions of handlers are caught.
#pragma once

#include <pronghorn/base/uv/task.h>
#include <pronghorn/server/response.h>
#include <pronghorn/server/response_writer.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <string_view>
#include <vector>

namespace pronghorn {
class Request;
}

namespace pronghorn::server {

struct AnswerState;

void log_failure(const Request* request, std::string_view what) noexcept;

/// Logs the exception being handled. @returns the status that says it: 503 when offload()'s queue
/// was full, else 500
int report_failure(const Request* request) noexcept;

/// Calls a handler's code. @returns false when it threw
template <class Call>
bool guarded(const Request* request, Call&& call) noexcept {
  try {
    call();
    return true;
  } catch (...) {
    report_failure(request);
    return false;
  }
}

/// Owned by a server, so that a coroutine ends before what its handler has captured.
class HandlerTasks {
 public:
  HandlerTasks();
  HandlerTasks(const HandlerTasks&) = delete;
  HandlerTasks& operator=(const HandlerTasks&) = delete;
  /// Destroys those that wait.
  ~HandlerTasks();

  /// Runs `task` up to its first wait; its value, or what it throws, goes to `answer`.
  void start(Task<Response> task, std::shared_ptr<AnswerState> answer);

  /// Has on_shutdown() to be told.
  void watch(std::weak_ptr<AnswerState> answer);
  /// The server begins to drain: tells who wants to know, from the loop; whoever watches later too.
  void shut_down(Loop& loop, const std::shared_ptr<HandlerTasks>& self);

  struct Node {
    Node* next = nullptr;
    Node* prev = nullptr;
  };

 private:
  void tell_soon();

  Node running_;  // a ring
  std::vector<std::weak_ptr<AnswerState>> watching_;
  std::size_t purge_at_ = 64;
  Loop* draining_ = nullptr;
  std::weak_ptr<HandlerTasks> self_;
};

}  // namespace pronghorn::server
