// SPDX-License-Identifier: Apache-2.0
#include "ipc/scoreboard.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace pronghorn;
using ipc::Scoreboard;

namespace {

// A copy of the board in a memfd of its own, with one byte changed.
UniqueFd copy_with(const Scoreboard& board, std::size_t at, char delta, bool seal = true,
                   off_t cut = 0) {
  off_t size = ::lseek(board.fd(), 0, SEEK_END);
  std::vector<char> bytes(static_cast<std::size_t>(size));
  REQUIRE(::pread(board.fd(), bytes.data(), bytes.size(), 0) == size);
  bytes.at(at) = static_cast<char>(bytes.at(at) + delta);
  UniqueFd fd(::memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::pwrite(fd.get(), bytes.data(), bytes.size() - static_cast<std::size_t>(cut), 0) ==
          size - cut);
  if (seal) REQUIRE(::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  return fd;
}

}  // namespace

TEST_CASE("scoreboard: another process's counts are seen, and survive it") {
  auto board = Scoreboard::create(3);
  REQUIRE(board.has_value());
  CHECK(board->size() == 3);
  pid_t pid = ::fork();
  if (pid == 0) {
    auto mine = Scoreboard::attach(board->fd());
    if (!mine) ::_exit(1);
    mine->slot(1).counters.requests.add(41);
    mine->slot(1).counters.requests.add(1);
    mine->slot(1).counters.in_hand.begin("GET", "/x", 5);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  CHECK(status == 0);
  CHECK(board->slot(1).counters.requests.get() == 42);
  CHECK(board->slot(1).counters.in_hand.text() == "GET /x");
  CHECK(board->slot(0).counters.requests.get() == 0);
  CHECK(board->slot(2).last_exit_code.load() == -1);
}

TEST_CASE("scoreboard: it cannot be resized and is close-on-exec") {
  auto board = Scoreboard::create(1);
  REQUIRE(board.has_value());
  CHECK(::ftruncate(board->fd(), 0) == -1);
  CHECK(::ftruncate(board->fd(), 1 << 20) == -1);
  CHECK((::fcntl(board->fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE(
    "scoreboard: another magic, version, slot size, count, length or an unsealed one is refused") {
  auto board = Scoreboard::create(2);
  REQUIRE(board.has_value());
  CHECK(Scoreboard::attach(copy_with(*board, 0, 0).get()).has_value());
  for (std::size_t at : {0U, 8U, 12U, 16U}) {
    CAPTURE(at);
    CHECK_FALSE(Scoreboard::attach(copy_with(*board, at, 1).get()).has_value());
  }
  CHECK_FALSE(Scoreboard::attach(copy_with(*board, 0, 0, true, 128).get()).has_value());
  CHECK_FALSE(Scoreboard::attach(copy_with(*board, 0, 0, false).get()).has_value());
  CHECK_FALSE(
      Scoreboard::attach(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)).get()).has_value());
  CHECK_FALSE(Scoreboard::attach(-1).has_value());
}

TEST_CASE("scoreboard: slots share no cache line, and move with the board") {
  auto made = Scoreboard::create(2);
  REQUIRE(made.has_value());
  auto* first = reinterpret_cast<char*>(&made->slot(0));
  auto* second = reinterpret_cast<char*>(&made->slot(1));
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 128 == 0);
  CHECK(second - first == sizeof(ipc::Slot));
  Scoreboard moved = std::move(*made);
  CHECK(reinterpret_cast<char*>(&moved.slot(0)) == first);
  made = Scoreboard::create(1);
  moved = std::move(*made);
  CHECK(moved.size() == 1);
}
