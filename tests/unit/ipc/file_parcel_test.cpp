// SPDX-License-Identifier: Apache-2.0
#include "ipc/file_parcel.h"

#include "ipc/socket_io.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace pronghorn;

TEST_CASE("file parcel: a file travels as a socket and is the same file") {
  UniqueFd file(::memfd_create("f", MFD_CLOEXEC));
  auto socket = ipc::pack_file(file.get());
  REQUIRE(socket);
  CHECK(ipc::is_socket(socket->get()));
  auto back = ipc::unpack_file(socket->get());
  REQUIRE(back);
  struct stat sent{}, came{};
  ::fstat(file.get(), &sent);
  ::fstat(back->get(), &came);
  CHECK(sent.st_ino == came.st_ino);
  auto again = ipc::unpack_file(socket->get());
  CHECK_FALSE(again);
}

TEST_CASE("file parcel: what is no parcel is an error") {
  CHECK_FALSE(ipc::pack_file(-1));
  CHECK_FALSE(ipc::unpack_file(-1));
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd one(ends[0]), other(ends[1]);
  CHECK(ipc::unpack_file(one.get()).error().errno_value() == EAGAIN);
  REQUIRE(::send(other.get(), "f", 1, 0) == 1);
  CHECK_FALSE(ipc::unpack_file(one.get()));
}
