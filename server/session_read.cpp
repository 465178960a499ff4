// SPDX-License-Identifier: Apache-2.0
// The read side of a session: bytes to requests, and the refusals on the way.
#include <pronghorn/base/counters.h>

#include "server/access_log.h"
#include "server/exchange.h"
#include "server/plain_head.h"
#include "server/serializer.h"
#include "server/session.h"

#include <algorithm>
#include <utility>

namespace pronghorn::server {
namespace {

// RFC 9112 §2.2: at least one is to be ignored before a request; more only cost.
constexpr std::uint8_t kEmptyLines = 8;

}  // namespace

/// True when a head's first byte is at the front of `in`.
bool Session::skip_empty_lines(std::string_view& in, std::string& out) {
  while (!in.empty() && (empty_cr_ || in.front() == '\r')) {
    char c = in.front();
    in.remove_prefix(1);
    if (!empty_cr_) {
      empty_cr_ = true;
    } else if (c == '\n' && empty_lines_ < kEmptyLines) {
      empty_cr_ = false;
      ++empty_lines_;
    } else {
      exchange().reset();
      refuse(400, out);
      return false;
    }
  }
  return !in.empty();
}

void Session::read_head(std::string_view& in, std::string& out) {
  const config::Limits& limits = context_.limits;
  Exchange& ex = exchange();
  HeadCheck::Verdict verdict;
  if (stage_ == Stage::start) {
    empty_lines_ = 0;
    if (ex.is_known(in, context_.router.impl())) {
      in.remove_prefix(ex.head.size());
      return begin_known(in, out);
    }
    // Usually the whole head is here and is never copied.
    ex.reset();
    close_ = Close::no;
    if (read_plain(in)) return begin_plain(in, out);
    verdict = ex.check.scan(in, limits);
    ex.head_view = in;
    if (verdict == HeadCheck::Verdict::more) {
      ex.head.assign(in);
      ex.head_view = ex.head;
      in = {};
      stage_ = Stage::head;
      return;
    }
    if (verdict == HeadCheck::Verdict::complete) {
      ex.head_view = in.substr(0, ex.check.size());
      in.remove_prefix(ex.check.size());
    }
  } else {
    // A line at a time, so that what follows the head is not copied too. Never more than the limit.
    auto line = std::min(in.find('\n'), in.size() - 1) + 1;
    auto part = std::min<std::size_t>(line, limits.head + 1 - ex.head.size());
    ex.head.append(in.substr(0, part));
    in.remove_prefix(part);
    verdict = ex.check.scan(ex.head, limits);
    ex.head_view = ex.head;
  }
  if (verdict == HeadCheck::Verdict::complete) {
    begin_request(in, out);
  } else if (verdict == HeadCheck::Verdict::refused) {
    refuse(ex.check.status(), out);
  }
}

/// Whether a whole head that says nothing unusual is at the front of `in`: then it is in the
/// exchange with all that was made of it.
bool Session::read_plain(std::string_view& in) {
  if (!can_read_plain_heads()) return false;
  Exchange& ex = *exchange_;
  PlainHead head{ex.parser.fields(), ex.facts, ex.target};
  const std::size_t size = read_plain_head(in, context_.limits, head);
  if (size == 0) {
    ex.parser.fields().clear();
    ex.target = {};
    return false;
  }
  ex.check.set_plain(head.method, head.target_text.size(), size);
  ex.parser.set_complete();
  ex.head_view = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

void Session::begin_plain(std::string_view in, std::string& out) {
  begin_counting();
  find_route();
  keep_for_later(true);
  admit(in, out);
}

void Session::begin_counting() noexcept {
  context_.counters.requests_active.add(1);
  active_ = true;
  if (context_.access_log != nullptr && context_.access_log->wants_duration()) {
    exchange_->started = Clock::now();
  }
}

/// `in` is what follows the head, which is in the exchange with all that was made of it.
void Session::begin_known(std::string_view in, std::string& out) {
  exchange_->reset_answer();
  begin_counting();
  decide_persistence();
  admit(in, out);
}

/// `in` is what follows the head.
void Session::begin_request(std::string_view in, std::string& out) {
  Exchange& ex = *exchange_;
  begin_counting();
  // RFC 9110 §9.3.6: an origin server has no tunnels; what follows is not ours to read.
  if (ex.check.method() == HTTP_CONNECT) return refuse(501, out);
  if (ex.check.needs_rewrite()) {
    ex.head = ex.check.rewritten(ex.head_view);
    ex.head_view = ex.head;
  }
  if (!ex.parser.feed(ex.head_view) || !ex.parser.head_done()) return refuse(400, out);
  bool body_is_here =
      ex.parser.complete() || (!ex.parser.is_chunked() && ex.parser.content_length() <= in.size());
  if (!body_is_here) ex.keep_head();
  if (int status = understand(); status != 0) return refuse(status, out);
  keep_for_later(ex.parser.complete() && !ex.check.needs_rewrite());
  admit(in, out);
}

/// Copies a head that is looked at when the receive buffer holds other bytes. `may_repeat`: what
/// was made of it is good for the same bytes again.
void Session::keep_for_later(bool may_repeat) {
  Exchange& ex = *exchange_;
  // The handler may look at it when the receive buffer holds other bytes.
  bool outlives_buffer =
      ex.route.handler != nullptr && (ex.route.handler->value() == nullptr || may_answer_later());
  if ((may_repeat && ex.comes_again()) || outlives_buffer) understand_copy();
  ex.known = may_repeat && ex.head_view.data() == ex.head.data();
}

/// Listings: what middleware has seen of the request then must stay as well.
bool Session::may_answer_later() const noexcept {
  const auto& router = context_.router.impl();
  return router.fallback_later && router.has_before() &&
         exchange_->route.handler == &router.fallback;
}

/// Makes what was made of the head's bytes of a copy that stays.
void Session::understand_copy() {
  Exchange& ex = *exchange_;
  if (ex.head_view.data() == ex.head.data()) return;
  ex.keep_head();
  ex.facts = {};
  ex.target = {};
  understand();
}

/// What the head means, beyond its syntax. @returns 0, or the status that refuses it
int Session::understand() {
  Exchange& ex = *exchange_;
  const HeadCheck& check = ex.check;
  if (int status = read_facts(ex.parser.fields(), check.minor_version(), ex.facts); status != 0) {
    return status;
  }
  // Two readers of the framing must agree (request smuggling is when they do not).
  if (ex.facts.has_transfer_encoding != ex.parser.is_chunked()) return 400;
  std::string_view target = check.target(ex.head_view);
  if (int status = parse_target(target, check.method(), ex.target); status != 0) return status;
  find_route();
  return ex.facts.expects_other ? 417 : 0;
}

void Session::find_route() {
  Exchange& ex = *exchange_;
  auto& router = context_.router.impl();
  ex.route = ex.target.path == "*"
                 ? RouteMatch{}
                 : router.match(ex.check.method(), ex.target.path, ex.route_scratch);
  ex.router_changes = router.changes;
  decide_persistence();
}

/// RFC 9112 §9.3
void Session::decide_persistence() noexcept {
  const HeadFacts& facts = exchange_->facts;
  bool persists =
      !facts.asks_close && (exchange_->check.minor_version() > 0 || facts.asks_keep_alive);
  close_ = persists ? Close::no : Close::asked_by_client;
}

/// The authority of an absolute-form replaces Host (RFC 9112 §3.2.2).
std::string_view Session::host() const noexcept {
  const Exchange& ex = *exchange_;
  return ex.target.authority.empty() ? ex.facts.host : ex.target.authority;
}

/// The head is fine: answers now, or begins to read the body.
void Session::admit(std::string_view in, std::string& out) {
  Exchange& ex = *exchange_;
  if (asks_too_often()) {
    ex.route = {};  // 429; the body is read as if nobody wanted it
    ex.known = false;
  }
  bool has_handler = ex.route.handler != nullptr && ex.route.takes_body;
  std::uint64_t limit = context_.limits.body;
  if (has_handler) limit = ex.route.options->body_limit.value_or(limit);
  if (!ex.parser.complete()) ex.body.begin(ex.parser, limit);
  if (ex.retry_after_s != 0) {
    if (context_.router.impl().has_after()) build_request();  // which sees a 429 as well
  } else if (ask_middleware(out)) {
    return;
  }
  if (ex.parser.complete()) return dispatch(out);
  bool too_large = ex.parser.content_length() > limit;
  if (too_large && has_handler) return refuse(413, out);
  if (!has_handler && (too_large || ex.facts.expects_continue)) {
    // The answer is known, and the body is not wanted (RFC 9110 §10.1.1). Whether it comes all the
    // same nobody can say: the connection ends.
    close_ = Close::ours;
    return dispatch(out);
  }
  ex.parser.store_body(has_handler);
  stage_ = Stage::body;
  ex.awaits_continue = ex.facts.expects_continue && in.empty();
  if (has_handler && ex.route.options->stream_body) {
    ex.streams_body = true;
    return dispatch(out);
  }
  if (std::exchange(ex.awaits_continue, false)) put_interim(kContinue, out);
}

void Session::read_body(std::string_view& in, std::string& out) {
  Exchange& ex = *exchange_;
  if (ex.discards) return discard_body(in, out);
  switch (ex.body.read(in, context_.limits)) {
    case BodyReader::Verdict::more:
      if (ex.streams_body) deliver_body(false, out);
      break;
    case BodyReader::Verdict::complete:
      ex.streams_body ? deliver_body(true, out) : dispatch(out);
      break;
    case BodyReader::Verdict::refused:
      refuse(ex.body.status(), out);
      break;
  }
}

/// The rest of the body of a request that is answered: at most limits.linger bytes in all, so that
/// the connection can be used again; else it ends.
void Session::discard_body(std::string_view& in, std::string& out) {
  Exchange& ex = *exchange_;
  std::uint64_t left = ex.discard_until - std::min(ex.discard_until, ex.body.received());
  std::string_view part =
      in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, in.size())));
  auto verdict = part.empty() ? BodyReader::Verdict::refused : ex.body.read(part, context_.limits);
  if (verdict == BodyReader::Verdict::refused) return refuse(ex.body.status(), out);
  in = in.substr(static_cast<std::size_t>(part.data() - in.data()));
  if (verdict == BodyReader::Verdict::complete) stage_ = Stage::start;
}

}  // namespace pronghorn::server
