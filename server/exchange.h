// SPDX-License-Identifier: Apache-2.0
// The memory of one request in hand. A session takes one from the pool when a request's first byte
// is here and gives it back when the connection is idle, so thousands of idle connections own none.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/error_code.h>
#include <pronghorn/server/locals.h>
#include <pronghorn/server/response.h>

#include "server/body_reader.h"
#include "server/body_source.h"
#include "server/framing.h"
#include "server/head_check.h"
#include "server/parser.h"
#include "server/request_id.h"
#include "server/router_impl.h"
#include "server/target.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace pronghorn::server {

struct AnswerState;
class BodyState;

/// What the access log will say of an answer that the kernel has not taken yet.
struct SentAnswer {
  bool is_open = false;
  int status = 0;
  std::uint64_t body_bytes = 0;  ///< when all of it is sent
  std::uint64_t bytes_out = 0;   ///< the same, with the head
  std::string head;              ///< for a log that wants it
};

struct Exchange {
  explicit Exchange(bool trusts_ids);

  HeadCheck check;
  Parser parser;
  BodyReader body;
  HeadFacts facts;
  Target target;
  RouteScratch route_scratch;
  RouteMatch route;
  Request request;
  std::string
      head;  // of a head that came in pieces, was rewritten, waits for its body, or is known
  std::string_view head_view;  // the head: in `head`, or in the bytes being read
  std::string pending;         // input held back
  std::size_t pending_at = 0;
  BodySource source;  // of the answer in hand
  // Of a handler that answers later, or reads the body as it comes (session_handler.cpp).
  std::shared_ptr<AnswerState> answer;    // until the answer is out
  std::shared_ptr<BodyState> body_state;  // from when somebody may read it
  std::string peer;                       // the client's address, which outlives the session here
  std::int64_t input_ms = 0;              // when bytes last came
  std::int64_t body_waited_ms = 0;   // time for which the body was awaited in earlier stretches
  Errc why = Errc::body_incomplete;  // what became of the body, when the answer was given up
  bool streams_body = false;         // the handler was called at the head's end
  std::uint64_t discard_until = 0;   // BodyReader::received() at most, when:
  bool discards = false;             // answered; the rest of the body is only read
  bool awaits_continue = false;      // the client may wait for a 100 before it sends the body
  bool body_asked = false;           // a handler has asked for it
  bool routed = false;               // `request` is filled

  SentAnswer sent;
  std::uint64_t interim_bytes = 0;  // of informational answers, as put out
  bool was_cut = false;             // the answer has begun and has no end
  std::uint32_t retry_after_s = 0;  // not 0: the client asks too often (429)
  RequestId id;
  Instant started;           // the head's end; only kept for the access log
  Exchange* next = nullptr;  // in the pool, which owns it
  Locals locals;  // of `request`, which what is kept may look at in its end: the first to go

  /// Before each request; `pending` stays.
  void reset() noexcept {
    check.reset();
    parser.reset();
    body = BodyReader{};
    facts = HeadFacts{};
    target = Target{};
    head.clear();
    head_view = {};
    known = is_built = false;
    reset_answer();
  }
  /// The same before a request whose head is known().
  void reset_answer() noexcept {
    sent.is_open = was_cut = false;
    interim_bytes = 0;
    body_waited_ms = 0;
    why = Errc::body_incomplete;
    streams_body = discards = awaits_continue = body_asked = routed = false;
    retry_after_s = 0;
    id.clear();
  }

  // Who asks the same again (a poll, a probe, a browser's reload, a load generator) sends the same
  // bytes, and what was made of them depends on nothing else but the router: they are compared, and
  // not read again. Heads of requests without a body only; kept from the second time on, so that
  // those that come once cost no copy.

  /// Whether `in` begins with the head that was read last, all of which still stands here.
  bool is_known(std::string_view in, const Router::Impl& router) const noexcept {
    return known && in.size() >= head.size() &&
           std::memcmp(in.data(), head.data(), head.size()) == 0 &&
           router_changes == router.changes;
  }
  /// The head has been read, and its request has no body. @returns true when it came before: it is
  /// to be kept, by keep_head(), and what was made of its bytes made anew of the copy
  bool comes_again() noexcept;
  bool known = false;                // `head` is the last one's, and all that was made of it stands
  bool is_built = false;             // `request` as well
  std::uint32_t router_changes = 0;  // when it was made
  std::uint32_t last_size = 0;       // of the last head that was not known; its begin:
  std::array<char, 48> last_begin{};
  /// Copies the head to memory of its own; fields that were parsed move with it.
  void keep_head();
  std::size_t held_back() const noexcept { return pending.size() - pending_at; }
};

/// Free exchanges, kept for reuse with their buffers' capacity.
class ExchangePool {
 public:
  explicit ExchangePool(bool trusts_ids) noexcept : trusts_ids_(trusts_ids) {}
  ExchangePool(const ExchangePool&) = delete;
  ExchangePool& operator=(const ExchangePool&) = delete;
  std::unique_ptr<Exchange> take();
  void give_back(std::unique_ptr<Exchange> exchange) noexcept;
  ~ExchangePool();

 private:
  Exchange* free_ = nullptr;  // a list
  std::size_t count_ = 0;
  bool trusts_ids_;
};

}  // namespace pronghorn::server
