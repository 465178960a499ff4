// SPDX-License-Identifier: Apache-2.0
// What handlers say later: answers in pieces, bodies as they come, connections that are taken over.
#include <pronghorn/base/log.h>

#include "server/access_log.h"
#include "server/answer_state.h"
#include "server/body_state.h"
#include "server/buffer.h"
#include "server/exchange.h"
#include "server/handler_tasks.h"
#include "server/serializer.h"
#include "server/session.h"
#include "server/status.h"
#include "server/syntax.h"

#include <algorithm>
#include <utility>

namespace pronghorn::server {
namespace {

/// What a refusal means to the reader of a body.
Errc body_error(int status, bool eof) noexcept {
  if (status == 413) return Errc::body_too_large;
  if (status == 408) return Errc::body_timeout;
  if (status == 503) return Errc::stream_destroyed;
  return eof ? Errc::body_incomplete : Errc::protocol;
}

}  // namespace

/// Puts out what the handler has said since the last time.
void Session::advance(std::string& out) {
  using enum AnswerState::Stage;
  AnswerState& a = *exchange_->answer;
  a.told = false;
  switch (a.stage) {
    case waiting:
      put_interim(a.output, out);
      clear_buffer(a.output);
      break;
    case responded: {
      auto done = std::move(exchange_->answer);
      put_interim(done->output, out);
      answer(*std::exchange(done->head, {}), out);
      done->finish();
      break;
    }
    case started:
    case ended:
      stream(out);
      break;
    case upgraded:
    case shut:
      take_over(out);
      break;
    case failed:
      fail(out);
      break;
    case finished:
      break;
  }
}

/// The handler will say nothing more.
void Session::fail(std::string& out) {
  AnswerState& a = *exchange_->answer;
  if (a.started_before_failure) return cut(out);
  put_interim(a.output, out);
  if (exchange_->answer.use_count() > 1) {
    // Somebody who may look at the request still holds the writer: it is theirs.
    close_ = Close::ours;
    return answer(Response::error(a.fail_status), out);
  }
  auto done = std::move(exchange_->answer);
  answer(Response::error(done->fail_status), out);
}

/// Answers for a handler that was too late, or whose request turned out to be wrong. What it still
/// looks at is kept for it (release_exchange).
void Session::abandon(int status, std::string& out) {
  using enum AnswerState::Stage;
  Exchange& ex = *exchange_;
  AnswerState& a = *ex.answer;
  if (a.stage != waiting && a.stage != started && a.stage != upgraded) return advance(out);
  ex.why = body_error(status, eof_);
  if (status == 503) {
    log::warn("handler did not answer in time", {{"method", ex.request.method()},
                                                 {"path", ex.request.path()},
                                                 {"request_id", request_id()}});
  }
  close_ = Close::ours;
  if (a.stage != waiting) return cut(out);
  put_interim(a.output, out);
  answer(Response::error(status), out);
}

/// False: the middleware made something of it that cannot be sent; it is answered.
bool Session::put_head(std::string& out) {
  AnswerState& a = *exchange_->answer;
  bool never = is_bodiless(a.head->status());
  bool fine = run_after(*a.head) && is_sendable(*a.head) && is_bodiless(a.head->status()) == never;
  put_interim(std::string_view(a.output).substr(0, a.head_at), out);
  a.output.erase(0, a.head_at);
  if (!fine) {
    if (!is_sendable(*a.head)) log_unsendable(*a.head);
    close_ = Close::ours;
    answer(Response::error(500), out);
    return false;
  }
  if (context_.answers_id) put_id(*a.head);
  bool to_the_end = !a.chunked && !a.length && !a.bodiless;
  if (to_the_end && close_ == Close::no) close_ = Close::ours;
  AnswerFraming framing = begin_answer();
  framing.is_streamed = a.head->status() != 205;
  framing.is_chunked = a.chunked;
  if (framing.is_streamed) framing.length = a.length;
  std::size_t before = out.size();
  serialize(*a.head, framing, out);
  a.bytes_out = out.size() - before;
  if (context_.access_log && context_.access_log->wants_answer_head()) {
    a.head_text = std::string_view(out).substr(before);
  }
  a.status = a.head->status();
  a.head_sent = true;
  a.head.reset();
  return true;
}

void Session::stream(std::string& out) {
  AnswerState& a = *exchange_->answer;
  if (!a.head_sent && !put_head(out)) return;
  out.append(a.output);
  a.bytes_out += a.output.size();
  clear_buffer(a.output);
  if (a.stage != AnswerState::Stage::ended) return;
  auto done = std::move(exchange_->answer);
  finish_stream(a, out);
  done->finish();
}

/// An answer that has begun and has no end: the client must see that.
void Session::cut(std::string& out) {
  AnswerState& a = *exchange_->answer;
  close_ = Close::ours;
  if (a.is_upgrade) {
    reset_ = true;
    exchange_->was_cut = true;
    if (!a.head_sent) put_switching(out);
    return end_exchange();
  }
  if (!a.head_sent && !put_head(out)) return;
  out.append(a.output);
  a.bytes_out += a.output.size();
  clear_buffer(a.output);
  // A last chunk, or bytes of a length, are missing; else nothing but a reset tells.
  reset_ = !a.chunked && (!a.length || a.written == *a.length);
  exchange_->was_cut = true;
  finish_stream(a, out);
}

bool Session::may_upgrade() const noexcept {
  const Exchange& ex = *exchange_;
  return ex.facts.asks_upgrade && ex.parser.complete() && ex.request.has_header("upgrade");
}

void Session::take_over(std::string& out) {
  AnswerState& a = *exchange_->answer;
  if (!a.head_sent) put_switching(out);
  out.append(a.output);
  clear_buffer(a.output);
  if (a.stage == AnswerState::Stage::shut) end_exchange();
}

/// The 101: all that HTTP has to say of the request.
void Session::put_switching(std::string& out) {
  AnswerState& a = *exchange_->answer;
  begin_answer();
  close_ = Close::ours;
  put_interim(std::string_view(a.output).substr(0, std::min(a.head_at, a.output.size())), out);
  a.output.erase(0, a.head_at);
  if (context_.answers_id) put_id(*a.head);
  std::size_t before = out.size();
  serialize_informational(101, a.head->headers(), out);
  a.head_sent = true;
  a.head.reset();
  stage_ = Stage::upgraded;
  std::string_view sent = std::string_view(out).substr(before);
  count_answer(101);
  if (context_.access_log == nullptr) return;
  record({.status = 101, .bytes_out = sent.size(), .head = sent}, requests_ - 1);
}

void Session::deliver_upgraded(std::string_view& in, std::string& out) {
  exchange_->answer->deliver(std::exchange(in, {}));
  advance(out);
}

/// A piece of the body is in the parser: to its reader.
void Session::deliver_body(bool last, std::string& out) {
  Exchange& ex = *exchange_;
  auto answer_state = ex.answer;
  auto body = ex.body_state;
  if (last) stage_ = Stage::handler;
  answer_state->told = true;
  if (!guarded(&ex.request, [&] { body->deliver(ex.parser.body(), last); })) answer_state->fail();
  ex.parser.drop_body();
  answer_state.reset();
  advance(out);
}

/// The body is read when it is buffered, dropped, or asked for.
bool Session::reads_body() const noexcept {
  const Exchange& ex = *exchange_;
  return !ex.streams_body || ex.discards || (ex.body_state && ex.body_state->wants());
}

/// Of a reader: from anywhere.
void Session::on_body_asked() noexcept {
  Exchange& ex = *exchange_;
  if (!ex.answer) return;
  ex.body_asked = true;
  if (std::exchange(ex.awaits_continue, false) && ex.held_back() == 0) ex.answer->put_continue();
  ex.answer->tell();
}

}  // namespace pronghorn::server
