// SPDX-License-Identifier: Apache-2.0
#include "master/stop_text.h"

#include <pronghorn/base/text.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pronghorn::master {
namespace {

std::string requests(std::uint64_t number) {
  return with_commas(number) + (number == 1 ? " request" : " requests");
}

}  // namespace

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string stopping_text(const InFlight& work, Millis deadline) {
  if (work.requests == 0) return "stopping: no request in flight";
  std::string oldest;
  if (!work.oldest.empty()) {
    oldest = fmt::format(", oldest {} {}", work.oldest, format_duration(Millis(work.oldest_ms)));
  }
  return fmt::format("stopping: {} in flight{}; up to {} (again to cut them)",
                     requests(work.requests), oldest, format_duration(deadline));
}

std::string stopping_now_text(const InFlight& work) {
  if (work.requests == 0) return "stopping now: no request in flight";
  std::string some =
      work.some.empty() ? std::string() : fmt::format(" ({})", fmt::join(work.some, ", "));
  return fmt::format("stopping now: {} cut{}", requests(work.requests), some);
}

std::string stopping_now_text() { return "stopping now: what the programs have in flight is cut"; }

std::string stopping_text(Millis deadline) {
  return fmt::format("stopping: up to {} for what the programs have in flight (again to cut it)",
                     format_duration(deadline));
}

std::string stopped_text(Millis uptime, std::uint64_t handed_over) {
  return fmt::format("stopped after {}: {} connection{} handed over", format_duration(uptime),
                     with_commas(handed_over), handed_over == 1 ? "" : "s");
}

std::string stopped_text(Millis uptime, std::uint64_t total, std::uint64_t cut) {
  std::string text = fmt::format("stopped after {}: {}", format_duration(uptime), requests(total));
  if (cut > 0) text += fmt::format(", {} cut short", with_commas(cut));
  return text;
}

}  // namespace pronghorn::master
