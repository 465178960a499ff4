// SPDX-License-Identifier: Apache-2.0
#include "config/cpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sched.h>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace pronghorn::config {
namespace {

struct Mount {
  std::string root;   ///< the cgroup that is mounted
  std::string point;  ///< where
  bool is_v2 = false;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// Spaces in a path are "\040" (proc(5), mountinfo).
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string digits = text.substr(std::min(i + 1, text.size()), 3);
    const bool is_escape = text[i] == '\\' && digits.size() == 3 &&
                           digits.find_first_not_of("01234567") == std::string::npos;
    result += is_escape ? static_cast<char>(std::stoi(digits, nullptr, 8)) : text[i];
    if (is_escape) i += 3;
  }
  return result;
}

/// Where the hierarchies that can hold a CPU quota are mounted: v2, and v1's "cpu".
std::vector<Mount> cgroup_mounts(const std::string& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto fields = split(line.substr(0, dash), ' ');
    const auto after = split(line.substr(dash + 3), ' ');
    if (fields.size() < 5 || after.size() < 3) continue;
    const bool is_v2 = after[0] == "cgroup2";
    const auto options = split(after[2], ',');
    const bool is_cpu = after[0] == "cgroup" && std::ranges::find(options, "cpu") != options.end();
    if (is_v2 || is_cpu) mounts.push_back({unescaped(fields[3]), unescaped(fields[4]), is_v2});
  }
  return mounts;
}

/// "0::/a/b" is v2's, "4:cpu,cpuacct:/a/b" v1's (cgroups(7)).
std::optional<std::string> cgroup_path(const std::string& root, bool is_v2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const auto names = split(controllers, ',');
    const bool found =
        is_v2 ? line.starts_with("0::") : std::ranges::find(names, "cpu") != names.end();
    if (found) return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<unsigned> rounded_up(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  const long long cpus = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<unsigned>(std::min<long long>(cpus, std::numeric_limits<int>::max()));
}

std::optional<long long> number_in(const std::string& path) {
  std::ifstream file(path);
  long long number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

std::optional<unsigned> quota_in(const std::string& directory, bool is_v2) {
  if (is_v2) {
    std::ifstream file(directory + "/cpu.max");
    long long quota = 0;
    long long period = 0;
    // "max 100000" has no number first: no quota.
    return file >> quota >> period ? rounded_up(quota, period) : std::nullopt;
  }
  const auto quota = number_in(directory + "/cpu.cfs_quota_us");
  const auto period = number_in(directory + "/cpu.cfs_period_us");
  return quota && period ? rounded_up(*quota, *period) : std::nullopt;
}

/// The cgroup's path below the mount point. A container may see the host's path while only its own
/// cgroup is mounted, or a path that leaves its namespace ("/../x"): then the mount is what counts.
std::string below_mount(const Mount& mount, const std::string& path) {
  if (path.find("/..") != std::string::npos) return {};
  const std::string base = mount.root == "/" ? std::string() : mount.root;
  if (path.starts_with(base + "/")) return path.substr(base.size());
  return {};
}

void take_smaller(std::optional<unsigned>& smallest, std::optional<unsigned> value) {
  if (value && (!smallest || *value < *smallest)) smallest = value;
}

}  // namespace

std::optional<unsigned> quota_cpus(const std::string& root) {
  std::optional<unsigned> smallest;
  for (const Mount& mount : cgroup_mounts(root)) {
    const auto path = cgroup_path(root, mount.is_v2);
    if (!path) continue;
    std::string below = below_mount(mount, *path);
    while (true) {
      take_smaller(smallest, quota_in(root + mount.point + below, mount.is_v2));
      if (below.empty()) break;
      below.erase(below.rfind('/'));
    }
  }
  return smallest;
}

CpuCount available_cpus(unsigned online, unsigned affinity, const std::string& root) {
  CpuCount cpus;
  cpus.online = std::max(1U, online);
  cpus.count = cpus.online;
  if (affinity > 0 && affinity < cpus.count) {
    cpus.count = affinity;
    cpus.reason = CpuCount::Reason::affinity;
  }
  const auto quota = quota_cpus(root);
  if (quota && *quota < cpus.count) {
    cpus.count = *quota;
    cpus.reason = CpuCount::Reason::quota;
  }
  return cpus;
}

CpuCount available_cpus() {
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  // The kernel refuses a mask smaller than its own (sched_setaffinity(2)), so grow until it fits.
  unsigned affinity = 0;
  for (int cpus = 1024; cpus <= 1024 * 1024 && affinity == 0; cpus *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(cpus));
    if (set == nullptr) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    if (::sched_getaffinity(0, size, set) == 0)
      affinity = static_cast<unsigned>(CPU_COUNT_S(size, set));
    CPU_FREE(set);
  }
  return available_cpus(online > 0 ? static_cast<unsigned>(online) : 1, affinity, "");
}

std::string CpuCount::note() const {
  if (reason == Reason::all) return {};
  return fmt::format("using {} of {} CPUs ({})", count, online,
                     reason == Reason::quota ? "cgroup quota" : "affinity");
}

}  // namespace pronghorn::config
