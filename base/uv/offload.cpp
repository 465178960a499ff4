// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/offload.h>

#include <uv.h>

#include <cassert>
#include <unordered_set>

namespace pronghorn {
namespace {

struct Queue;

struct Request {
  uv_work_t work{};
  std::shared_ptr<detail::OffloadedCall> call;
  Queue* queue = nullptr;  // null: the loop is ending
};

/// Of one loop, which holds it.
struct Queue {
  std::size_t at_most = 1000;
  std::unordered_set<Request*> requests;

  Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() {
    for (Request* request : requests) {
      request->queue = nullptr;
      uv_cancel(reinterpret_cast<uv_req_t*>(&request->work));
    }
  }
};

constexpr char kKey = 0;

Queue& queue_of(Loop& loop) {
  if (void* found = loop.attached(&kKey)) return *static_cast<Queue*>(found);
  auto queue = std::make_shared<Queue>();
  loop.attach(&kKey, queue.get());
  loop.hold(queue);
  return *queue;
}

void on_done(uv_work_t* work, int /*status*/) {
  std::unique_ptr<Request> request(static_cast<Request*>(work->data));
  request->call->request = nullptr;
  if (request->queue == nullptr) return;
  request->queue->requests.erase(request.get());
  // Cancelled calls have nobody who waits.
  if (auto waiter = std::exchange(request->call->waiter, nullptr)) waiter.resume();
}

}  // namespace

void set_offload_queue(Loop& loop, std::size_t at_most) { queue_of(loop).at_most = at_most; }

namespace detail {

OffloadWait::~OffloadWait() {
  call_->waiter = nullptr;
  if (call_->request == nullptr) return;
  uv_cancel(reinterpret_cast<uv_req_t*>(&static_cast<Request*>(call_->request)->work));
}

/// Throws into the coroutine that awaits, which is not suspended then.
void OffloadWait::await_suspend(std::coroutine_handle<> waiter) {
  Queue& queue = queue_of(loop_);
  if (queue.requests.size() >= queue.at_most) throw OffloadQueueFull();
  auto request = std::make_unique<Request>();
  request->work.data = request.get();
  request->call = call_;
  request->queue = &queue;
  call_->waiter = waiter;
  call_->request = request.get();
  queue.requests.insert(request.get());
  [[maybe_unused]] int status = uv_queue_work(
      loop_.native(), &request.release()->work,
      [](uv_work_t* work) { static_cast<Request*>(work->data)->call->run(); }, on_done);
  assert(status == 0 && "uv_queue_work fails without a function only");
}

}  // namespace detail
}  // namespace pronghorn
