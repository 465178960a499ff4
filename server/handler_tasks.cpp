// SPDX-License-Identifier: Apache-2.0
#include "server/handler_tasks.h"

#include <pronghorn/base/log.h>
#include <pronghorn/base/uv/offload.h>
#include <pronghorn/server/body_stream.h>
#include <pronghorn/server/request.h>

#include "server/answer_state.h"

#include <algorithm>
#include <coroutine>
#include <utility>

namespace pronghorn::server {
namespace {

/// A coroutine that is on a list until its end, when its frame goes by itself.
struct Driver {
  struct promise_type : HandlerTasks::Node {
    /// The first parameters of the coroutine.
    explicit promise_type(HandlerTasks::Node& list, auto&...) noexcept {
      prev = list.prev;
      next = &list;
      prev->next = next->prev = this;
    }
    ~promise_type() {
      prev->next = next;
      next->prev = prev;
    }
    Driver get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
  };
};

Driver drive(HandlerTasks::Node&, Task<Response> task, ResponseWriter writer,
             std::shared_ptr<AnswerState> answer) {
  try {
    Response response = co_await task;
    // What it cannot send is a 500, and has nobody to hear of it.
    if (auto sent = writer.respond(std::move(response)); !sent && !writer.is_gone()) {
      log_failure(answer->request, sent.error().message());
    }
  } catch (...) {
    answer->fail_with(report_failure(answer->request));
  }
}

}  // namespace

void log_failure(const Request* request, std::string_view what) noexcept {
  log::error("handler failed", {{"method", request != nullptr ? request->method() : ""},
                                {"path", request != nullptr ? request->path() : ""},
                                {"error", what},
                                {"request_id", request != nullptr ? request->id() : ""}});
}

int report_failure(const Request* request) noexcept {
  try {
    throw;
  } catch (const BodyAborted&) {
    return 400;  // answered already; the client's doing
  } catch (const OffloadQueueFull& error) {
    log::warn("handler turned away", {{"why", error.what()}});
    return 503;
  } catch (const std::exception& error) {
    log_failure(request, error.what());
  } catch (...) {
    log_failure(request, "not a std::exception");
  }
  return 500;
}

HandlerTasks::HandlerTasks() { running_.next = running_.prev = &running_; }

HandlerTasks::~HandlerTasks() {
  while (running_.next != &running_) {
    auto& promise = static_cast<Driver::promise_type&>(*running_.next);
    std::coroutine_handle<Driver::promise_type>::from_promise(promise).destroy();
  }
}

void HandlerTasks::start(Task<Response> task, std::shared_ptr<AnswerState> answer) {
  ResponseWriter writer(answer);
  drive(running_, std::move(task), std::move(writer), std::move(answer));
}

void HandlerTasks::watch(std::weak_ptr<AnswerState> answer) {
  if (watching_.size() >= purge_at_) {
    std::erase_if(watching_, [](const auto& other) { return other.expired(); });
    purge_at_ = std::max<std::size_t>(64, 2 * watching_.size());
  }
  watching_.push_back(std::move(answer));
  if (draining_ != nullptr) tell_soon();
}

void HandlerTasks::shut_down(Loop& loop, const std::shared_ptr<HandlerTasks>& self) {
  draining_ = &loop;
  self_ = self;
  tell_soon();
}

void HandlerTasks::tell_soon() {
  draining_->defer([self = self_] {
    auto tasks = self.lock();
    if (!tasks) return;
    for (const auto& watching : std::exchange(tasks->watching_, {})) {
      if (auto answer = watching.lock()) answer->shut_down();
    }
  });
}

}  // namespace pronghorn::server
