// SPDX-License-Identifier: Apache-2.0
// The write side of a session: answers to bytes, and what an answer does to the connection.
#include <pronghorn/base/counters.h>
#include <pronghorn/base/log.h>
#include <pronghorn/server/date.h>

#include "server/answer_state.h"
#include "server/body_state.h"
#include "server/exchange.h"
#include "server/handler_tasks.h"
#include "server/serializer.h"
#include "server/session.h"
#include "server/syntax.h"

#include <string_view>
#include <utility>

namespace pronghorn::server {

using namespace std::string_view_literals;

/// Counts an answer, and decides whether the connection goes on after it.
AnswerFraming Session::begin_answer() {
  Exchange& ex = *exchange_;
  const config::Limits& limits = context_.limits;
  ++batch_;
  ++requests_;
  bool last = context_.draining ||
              (limits.requests_per_connection != 0 && requests_ >= limits.requests_per_connection);
  // A body that nobody waits for: read if it is short; one that the client may hold back until it
  // is asked for cannot be told from the next request.
  bool unread = stage_ == Stage::body && ex.streams_body &&
                ((ex.facts.expects_continue && !ex.body_asked) ||
                 (!ex.parser.is_chunked() &&
                  ex.parser.content_length() - ex.body.received() > limits.linger));
  if ((last || unread) && close_ == Close::no) close_ = Close::ours;
  return {
      .date = context_.date.text(),
      // HTTP/1.1 needs no keep-alive; nginx and Node say it, and what reads answers looks for it.
      .connection = close_ != Close::no ? "close"sv : "keep-alive"sv,
      .is_head = ex.check.is_head_request()};
}

/// What was routed passes the middleware on its way out. False: that threw.
bool Session::run_after(Response& response) noexcept {
  Exchange& ex = *exchange_;
  auto& router = context_.router.impl();
  if (!ex.routed || !router.has_after()) return true;
  return guarded(&ex.request, [&] { router.run_after(ex.request, response); });
}

std::string_view Session::request_id() noexcept {
  // Of a head that could not be read the fields may not be all: none is trusted.
  if (!exchange_->parser.head_done()) return exchange_->id.get({});
  return exchange_->id.get(exchange_->parser.fields());
}

/// Where every answer says how its request is called.
void Session::put_id(Response& response) {
  response.set_header(std::string(RequestId::kField), std::string(request_id()));
}

void Session::log_unsendable(const Response& response) {
  const Exchange& ex = *exchange_;
  log::error("response not sendable", {{"method", ex.check.method_text(ex.head_view)},
                                       {"path", ex.target.path},
                                       {"status", response.status()},
                                       {"why", unsendable_part(response)},
                                       {"request_id", request_id()}});
}

void Session::answer(Response&& response, std::string& out) {
  Exchange& ex = *exchange_;
  if (!run_after(response)) response = Response::error(500);
  if (!is_sendable(response)) {
    log_unsendable(response);
    response = Response::error(500);
  }
  if (context_.answers_id) put_id(response);
  AnswerFraming framing = begin_answer();
  if (response.is_page()) {
    framing.page_form = choose_text_form(ex.parser.fields());
    if (response.status() >= 400) framing.request_id = request_id();
  }
  std::size_t before = out.size();
  std::uint64_t bytes = serialize(response, framing, out);
  std::size_t size = out.size() - before;
  int status = response.status();
  // A text has gone out with the head.
  bool goes_on = bytes > 0 && !std::holds_alternative<std::string>(response.body()) &&
                 ex.source.begin(response.take_body(), out);
  finish_answer({.status = status,
                 .body_bytes = bytes,
                 .bytes_out = goes_on ? size + bytes : out.size() - before,
                 .head = {out.data() + before, size},
                 .waiting = bytes});
}

/// Informational answers are the request's, and come before its answer.
void Session::put_interim(std::string_view bytes, std::string& out) {
  out.append(bytes);
  exchange_->interim_bytes += bytes.size();
}

/// What is small leaves with its pipelined neighbours, and its line is written at once. Of what is
/// not, the access log hears when the kernel has taken it.
void Session::finish_answer(const Finished& answer) {
  Exchange& ex = *exchange_;
  count_answer(answer.status);
  bool waits = ex.source.is_open();
  // What is kept with the request may look at it in its end, and the request does not stay.
  if (!ex.answer) RequestBuilder::end(ex.locals);
  if (context_.access_log != nullptr) {
    waits = waits || answer.waiting > kCopiedBytes ||
            (context_.owner != nullptr && context_.owner->unsent_output() > 0);
    waits ? begin_record(answer) : record(answer, requests_ - 1);
  }
  if (!waits) return end_exchange();
  stage_ = Stage::file;
}

/// `out` has the last of it.
void Session::finish_stream(const AnswerState& a, std::string_view out) {
  finish_answer({.status = a.status,
                 .body_bytes = a.bodiless ? 0 : a.written,
                 .bytes_out = a.bytes_out,
                 .head = a.head_text,
                 .waiting = out.size()});
}

void Session::count_answer(int status) noexcept {
  context_.counters.requests.add(1);
  if (status >= 500) context_.counters.requests_failed.add(1);
}

/// Answers with an error and ends the connection: what follows cannot be told from what was
/// refused.
void Session::refuse(int status, std::string& out) {
  close_ = Close::ours;
  if (exchange_->answer) return abandon(status, out);
  if (exchange_->discards) {
    stage_ = Stage::closing;  // it was answered
    linger_ = !eof_;
    return;
  }
  answer(Response::error(status), out);
}

/// The answer is out, its file included.
void Session::end_exchange() noexcept {
  Exchange& ex = *exchange_;
  if (active_) context_.counters.requests_active.sub(1);
  active_ = false;
  bool unread = ex.streams_body && !ex.parser.complete();
  if (ex.body_state && !ex.answer) {  // else it is told with the writer (AnswerState::orphan)
    auto body = std::exchange(ex.body_state, nullptr);
    auto on_error = body->detach();
    Error over(Errc::stream_destroyed, make_error_code(Errc::stream_destroyed).message());
    guarded(&ex.request, [&] { body->fail(over, on_error); });
  }
  if (!ex.answer) RequestBuilder::end(ex.locals);
  if (close_ == Close::no) {
    stage_ = unread ? Stage::body : Stage::start;
    if (!unread) return;
    ex.discards = true;
    ex.discard_until = ex.body.received() + context_.limits.linger;
    ex.parser.drop_body();
    ex.parser.store_body(false);
    return;
  }
  stage_ = Stage::closing;
  // A client that asked for the close sends nothing more; one that was cut short may be sending.
  linger_ = (close_ == Close::ours || unread) && !eof_;
}

}  // namespace pronghorn::server
