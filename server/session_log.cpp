// SPDX-License-Identifier: Apache-2.0
// What a session tells the access log.
#include <pronghorn/base/counters.h>

#include "server/access_log.h"
#include "server/answer_state.h"
#include "server/exchange.h"
#include "server/session.h"

#include <algorithm>
#include <chrono>

namespace pronghorn::server {
namespace {

// What nginx writes for a client that left before anything was answered.
constexpr int kClientLeft = 499;

}  // namespace

/// `earlier`: requests of this connection before it.
void Session::record(const Finished& answer, std::uint32_t earlier) noexcept {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  Exchange& ex = *exchange_;
  AccessLog& log = *context_.access_log;
  AccessEntry entry{.client = peer(),
                    .method = ex.check.method_text(ex.head_view),
                    .target = ex.check.target(ex.head_view),
                    .path = ex.target.path,
                    .query = ex.target.query,
                    .protocol = ex.check.protocol(ex.head_view),
                    .host = host(),
                    .fields = ex.parser.fields(),
                    .answer_head = {},
                    .request_id = {},
                    .status = answer.status,
                    .body_bytes = answer.body_bytes,
                    .bytes_in = ex.check.size() + ex.body.received(),
                    .bytes_out = ex.interim_bytes + answer.bytes_out,
                    .earlier_requests = earlier,
                    .port = port_};
  if (close_ != Close::no) entry.connection = AccessEntry::Connection::closed;
  if (ex.was_cut) entry.connection = AccessEntry::Connection::aborted;
  if (log.wants_answer_head()) {
    entry.answer_head = answer.head.substr(0, answer.head.find("\r\n\r\n"));
  }
  if (log.wants_request_id()) entry.request_id = request_id();
  if (active_ && log.wants_duration()) {
    entry.duration_us = duration_cast<microseconds>(Clock::now() - ex.started).count();
  }
  log.record(entry);
}

/// An answer that the kernel takes over several turns: what the line will have is kept until then.
void Session::begin_record(const Finished& answer) {
  Exchange& ex = *exchange_;
  if (ex.head_view.data() != ex.head.data()) {
    // The receive buffer will hold other bytes by then. What was made of these is made of the copy.
    ex.keep_head();
    ex.facts = {};
    ex.target = {};
    read_facts(ex.parser.fields(), ex.check.minor_version(), ex.facts);
    parse_target(ex.check.target(ex.head_view), ex.check.method(), ex.target);
  }
  ex.sent.is_open = true;
  ex.sent.status = answer.status;
  ex.sent.body_bytes = answer.body_bytes;
  ex.sent.bytes_out = answer.bytes_out;
  ex.sent.head.clear();
  if (context_.access_log->wants_answer_head()) {
    ex.sent.head.assign(answer.head.substr(0, answer.head.find("\r\n\r\n")));
  }
}

/// … and written, without the `missing` bytes at its end.
void Session::end_record(std::uint64_t missing) noexcept {
  SentAnswer& sent = exchange_->sent;
  sent.is_open = false;
  record({.status = sent.status,
          .body_bytes = sent.body_bytes - std::min(sent.body_bytes, missing),
          .bytes_out = sent.bytes_out - std::min(sent.bytes_out, missing),
          .head = sent.head},
         requests_ - 1);
}

void Session::on_cut(std::uint64_t unsent) noexcept {
  if (!exchange_) return;
  Exchange& ex = *exchange_;
  const bool is_logged = context_.access_log != nullptr;
  if (!active_ && !ex.sent.is_open) return;
  if (stage_ == Stage::upgraded) return;  // its 101 was all that HTTP has to say
  ex.was_cut = true;
  if (ex.sent.is_open) {
    end_record(unsent + ex.source.left());
  } else if (ex.answer && ex.answer->head_sent) {
    // The framing of chunks that were not taken counts as content that was not.
    const AnswerState& a = *ex.answer;
    count_answer(a.status);
    std::uint64_t body = a.bodiless ? 0 : a.written;
    Finished sent{.status = a.status,
                  .body_bytes = body - std::min(body, unsent + a.output.size()),
                  .bytes_out = a.bytes_out - std::min(a.bytes_out, unsent),
                  .head = a.head_text};
    if (is_logged) record(sent, requests_ - 1);
  } else if (stage_ != Stage::file) {  // whose answer is counted
    count_answer(kClientLeft);
    ex.interim_bytes -= std::min(ex.interim_bytes, unsent);
    if (is_logged) record({.status = kClientLeft, .head = {}}, requests_);
  }
  if (active_) context_.counters.requests_active.sub(1);
  active_ = false;
}

}  // namespace pronghorn::server
