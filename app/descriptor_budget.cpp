// SPDX-License-Identifier: Apache-2.0
#include "app/descriptor_budget.h"

#include <algorithm>
#include <string>
#include <sys/resource.h>

namespace pronghorn::app {
namespace {

constexpr std::uint64_t kReserve = 24;  // channel, loop, logs, listeners, control clients
constexpr std::uint64_t kMinimum = 4;   // fewer connections are no service
constexpr std::uint64_t kFew = 256;  // descriptors, of which none is for files that are only kept

std::uint64_t taken(std::uint64_t workers) { return kReserve + workers; }  // a doorbell per worker

}  // namespace

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  // "No limit" is a number in practice: fs.nr_open.
  return std::min<std::uint64_t>(limit.rlim_cur, 1 << 20);
}

Result<std::uint64_t> connection_limit(std::uint64_t wanted, std::uint64_t descriptors,
                                       std::uint64_t workers) {
  std::uint64_t left = descriptors > taken(workers) ? descriptors - taken(workers) : 0;
  std::uint64_t fits = left / 2;
  if (wanted == 0 && fits >= kMinimum) return fits;
  if (wanted != 0 && wanted <= fits) return wanted;
  std::uint64_t needed = (wanted == 0 ? kMinimum : wanted) * 2 + taken(workers);
  return std::unexpected(Error("the descriptor limit (RLIMIT_NOFILE) is " +
                               std::to_string(descriptors) + "; " +
                               std::to_string(wanted == 0 ? kMinimum : wanted) +
                               " connections a worker need " + std::to_string(needed)));
}

std::uint64_t kept_files_limit(std::uint64_t wanted, std::uint64_t descriptors,
                               std::uint64_t workers, std::uint64_t connections) noexcept {
  if (connections == 0) return descriptors < kFew ? 0 : std::min(wanted, descriptors / 16);
  std::uint64_t used = taken(workers) + connections * 2;
  return used < descriptors ? std::min(wanted, descriptors - used) : 0;
}

}  // namespace pronghorn::app
