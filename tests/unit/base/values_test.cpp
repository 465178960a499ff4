// SPDX-License-Identifier: Apache-2.0
// Result, UniqueFd and counters: the small values that every room leans on.
#include <pronghorn/base/result.h>

#include "base/counters.h"
#include "base/unique_fd.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

using namespace pronghorn;

TEST_CASE("result: a system error says what, why, and keeps the errno value") {
  Error error = Error::system(ENOENT, "cannot open 'x'");
  CHECK(error.message() == "cannot open 'x': no such file or directory");
  CHECK(error.errno_value() == ENOENT);
  CHECK(error.code() == std::errc::no_such_file_or_directory);
}

TEST_CASE("result: an error without system cause has no errno value") {
  Error error("wrong input");
  CHECK(error.message() == "wrong input");
  CHECK(error.errno_value() == 0);
}

TEST_CASE("result: a value() that is not there says what failed") {
  const Result<int> none = std::unexpected(Error::system(EADDRINUSE, "listen 127.0.0.1:80"));
  CHECK_THROWS_WITH_AS(static_cast<void>(none.value()),
                       "listen 127.0.0.1:80: address already in use",
                       std::bad_expected_access<Error>);
  try {
    static_cast<void>(Result<void>(std::unexpected(Error(Errc::ipc_disconnected, "gone"))).value());
  } catch (std::bad_expected_access<Error>& thrown) {
    CHECK(thrown.error().code() == Errc::ipc_disconnected);
  }
}

TEST_CASE("result: errno texts begin with a small letter unless they begin with an acronym") {
  CHECK(errno_text(EADDRINUSE) == "address already in use");
  CHECK(errno_text(EXDEV) == "invalid cross-device link");
  CHECK(errno_text(EIO) == "input/output error");
  CHECK(errno_text(ENOSR) == "out of streams resources");
  CHECK(errno_text(ERFKILL) == "operation not possible due to RF-kill");
}

namespace {
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
}  // namespace

TEST_CASE("unique_fd: closes what it owns, once") {
  int fd = open_null();
  {
    UniqueFd owner(fd);
    CHECK(owner.get() == fd);
    UniqueFd second(std::move(owner));
    CHECK_FALSE(owner);
    CHECK(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));
}

TEST_CASE("unique_fd: assigning and resetting close the old one, releasing closes none") {
  int first = open_null();
  int second = open_null();
  UniqueFd owner(first);
  owner = UniqueFd(second);
  CHECK_FALSE(is_open(first));
  CHECK(owner.release() == second);
  CHECK(is_open(second));
  owner.reset(second);
  UniqueFd& itself = owner;
  owner = std::move(itself);
  CHECK(owner.get() == second);
  owner.reset();
  CHECK_FALSE(is_open(second));
}

TEST_CASE("counters: begin at zero and count") {
  auto counters = std::make_unique<WorkerCounters>();
  counters->requests.add(3);
  counters->connections.add(2);
  counters->connections.sub(1);
  CHECK(counters->requests.get() == 3);
  CHECK(counters->connections.get() == 1);
  CHECK(counters->in_hand.text().empty());
}

TEST_CASE("counters: the request in hand is cut to its room, and gone when it ends") {
  auto hand = std::make_unique<RequestInHand>();
  hand->begin("GET", "/report", 42);
  CHECK(hand->text() == "GET /report");
  CHECK(hand->since_ms() == 42);
  hand->begin("GET", std::string(500, 'x'), 43);
  CHECK(hand->text() == "GET " + std::string(RequestInHand::kCapacity - 4, 'x'));
  hand->begin(std::string(500, 'M'), "/", 44);
  CHECK(hand->text() == std::string(16, 'M') + " /");
  hand->end();
  CHECK(hand->text().empty());
}
