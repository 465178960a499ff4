// SPDX-License-Identifier: Apache-2.0
// Requests to handlers. One of the value's shape answers in call_handler(); the others leave an
// AnswerState, which advance() puts out whenever there is something new (session_stream.cpp).
#include <pronghorn/base/counters.h>

#include "server/answer_state.h"
#include "server/body_state.h"
#include "server/exchange.h"
#include "server/handler_tasks.h"
#include "server/session.h"

#include <string>
#include <utility>

namespace pronghorn::server {

std::shared_ptr<HandlerTasks> make_handler_tasks() { return std::make_shared<HandlerTasks>(); }

/// The request is here in full, or its answer needs no more of it, or its handler reads the rest.
void Session::dispatch(std::string& out) {
  Exchange& ex = *exchange_;
  if (ex.route.handler == nullptr) return answer(answer_without_handler(), out);
  if (!ex.routed || stage_ == Stage::body) build_request();  // the middleware saw no body
  ex.route.handler->value() != nullptr ? call_handler(out) : call_later_handler(out);
}

/// The middleware's turn, before a body is read. True: it has answered.
bool Session::ask_middleware(std::string& out) {
  Exchange& ex = *exchange_;
  auto& router = context_.router.impl();
  if (!router.has_middleware()) return false;
  build_request();
  if (!router.has_before()) return false;
  std::optional<Response> early;
  if (!guarded(&ex.request, [&] { early = router.run_before(ex.request); })) {
    early = Response::error(500);
  }
  if (!early) return false;
  ex.streams_body = true;  // what there is of a body is nobody's
  if (!ex.parser.complete()) stage_ = Stage::body;
  answer(std::move(*early), out);
  return true;
}

void Session::build_request() {
  Exchange& ex = *exchange_;
  ex.routed = true;
  RequestBuilder builder{ex.request};
  builder.peer(peer()).body(ex.parser.body());
  if (std::exchange(ex.is_built, true)) return;  // for the middleware, or its head is known
  builder.method(ex.check.method_text(ex.head_view))
      .target(ex.check.target(ex.head_view))
      .path(ex.target.path)
      .query(ex.target.query)
      .host(host())
      .version(ex.check.minor_version() == 0 ? 10 : 11)
      .headers(ex.parser.fields())
      .params(ex.route_scratch.params)
      .body_state(&ex.body_state)
      .locals(&ex.locals);
}

Response Session::answer_without_handler() {
  Exchange& ex = *exchange_;
  if (ex.retry_after_s != 0) {
    return Response::error(429).header("Retry-After", std::to_string(ex.retry_after_s));
  }
  Method method = ex.check.method();
  if (ex.target.path == "*") {
    return Response(204).header("Allow", MethodSet::common().text());  // RFC 9110 §9.3.7
  }
  const MethodSet& allowed = ex.route.allowed;
  if (allowed.empty()) return Response::error(method == HTTP_TRACE ? 501 : 404);
  return (method == HTTP_OPTIONS ? Response(204) : Response::error(405))
      .header("Allow", allowed.text());
}

void Session::call_handler(std::string& out) {
  Exchange& ex = *exchange_;
  auto& in_hand = context_.counters.in_hand;
  in_hand.begin(ex.request.method(), ex.request.target(), context_.now_ms);
  auto call = [&]() -> Response {
    try {
      return (*ex.route.handler->value())(ex.request);
    } catch (...) {
      return Response::error(report_failure(&ex.request));
    }
  };
  Response response = call();  // made where it stays: it is moved nowhere
  in_hand.end();
  auto& router = context_.router.impl();
  if (response.status() == kAnsweredLater && ex.route.handler == &router.fallback &&
      router.fallback_later) {
    // As for any handler that answers later: it looks when the receive buffer holds other bytes.
    understand_copy();
    build_request();
    ex.route.handler = &router.fallback_later;
    ex.known = false;
    return call_later_handler(out);
  }
  answer(std::move(response), out);
}

void Session::call_later_handler(std::string& out) {
  Exchange& ex = *exchange_;
  auto& in_hand = context_.counters.in_hand;
  // All that the request shows must outlive the receive buffer and the connection.
  ex.parser.keep_body();
  ex.peer.assign(peer());
  RequestBuilder{ex.request}.body(ex.parser.body()).peer(ex.peer);
  auto answer = ex.answer = std::make_shared<AnswerState>(*this);
  if (ex.streams_body) {
    ex.body_state = std::make_shared<BodyState>(*this);
  } else {
    stage_ = Stage::handler;
  }
  answer->told = true;  // advance() comes below
  in_hand.begin(ex.request.method(), ex.request.target(), context_.now_ms);
  try {
    if (auto* waiting = ex.route.handler->waiting()) {
      context_.tasks->start((*waiting)(ex.request), answer);
    } else {
      (*ex.route.handler->writing())(ex.request, ResponseWriter(answer));
    }
  } catch (...) {
    answer->fail_with(report_failure(&ex.request));
  }
  in_hand.end();
  answer.reset();  // fail() looks who else has it
  advance(out);
}

}  // namespace pronghorn::server
