// SPDX-License-Identifier: Apache-2.0
// The session's side of an answer: what it calls when the client took something, sent something, or
// left. All that runs a handler's code runs it behind guarded().
#include "server/answer_state.h"
#include "server/body_state.h"
#include "server/buffer.h"
#include "server/handler_tasks.h"
#include "server/session.h"

#include <utility>

namespace pronghorn::server {
namespace {

/// Calls a listener that may replace itself, and may make `owner` let go of all of them.
template <class Function, class... Args>
void call_listener(AnswerState& owner, Function& listener, Args... args) {
  if (!listener) return;
  auto alive = owner.shared_from_this();
  Function call = std::exchange(listener, nullptr);
  if (!guarded(owner.request, [&] { call(args...); })) owner.fail();
  if (!listener && owner.stage != AnswerState::Stage::finished && owner.session != nullptr) {
    listener = std::move(call);
  }
}

}  // namespace

void AnswerState::drained() {
  needs_drain = false;
  told = true;  // the session looks right after this
  call_listener(*this, on_drain);
}

void AnswerState::shut_down() {
  if (session == nullptr || !on_shutdown) return;
  auto call = std::exchange(on_shutdown, nullptr);
  if (!guarded(request, call)) fail();
}

void AnswerState::deliver(std::string_view bytes) {
  told = true;
  call_listener(*this, on_data, bytes);
}

void AnswerState::client_ended() {
  if (std::exchange(client_done, true)) return;
  told = true;
  if (on_end) return call_listener(*this, on_end);
  if (stage == Stage::upgraded) stage = Stage::shut;
}

/// A listener may own the writer, which owns us: they go with what this returns.
AnswerState::Listeners AnswerState::take_listeners() noexcept {
  return {.drain = std::exchange(on_drain, nullptr),
          .close = std::exchange(on_close, nullptr),
          .end = std::exchange(on_end, nullptr),
          .shutdown = std::exchange(on_shutdown, nullptr),
          .data = std::exchange(on_data, nullptr)};
}

void AnswerState::finish() noexcept {
  session = nullptr;
  request = nullptr;
  stage = Stage::finished;
  auto alive = shared_from_this();
  take_listeners();
}

void AnswerState::orphan(std::unique_ptr<Exchange> exchange, const SessionContext& context) {
  Error why(exchange->why, make_error_code(exchange->why).message());
  auto answer = std::move(exchange->answer);
  auto body = std::move(exchange->body_state);
  answer->session = nullptr;
  let_go(answer->output);  // nobody takes it any more, and the writer may be kept for long
  answer->exchange = std::move(exchange);
  // What is told belongs to the closure: where it never runs, nothing is kept alive by itself.
  auto tell_it = [answer, listeners = answer->take_listeners(), body,
                  on_error = body ? body->detach() : nullptr, why = std::move(why)] {
    if (body) guarded(answer->request, [&] { body->fail(why, on_error); });
    if (listeners.close) guarded(answer->request, listeners.close);
  };
  // We may be deep in a connection's end, and listeners may end the server.
  if (context.loop == nullptr) return tell_it();
  context.loop->defer([tell_it = std::move(tell_it), server = std::weak_ptr(context.tasks)] {
    if (!server.expired()) tell_it();
  });
}

}  // namespace pronghorn::server
