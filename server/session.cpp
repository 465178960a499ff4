// SPDX-License-Identifier: Apache-2.0
// The session as its connection sees it: what comes in, what is waited for, how it ends.
#include "server/session.h"

#include <pronghorn/base/counters.h>

#include "server/answer_state.h"
#include "server/exchange.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pronghorn::server {

Session::Session(SessionContext& context, std::string_view peer, std::uint16_t port)
    : context_(context), port_(port), peer_(peer) {}

Session::~Session() {
  if (active_) context_.counters.requests_active.sub(1);
  release_exchange();
}

Exchange& Session::exchange() {
  if (!exchange_) exchange_ = context_.pool->take();
  return *exchange_;
}

/// A handler that has not answered keeps what it may still look at.
void Session::release_exchange() noexcept {
  if (!exchange_) return;
  if (!exchange_->answer) return context_.pool->give_back(std::move(exchange_));
  AnswerState::orphan(std::move(exchange_), context_);
}

void Session::on_bytes(std::string_view bytes, std::string& out) {
  batch_ = 0;
  consume(bytes, out);
}

void Session::consume(std::string_view in, std::string& out) {
  const config::Limits& limits = context_.limits;
  while (!in.empty()) {
    switch (stage_) {
      case Stage::start:
        // Bounds what one call works and what one client's answers occupy.
        if (batch_ >= limits.pipeline || (batch_ > 0 && out.size() >= limits.write_buffer)) {
          stage_ = Stage::held;
        } else if (skip_empty_lines(in, out)) {
          read_head(in, out);
        }
        break;
      case Stage::head:
        read_head(in, out);
        break;
      case Stage::body:
        if (!reads_body()) return hold_back(in);
        read_body(in, out);
        break;
      case Stage::upgraded:
        if (!exchange_->answer->wants_data()) return hold_back(in);
        deliver_upgraded(in, out);
        break;
      case Stage::handler:
      case Stage::held:
      case Stage::file:
        hold_back(in);
        return;
      case Stage::closing:
        // Nothing more is processed after a request with close (RFC 9112 §9.6).
        linger_ = !eof_;
        in = {};
        break;
    }
  }
  if (stage_ == Stage::start || stage_ == Stage::closing) release_exchange();
}

void Session::hold_back(std::string_view in) {
  Exchange& ex = exchange();
  const char* begin = ex.pending.data();
  if (std::less_equal<>{}(begin, in.data()) &&
      std::less<>{}(in.data(), begin + ex.pending.size())) {
    ex.pending_at = static_cast<std::size_t>(in.data() - begin);  // still the same bytes
  } else {
    ex.pending.erase(0, ex.pending_at).append(in);
    ex.pending_at = 0;
  }
}

void Session::resume(std::string& out) {
  batch_ = 0;
  if (exchange_) {
    // Nothing is left of it unless hold_back() says so.
    Exchange& ex = *exchange_;
    consume(std::string_view(ex.pending).substr(std::exchange(ex.pending_at, ex.pending.size())),
            out);
  }
  if (eof_) finish_eof(out);
}

void Session::on_writable(std::string& out) {
  if (stage_ == Stage::held) {
    stage_ = Stage::start;
    resume(out);
  } else if (stage_ == Stage::file) {
    if (!exchange_->source.is_open()) on_file_sent(out);
  } else if (wants_writable()) {
    exchange_->answer->drained();
    on_output(out);
  }
}

void Session::on_output(std::string& out) {
  batch_ = 0;
  if (exchange_ && exchange_->answer && stage_ != Stage::file) advance(out);
  resume(out);
}

void Session::on_file_sent(std::string& out) {
  if (stage_ != Stage::file || exchange_->source.next(out)) return;
  if (exchange_->sent.is_open) end_record(0);
  end_exchange();
  resume(out);
}

void Session::on_eof(std::string& out) {
  eof_ = true;
  linger_ = false;  // all that the client sent has been read
  finish_eof(out);
}

void Session::finish_eof(std::string& out) {
  switch (stage_) {
    case Stage::start:
      stage_ = Stage::closing;
      break;
    case Stage::head:
      // Half a request line asks nothing: a client that left, not one that waits (RFC 9112 §8).
      if (exchange_->check.in_request_line()) {
        stage_ = Stage::closing;
        break;
      }
      refuse(400, out);
      break;
    case Stage::body:
      // Held back: it may be all here.
      if (exchange_->held_back() == 0) refuse(400, out);
      break;
    case Stage::upgraded:
      if (exchange_->held_back() > 0) break;
      exchange_->answer->client_ended();
      advance(out);
      break;
    case Stage::handler:
      on_client_end(out);
      break;
    case Stage::held:
    case Stage::file:
    case Stage::closing:
      break;
  }
  if (stage_ == Stage::closing) release_exchange();
}

/// It may still want its answer: only a handler that asked hears of it.
bool Session::on_client_end(std::string& out) {
  if (stage_ != Stage::handler || !exchange_->answer) return false;
  AnswerState& answer = *exchange_->answer;
  if (!answer.on_end || answer.client_done) return false;
  answer.client_ended();
  advance(out);
  resume(out);
  return true;
}

void Session::on_timeout(std::string& out) {
  Phase late = phase();
  if (late == Phase::handling) {
    abandon(503, out);
  } else if (late == Phase::head || late == Phase::body) {
    refuse(408, out);
  } else {
    stage_ = Stage::closing;
  }
  if (stage_ == Stage::closing) release_exchange();
}

Session::Phase Session::phase() const noexcept {
  switch (stage_) {
    case Stage::start:
      return Phase::idle;
    case Stage::head:
      return Phase::head;
    case Stage::body:
      if (reads_body()) return Phase::body;
      [[fallthrough]];
    case Stage::handler:
    case Stage::upgraded:
      return exchange_->answer->stage == AnswerState::Stage::waiting ? Phase::handling
                                                                     : Phase::streaming;
    case Stage::held:
    case Stage::file:
      return Phase::answering;
    case Stage::closing:
      break;
  }
  return Phase::closing;
}

bool Session::wants_input() const noexcept {
  switch (stage_) {
    case Stage::start:
    case Stage::head:
      return true;
    case Stage::body:
      return reads_body();
    case Stage::handler:
      // To see a client leave; what it sends meanwhile is kept, up to one read.
      return exchange_->held_back() == 0;
    case Stage::upgraded:
      return exchange_->answer->wants_data();
    case Stage::held:
    case Stage::file:
    case Stage::closing:
      break;
  }
  return false;
}

bool Session::wants_writable() const noexcept {
  return stage_ == Stage::held || (stage_ == Stage::file && !exchange_->source.is_open()) ||
         (exchange_ && exchange_->answer && exchange_->answer->needs_drain);
}

BodyPiece* Session::take_file() noexcept { return exchange_ ? exchange_->source.take() : nullptr; }

std::uint64_t Session::body_received() const noexcept {
  return stage_ == Stage::body ? exchange_->body.received() : 0;
}

std::int64_t Session::body_waited_ms() const noexcept {
  return stage_ == Stage::body ? exchange_->body_waited_ms : 0;
}

std::int64_t Session::input_ms() const noexcept {
  return stage_ == Stage::body ? exchange_->input_ms : 0;
}

void Session::note_input(std::int64_t now_ms) noexcept {
  if (exchange_) exchange_->input_ms = now_ms;
}

void Session::add_body_wait(std::int64_t ms) noexcept {
  if (exchange_) exchange_->body_waited_ms += ms;
}

}  // namespace pronghorn::server
