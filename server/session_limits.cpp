// SPDX-License-Identifier: Apache-2.0
// How often a client may ask, and other limits of the route that it asks for.
#include <pronghorn/base/counters.h>

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
  if (rate.is_limited()) wait = buckets.take(in_scope(client_, context_.client_scope), rate, now);
  const RouteLimit* own = ex.route.limit;
  const auto& router = context_.router.impl();
  if (ex.route.handler == &router.fallback && router.fallback_limit) {
    own = router.fallback_limit(host(), ex.target.path);
  }
  if (own != nullptr && wait == nanoseconds(0)) {
    wait = buckets.take(in_scope(client_, own->scope), own->rate, now);
  }
  if (wait == nanoseconds(0)) return false;
  context_.counters.requests_refused.add(1);
  auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  ex.retry_after_s = static_cast<std::uint32_t>(std::max<std::int64_t>(seconds, 1));
  return true;
}

std::chrono::milliseconds Session::handler_timeout(std::chrono::milliseconds usual) const noexcept {
  if (!exchange_ || exchange_->route.options == nullptr) return usual;
  return exchange_->route.options->handler_timeout.value_or(usual);
}

}  // namespace pronghorn::server
