// SPDX-License-Identifier: Apache-2.0
#include "master/notify.h"

#include "support.h"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace pronghorn;
using namespace pronghorn::master;

namespace {

// Plays systemd.
struct Manager {
  explicit Manager(const std::string& name) : fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    auto size = offsetof(sockaddr_un, sun_path) + name.size();
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size)) ==
            0);
  }
  std::string receive() const {
    char bytes[512];
    ssize_t n = ::recv(fd.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    return n < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(n));
  }
  UniqueFd fd;
};

}  // namespace

TEST_CASE("notify: tells a manager at a path or an abstract name") {
  test::Folder folder;
  for (std::string name : {folder / "notify", "@pronghorn-test-" + std::to_string(::getpid())}) {
    CAPTURE(name);
    Manager manager(name);
    Notify notify(name);
    CHECK(notify.is_active());
    notify.ready("OK: 2 workers ready");
    CHECK(manager.receive() == "READY=1\nSTATUS=OK: 2 workers ready");
    notify.status("OK");
    CHECK(manager.receive() == "STATUS=OK");
    notify.status("OK");
    CHECK(manager.receive() == "nothing");
    notify.stopping("stopping");
    CHECK(manager.receive() == "STOPPING=1\nSTATUS=stopping");
  }
}

TEST_CASE("notify: the variable is taken out of the environment; without it nothing is sent") {
  test::Folder folder;
  Manager manager(folder / "notify");
  ::setenv("NOTIFY_SOCKET", (folder / "notify").c_str(), 1);
  CHECK(Notify::from_environment().is_active());
  CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
  auto none = Notify::from_environment();
  CHECK(!none.is_active());
  none.ready("x");
  CHECK(manager.receive() == "nothing");
  CHECK(!Notify("relative").is_active());
  CHECK(!Notify(folder / "nobody").is_active());
}

TEST_CASE("notify: a manager that reads nothing holds nobody up") {
  test::Folder folder;
  Manager manager(folder / "notify");
  Notify notify(folder / "notify");
  for (int i = 0; i < 10'000; ++i) notify.status(std::to_string(i));
  CHECK(manager.receive() == "STATUS=0");
}
