// SPDX-License-Identifier: Apache-2.0
// How often a client may ask.
#include "base/client_table.h"
#include "server/exchange.h"
#include "server/session.h"

#include <algorithm>
#include <chrono>

namespace pronghorn::server {

/// Takes the tokens of a request whose head is understood. @returns whether one is missing; then
/// the exchange knows for how long.
bool Session::asks_too_often() noexcept {
  if (client_ == 0) return false;
  using std::chrono::nanoseconds;
  Exchange& ex = *exchange_;
  TokenBuckets& buckets = context_.clients->requests();
  const nanoseconds now = std::chrono::milliseconds(context_.now_ms);
  nanoseconds wait{0};
  const RequestRate rate{.requests = context_.limits.requests_per_second,
                         .burst = context_.limits.requests_burst};
  if (rate.is_limited()) wait = buckets.take(client_, rate, now);
  if (wait == nanoseconds(0)) return false;
  auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  ex.retry_after_s = static_cast<std::uint32_t>(std::max<std::int64_t>(seconds, 1));
  return true;
}

}  // namespace pronghorn::server
