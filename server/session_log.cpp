// SPDX-License-Identifier: Apache-2.0
// What a session tells the access log.
#include "server/access_log.h"
#include "server/exchange.h"
#include "server/session.h"

#include <chrono>

namespace pronghorn::server {

/// `sent` begins with the answer's head.
void Session::record(int status, std::uint64_t body_bytes, std::uint64_t bytes_out,
                     std::string_view sent) noexcept {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  Exchange& ex = *exchange_;
  AccessLog& log = *context_.access_log;
  AccessEntry entry{.client = peer(),
                    .method = ex.check.method_text(ex.head_view),
                    .target = ex.check.target(ex.head_view),
                    .path = ex.target.path,
                    .query = ex.target.query,
                    // The authority of an absolute-form replaces Host (RFC 9112 §3.2.2).
                    .host = ex.target.authority.empty() ? ex.facts.host : ex.target.authority,
                    .fields = ex.parser.fields(),
                    .answer_head = {},
                    .version = ex.check.minor_version() == 0 ? 10 : 11,
                    .status = status,
                    .body_bytes = body_bytes,
                    .bytes_in = ex.check.size() + ex.body.received(),
                    .bytes_out = bytes_out,
                    .earlier_requests = requests_ - 1};
  if (close_ != Close::no) entry.connection = AccessEntry::Connection::closed;
  if (log.wants_answer_head()) {
    entry.answer_head = sent.substr(0, sent.find("\r\n\r\n"));
  }
  if (active_) entry.duration_us = duration_cast<microseconds>(Clock::now() - ex.started).count();
  log.record(entry);
}

}  // namespace pronghorn::server
