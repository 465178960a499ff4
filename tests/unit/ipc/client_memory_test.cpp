// SPDX-License-Identifier: Apache-2.0
// The table of clients between processes, some of which are killed at any instruction.
#include "ipc/client_memory.h"

#include <pronghorn/base/clock.h>

#include <doctest/doctest.h>

#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace pronghorn;
using namespace std::chrono_literals;
using ipc::ClientMemory;

namespace {

constexpr std::uint32_t kClients = 64;

/// Takes and gives back without end, in a process of its own that is killed.
[[noreturn]] void hammer(int fd, std::uint32_t slot) {
  auto mine = ClientMemory::attach(fd);
  if (!mine) ::_exit(1);
  std::uint64_t n = slot;
  for (;;) {
    ClientKey key = in_scope(1 + n++ % 40, 1);
    mine->table().connections().enter(slot, key, 1000);
    static_cast<void>(mine->table().requests().take(key, {.requests = 1000, .burst = 5},
                                                    Clock::now().time_since_epoch()));
    if (n % 3 == 0) mine->table().connections().leave(slot, key);
  }
}

}  // namespace

TEST_CASE("client memory: another process counts in the same table") {
  auto memory = ClientMemory::create({.clients = kClients, .slots = 2});
  REQUIRE(memory.has_value());
  pid_t pid = ::fork();
  if (pid == 0) {
    auto mine = ClientMemory::attach(memory->fd());
    ::_exit(mine && mine->table().connections().enter(1, 77, 5) == ClientCounts::Entry::counted
                ? 0
                : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(status == 0);
  CHECK(memory->table().connections().count(77) == 1);
  CHECK((::fcntl(memory->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(ClientMemory::attach(-1).has_value());
  CHECK_FALSE(
      ClientMemory::attach(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)).get()).has_value());
}

TEST_CASE("client memory: workers killed at any instruction leave a table that is right again") {
  auto memory = ClientMemory::create({.clients = kClients, .slots = 4});
  REQUIRE(memory.has_value());
  auto& table = memory->table();
  const RequestRate rate{.requests = 1'000'000, .burst = 3};
  for (int round = 0; round < 20; ++round) {
    std::vector<pid_t> workers;
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      pid_t pid = ::fork();
      if (pid == 0) hammer(memory->fd(), slot);
      workers.push_back(pid);
    }
    // Beside them the table answers; how long is up to the scheduler, which is the point.
    for (int i = 0; i < 500 * round; ++i) {
      static_cast<void>(
          table.requests().take(in_scope(1 + i % 40, 1), rate, Clock::now().time_since_epoch()));
    }
    for (pid_t pid : workers) ::kill(pid, SIGKILL);
    for (pid_t pid : workers) {
      int status = 0;
      ::waitpid(pid, &status, 0);
      CHECK(WIFSIGNALED(status));
    }
    for (std::uint32_t slot = 0; slot < 3; ++slot) table.connections().clear(slot);
    for (std::uint64_t i = 1; i <= 40; ++i) {
      CHECK(table.connections().count(in_scope(i, 1)) == 0);
      // A second later every bucket is full, and holds its burst and no more.
      auto later = Clock::now().time_since_epoch() + 1h * (round + 1);
      for (int n = 0; n < 3; ++n) CHECK(table.requests().take(in_scope(i, 1), rate, later) == 0ns);
      CHECK(table.requests().take(in_scope(i, 1), rate, later) > 0ns);
    }
  }
}
