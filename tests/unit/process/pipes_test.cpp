// SPDX-License-Identifier: Apache-2.0
#include "process/pipes.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace pronghorn;
using namespace pronghorn::process;

TEST_CASE("pipes: ours never waits, theirs does, and no program inherits either") {
  for (auto kind : {PipeKind::input, PipeKind::output, PipeKind::both}) {
    auto ends = make_pipe(kind);
    REQUIRE(ends.has_value());
    CHECK((::fcntl(ends->ours.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(ends->theirs.get(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK(::fcntl(ends->ours.get(), F_GETFD) == FD_CLOEXEC);
    CHECK(::fcntl(ends->theirs.get(), F_GETFD) == FD_CLOEXEC);
    struct stat about{};
    ::fstat(ends->ours.get(), &about);
    CHECK(S_ISFIFO(about.st_mode) == (kind == PipeKind::output));
  }
}

TEST_CASE("pipes: closing ours is the end of a child's stdin, also when it wrote there") {
  auto ends = make_pipe(PipeKind::input);
  REQUIRE(ends.has_value());
  REQUIRE(::write(ends->ours.get(), "x", 1) == 1);
  (void)!::send(ends->theirs.get(), "odd", 3, MSG_NOSIGNAL);
  ends->ours.reset();
  char c = 0;
  CHECK(::read(ends->theirs.get(), &c, 1) == 1);
  CHECK(::read(ends->theirs.get(), &c, 1) == 0);
}
