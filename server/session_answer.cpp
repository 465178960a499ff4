// SPDX-License-Identifier: Apache-2.0
// The write side of a session: requests to answers, and what an answer does to the connection.
#include <pronghorn/base/counters.h>
#include <pronghorn/base/log.h>
#include <pronghorn/server/date.h>

#include "server/exchange.h"
#include "server/serializer.h"
#include "server/session.h"
#include "server/status.h"
#include "server/syntax.h"

#include <exception>

namespace pronghorn::server {

/// The request is here in full, or its answer needs no more of it.
void Session::dispatch(std::string& out) {
  Exchange& ex = *exchange_;
  if (ex.route.handler == nullptr) return answer(answer_without_handler(), out);
  RequestBuilder{ex.request}
      .method(ex.check.method_text(ex.head_view))
      .target(ex.check.target(ex.head_view))
      .path(ex.target.path)
      .query(ex.target.query)
      // The authority of an absolute-form replaces Host (RFC 9112 §3.2.2).
      .host(ex.target.authority.empty() ? ex.facts.host : ex.target.authority)
      .peer(peer())
      .body(ex.parser.body())
      .version(ex.check.minor_version() == 0 ? 10 : 11)
      .headers(ex.parser.fields())
      .params(ex.route_scratch.params);
  answer(call_handler(), out);
}

/// The one place where exceptions of handlers are caught.
Response Session::call_handler() {
  Exchange& ex = *exchange_;
  WorkerCounters& counters = context_.counters;
  auto failed = [&](const char* what) {
    counters.in_hand.end();
    log::error("handler failed",
               {{"method", ex.request.method()}, {"path", ex.request.path()}, {"error", what}});
    return Response::error(500);
  };
  counters.in_hand.begin(ex.request.method(), ex.request.target(), context_.now_ms);
  try {
    Response response = (*ex.route.handler)(ex.request);
    counters.in_hand.end();
    return response;
  } catch (const std::exception& error) {
    return failed(error.what());
  } catch (...) {
    return failed("not a std::exception");
  }
}

Response Session::answer_without_handler() {
  Exchange& ex = *exchange_;
  Method method = ex.check.method();
  if (ex.target.path == "*") {
    return Response(204).header("Allow", MethodSet::common().text());  // RFC 9110 §9.3.7
  }
  const MethodSet& allowed = ex.route.allowed;
  if (allowed.empty()) return Response::error(method == HTTP_TRACE ? 501 : 404);
  return (method == HTTP_OPTIONS ? Response(204) : Response::error(405))
      .header("Allow", allowed.text());
}

void Session::answer(Response response, std::string& out) {
  Exchange& ex = *exchange_;
  const config::Limits& limits = context_.limits;
  if (!is_sendable(response)) {
    log::error("response not sendable", {{"method", ex.check.method_text(ex.head_view)},
                                         {"path", ex.target.path},
                                         {"status", response.status()}});
    response = Response::error(500);
  }
  ++batch_;
  ++requests_;
  bool last = context_.draining ||
              (limits.requests_per_connection != 0 && requests_ >= limits.requests_per_connection);
  if (last && close_ == Close::no) close_ = Close::ours;

  AnswerFraming framing{.date = context_.date.text(),
                        .connection = close_ != Close::no             ? "close"
                                      : ex.check.minor_version() == 0 ? "keep-alive"
                                                                      : "",
                        .is_head = ex.check.is_head_request()};
  std::size_t before = out.size();
  std::uint64_t bytes = serialize(response, framing, out);
  int status = response.status();
  context_.counters.requests.add(1);
  if (status >= 500) context_.counters.requests_failed.add(1);
  if (context_.access_log) record(response, bytes, std::string_view(out).substr(before));

  if (bytes > 0 && ex.source.begin(response.take_body(), out)) {
    stage_ = Stage::file;
  } else {
    end_exchange();
  }
}

/// Answers with an error and ends the connection: what follows cannot be told from what was
/// refused.
void Session::refuse(int status, std::string& out) {
  close_ = Close::ours;
  answer(Response::error(status), out);
}

/// The answer is out, its file included.
void Session::end_exchange() noexcept {
  if (active_) context_.counters.requests_active.sub(1);
  active_ = false;
  if (close_ == Close::no) {
    stage_ = Stage::start;
    return;
  }
  stage_ = Stage::closing;
  // A client that asked for the close sends nothing more; one that was cut short may be sending.
  linger_ = close_ == Close::ours && !eof_;
}

}  // namespace pronghorn::server
