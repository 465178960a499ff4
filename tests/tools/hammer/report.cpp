// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace hammer {
namespace {

double ms(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

}  // namespace

std::size_t Histogram::bucket(std::uint64_t us) {
  if (us < 32) return us;
  const auto power =
      static_cast<std::size_t>(std::bit_width(us)) - 6;  // us >> power is in [32, 64)
  return 32 * power + (us >> power);
}

std::uint64_t Histogram::upper_edge(std::size_t bucket) {
  if (bucket < 64) return bucket;
  const std::size_t power = bucket / 32 - 1;
  return ((bucket - 32 * power + 1) << power) - 1;
}

void Histogram::add(Clock::duration value) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::microseconds>(value).count()));
  counts_[std::min(bucket(us), counts_.size() - 1)]++;
  total_++;
  max_us_ = std::max(max_us_, us);
}

double Histogram::quantile_ms(double quantile) const {
  const auto wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(total_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (counts_[i] > 0 && seen >= wanted) {
      return static_cast<double>(std::min(upper_edge(i), max_us_)) / 1000;
    }
  }
  return 0;
}

std::uint64_t Report::failures() const {
  return refused + connect_timeout + connect_error + not_200 + malformed + write_error +
         reset_fresh + eof_fresh + reset_partial + eof_partial + stale + behind + timeout +
         never_accepted;
}

std::string Report::json() const {
  const double seconds = ms(elapsed) / 1000;
  std::string out = fmt::format(
      R"({{"ok":{},"failures":{},"refused":{},"connect_timeout":{},"connect_error":{},"not_200":{},"malformed":{},)"
      R"("write_error":{},"reset_fresh":{},"eof_fresh":{},"reset_partial":{},"eof_partial":{},"stale":{},"behind":{},)"
      R"("timeout":{},"never_accepted":{},"lost_accepted":{},)",
      ok, failures(), refused, connect_timeout, connect_error, not_200, malformed, write_error,
      reset_fresh, eof_fresh, reset_partial, eof_partial, stale, behind, timeout, never_accepted,
      lost_accepted);
  out += fmt::format(
      R"("connections":{},"asked_to_close":{},"discarded":{},"idle_closed":{},"seconds":{:.3f},"per_second":{:.1f},)"
      R"("p50_ms":{:.3f},"p99_ms":{:.3f},"max_ms":{:.3f},"longest_silence_ms":{:.1f}}})",
      connections, asked_to_close, discarded, idle_closed, seconds,
      seconds > 0 ? static_cast<double>(ok) / seconds : 0, latency.quantile_ms(0.5),
      latency.quantile_ms(0.99), latency.max_ms(), ms(longest_silence));
  return out;
}

}  // namespace hammer
