// SPDX-License-Identifier: Apache-2.0
#include "config/cpus.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <stdlib.h>

namespace config = pronghorn::config;
namespace fs = std::filesystem;
using Reason = config::CpuCount::Reason;

namespace {

/// A tree with its own /proc and /sys.
class Machine {
 public:
  Machine() {
    char name[] = "/tmp/pronghorn-cpus-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    root_ = name;
  }
  ~Machine() { fs::remove_all(root_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  Machine& file(const std::string& path, const std::string& text) {
    const fs::path full = root_ + path;
    fs::create_directories(full.parent_path());
    std::ofstream(full) << text;
    return *this;
  }
  Machine& v1(const std::string& directory, long quota, long period = 100000) {
    file(directory + "/cpu.cfs_quota_us", std::to_string(quota) + "\n");
    return file(directory + "/cpu.cfs_period_us", std::to_string(period) + "\n");
  }
  config::CpuCount cpus(unsigned online = 8, unsigned affinity = 8) const {
    return config::available_cpus(online, affinity, root_);
  }

 private:
  std::string root_;
};

const std::string kV2Mount =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kV1Mount =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

}  // namespace

TEST_CASE("cpus: without cgroups the affinity counts") {
  const Machine machine;
  CHECK(machine.cpus(8, 8).count == 8);
  CHECK(machine.cpus(8, 8).note().empty());
  CHECK(machine.cpus(8, 3).count == 3);
  CHECK(machine.cpus(8, 3).note() == "using 3 of 8 CPUs (affinity)");
  CHECK(machine.cpus(0, 0).count == 1);
}

TEST_CASE("cpus: a v2 quota is rounded up") {
  Machine machine;
  machine.file("/proc/self/cgroup", "0::/a\n").file("/proc/self/mountinfo", kV2Mount);
  machine.file("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  CHECK(machine.cpus().count == 2);
  CHECK(machine.cpus().reason == Reason::quota);
  CHECK(machine.cpus().note() == "using 2 of 8 CPUs (cgroup quota)");
  machine.file("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  CHECK(machine.cpus().count == 2);
  machine.file("/sys/fs/cgroup/a/cpu.max", "1000 100000\n");
  CHECK(machine.cpus().count == 1);
}

TEST_CASE("cpus: v2 \"max\", a quota above the CPUs, or broken files are no limit") {
  Machine machine;
  machine.file("/proc/self/cgroup", "0::/a\n").file("/proc/self/mountinfo", kV2Mount);
  for (const char* text :
       {"max 100000\n", "900000 100000\n", "", "x", "100000", "0 0\n", "-5 100000\n"}) {
    CAPTURE(text);
    machine.file("/sys/fs/cgroup/a/cpu.max", text);
    CHECK(machine.cpus().count == 8);
    CHECK(machine.cpus().reason == Reason::all);
  }
}

TEST_CASE("cpus: of nested v2 limits the smallest counts") {
  Machine machine;
  machine.file("/proc/self/cgroup", "0::/a/b/c\n").file("/proc/self/mountinfo", kV2Mount);
  machine.file("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  machine.file("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  machine.file("/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  CHECK(machine.cpus().count == 2);
}

TEST_CASE("cpus: the smaller of quota and affinity") {
  Machine machine;
  machine.file("/proc/self/cgroup", "0::/\n").file("/proc/self/mountinfo", kV2Mount);
  machine.file("/sys/fs/cgroup/cpu.max", "300000 100000\n");
  CHECK(machine.cpus(8, 2).count == 2);
  CHECK(machine.cpus(8, 2).reason == Reason::affinity);
  CHECK(machine.cpus(8, 6).count == 3);
  CHECK(machine.cpus(8, 6).reason == Reason::quota);
}

TEST_CASE("cpus: v1, its controllers mounted together") {
  Machine machine;
  machine.file("/proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/a/b\n3:cpuset:/z\n")
      .file("/proc/self/mountinfo", kV1Mount);
  machine.v1("/sys/fs/cgroup/cpu,cpuacct/a/b", -1).v1("/sys/fs/cgroup/cpu,cpuacct/a", 250000);
  CHECK(machine.cpus().count == 3);
  CHECK(machine.cpus().reason == Reason::quota);
  // cpuset is another hierarchy, whose name only begins alike.
  machine.v1("/sys/fs/cgroup/cpuset/z", 100000);
  CHECK(machine.cpus().count == 3);
}

TEST_CASE("cpus: hybrid, where v2 is mounted without the cpu controller") {
  Machine machine;
  machine.file("/proc/self/cgroup", "1:cpu:/svc\n0::/user\n");
  machine.file("/proc/self/mountinfo",
               "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
               "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  machine.file("/sys/fs/cgroup/unified/user/cgroup.procs", "1\n");
  machine.v1("/sys/fs/cgroup/cpu/svc", 400000);
  CHECK(machine.cpus().count == 4);
}

TEST_CASE("cpus: a container that sees the host's path but mounts only its own cgroup") {
  Machine machine;
  machine.file("/proc/self/cgroup", "4:cpu,cpuacct:/docker/abc/child\n");
  machine.file("/proc/self/mountinfo",
               "33 31 0:30 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  machine.v1("/sys/fs/cgroup/cpu", 500000).v1("/sys/fs/cgroup/cpu/child", 200000);
  CHECK(machine.cpus().count == 2);
  machine.file("/proc/self/cgroup", "4:cpu,cpuacct:/elsewhere\n");
  CHECK(machine.cpus().count == 5);
  machine.file("/proc/self/cgroup", "4:cpu,cpuacct:/../sibling\n");
  CHECK(machine.cpus().count == 5);
}

TEST_CASE("cpus: a mount point with a space, and lines that are none") {
  Machine machine;
  machine.file("/proc/self/cgroup", "garbage\n:\n0::/a\n");
  machine.file("/proc/self/mountinfo",
               "short - cgroup2\n\n30 23 0:26 / /sys/my\\040cgroup rw - cgroup2 cgroup2 rw\n");
  machine.file("/sys/my cgroup/a/cpu.max", "100000 100000\n");
  CHECK(machine.cpus().count == 1);
}

TEST_CASE("cpus: on this machine there is at least one, and not more than online") {
  const auto cpus = config::available_cpus();
  CHECK(cpus.count >= 1);
  CHECK(cpus.count <= cpus.online);
}
