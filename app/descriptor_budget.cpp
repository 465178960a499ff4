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

// Of a root: what the master opened, and what its files and its listings are opened from. The first
// site's are in the reserve.
constexpr std::uint64_t kPerSite = 3;

// A doorbell per worker.
std::uint64_t taken(std::uint64_t workers, std::uint64_t sites) {
  return kReserve + workers + (sites > 1 ? (sites - 1) * kPerSite : 0);
}

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
                                       std::uint64_t workers, std::uint64_t sites) {
  std::uint64_t used = taken(workers, sites);
  std::uint64_t left = descriptors > used ? descriptors - used : 0;
  std::uint64_t fits = left / 2;
  if (wanted == 0 && fits >= kMinimum) return fits;
  if (wanted != 0 && wanted <= fits) return wanted;
  std::uint64_t needed = (wanted == 0 ? kMinimum : wanted) * 2 + used;
  return std::unexpected(Error("the descriptor limit (RLIMIT_NOFILE) is " +
                               std::to_string(descriptors) + "; " +
                               std::to_string(wanted == 0 ? kMinimum : wanted) +
                               " connections a worker need " + std::to_string(needed)));
}

std::uint64_t kept_files_limit(std::uint64_t wanted, std::uint64_t descriptors,
                               std::uint64_t workers, std::uint64_t connections,
                               std::uint64_t sites) noexcept {
  if (connections == 0) return descriptors < kFew ? 0 : std::min(wanted, descriptors / 16);
  std::uint64_t used = taken(workers, sites) + connections * 2;
  return used < descriptors ? std::min(wanted, descriptors - used) : 0;
}

std::uint64_t sites_with_root(const config::Config& config) noexcept {
  auto hosts =
      std::ranges::count_if(config.hosts, [](const auto& host) { return !host.site.root.empty(); });
  return static_cast<std::uint64_t>(hosts) + (config.root.empty() ? 0 : 1);
}

}  // namespace pronghorn::app
