// SPDX-License-Identifier: Apache-2.0
#include "master/listener.h"

#include "support.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::master;
using test::connect_to;

namespace {

config::ListenAddress tcp(const std::string& host, std::uint16_t port = 0) {
  return {host, port, {}};
}
config::ListenAddress unix_at(const std::string& path) { return {{}, 0, path}; }

bool is_readable(int fd, int ms) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, ms) == 1;
}

}  // namespace

TEST_CASE("listener: port 0 becomes a real port, and clients get in") {
  auto listener = Listener::open(tcp("127.0.0.1"), 16);
  REQUIRE(listener);
  CHECK(listener->address().port != 0);
  CHECK(listener->wanted().port == 0);
  CHECK(listener->url() == "http://127.0.0.1:" + std::to_string(listener->address().port));
  CHECK(connect_to(listener->address()));
  CHECK(listener->queue().limit == 16);
  CHECK((::fcntl(listener->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(listener->fd(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("listener: an address in use names its holder and another port, with code 75") {
  auto first = Listener::open(tcp("127.0.0.1"), 16);
  REQUIRE(first);
  auto second = Listener::open(first->address(), 16);
  REQUIRE(!second);
  CHECK(second.error().exit_code == 75);
  CAPTURE(second.error().text);
  CHECK(second.error().text.starts_with("cannot listen on " + first->address().text() +
                                        ": address already in use\n"));
  CHECK(second.error().text.contains("\n  held by pid " + std::to_string(::getpid()) +
                                     " (test_master, user "));
  CHECK(second.error().text.contains("\n  try: --listen 127.0.0.1:"));
  CHECK(second.error().text.ends_with(", or 127.0.0.1:0 for any free port"));
}

TEST_CASE("listener: never shares a port with a socket that would allow it (SO_REUSEPORT)") {
  auto [other, port] = test::listen_as_one_who_shares();
  auto listener = Listener::open(tcp("127.0.0.1", port), 16);
  REQUIRE(!listener);
  CHECK(listener.error().exit_code == 75);
}

TEST_CASE("listener: names are resolved; an unknown one is a configuration fault") {
  auto local = Listener::open(tcp("localhost"), 16);
  REQUIRE(local);
  CHECK(connect_to(local->address()));
  auto unknown = Listener::open(tcp("no-such-host.invalid"), 16);
  REQUIRE(!unknown);
  CHECK(unknown.error().text.starts_with("cannot listen on no-such-host.invalid:0: "));
}

TEST_CASE("listener: `::` takes IPv4 as well, ::1 does not, and both families fit side by side") {
  auto any = Listener::open(tcp("::"), 16);
  REQUIRE(any);
  CHECK(connect_to(tcp("127.0.0.1", any->address().port)));
  CHECK(connect_to(tcp("::1", any->address().port)));
  auto one = Listener::open(tcp("::1"), 16);
  REQUIRE(one);
  CHECK(!connect_to(tcp("127.0.0.1", one->address().port)));
  std::uint16_t port = any->address().port;
  any->close();
  auto both = open_listeners({tcp("0.0.0.0", port), tcp("::", port)}, 16);
  REQUIRE_MESSAGE(both, both.error().text);
  CHECK(both->size() == 2);
}

TEST_CASE(
    "listener: what the worker asks for is found by what was configured, or by what it became") {
  auto listener = Listener::open(tcp("localhost"), 16);
  REQUIRE(listener);
  ipc::ClusterMessage query;
  query.address = "localhost";
  query.port = 0;
  CHECK(listener->matches(query));
  query.port = listener->address().port;
  CHECK(listener->matches(query));
  query.address = listener->address().host;
  CHECK(listener->matches(query));
  query.port = listener->address().port + 1;
  CHECK(!listener->matches(query));
  query.port = listener->address().port;
  query.address_type = AddressType::unix_socket;
  CHECK(!listener->matches(query));
}

TEST_CASE(
    "listener: a stale unix socket is replaced, a live one is in use, its file goes at the end") {
  test::Folder folder;
  auto address = unix_at(folder / "s.sock");
  {
    auto first = Listener::open(address, 16);
    REQUIRE(first);
    CHECK(first->url() == "http+unix:" + address.path);
    CHECK(connect_to(address));
    auto second = Listener::open(address, 16);
    REQUIRE(!second);
    CHECK(second.error().exit_code == 75);
    CHECK(second.error().text.contains("address already in use\n  held by pid " +
                                       std::to_string(::getpid())));
  }
  CHECK(!std::filesystem::exists(address.path));
  // A server that was killed leaves its file: bound, and nobody behind it.
  {
    UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, address.path.c_str(), sizeof name.sun_path - 1);
    REQUIRE(::bind(dead.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  }
  REQUIRE(std::filesystem::exists(address.path));
  auto third = Listener::open(address, 16);
  REQUIRE_MESSAGE(third, third.error().text);
  CHECK(connect_to(address));
}

TEST_CASE("listener: a file that is no socket is never removed, nor another server's socket") {
  test::Folder folder;
  std::string path = folder / "file";
  std::ofstream(path) << "precious";
  auto refused = Listener::open(unix_at(path), 16);
  REQUIRE(!refused);
  CHECK(refused.error().exit_code == 78);
  CHECK(std::filesystem::is_regular_file(path));

  auto address = unix_at(folder / "s.sock");
  auto old = Listener::open(address, 16);
  REQUIRE(old);
  std::filesystem::remove(address.path);
  auto fresh = Listener::open(address, 16);
  REQUIRE(fresh);
  old->close();
  CHECK(connect_to(address));
}

TEST_CASE(
    "listener: a folder that is missing or a path that is too long is a configuration fault") {
  test::Folder folder;
  CHECK(Listener::open(unix_at(folder / "none/s.sock"), 16).error().exit_code == 78);
  CHECK(Listener::open(unix_at(folder / std::string(120, 'x')), 16).error().exit_code == 78);
}

TEST_CASE("listener: without permission the code is 77") {
  if (::geteuid() != 0) return;  // becomes another user for a moment
  test::Folder folder;
  ::chmod(folder.path().c_str(), 0755);
  REQUIRE(::seteuid(65534) == 0);
  auto denied = Listener::open(unix_at(folder / "s.sock"), 16);
  REQUIRE(::seteuid(0) == 0);
  REQUIRE(!denied);
  CHECK(denied.error().exit_code == 77);
  CHECK(denied.error().text.contains("permission denied\n  the folder must be writable for user "));
}

TEST_CASE("listener: refuse_new drops new connections and keeps those that have begun") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    auto listener = Listener::open(tcp(host), 64);
    REQUIRE(listener);
    auto silent = connect_to(listener->address());  // hidden by TCP_DEFER_ACCEPT until it sends
    auto early = connect_to(listener->address());
    REQUIRE(silent);
    REQUIRE(test::send_text(early.get(), "early"));
    REQUIRE(is_readable(listener->fd(), 5000));
    listener->refuse_new();

    auto late = connect_to(listener->address(), SOCK_NONBLOCK);
    REQUIRE(test::send_text(silent.get(), "late words"));
    int accepted = 0;
    std::string words;
    UniqueFd server_side;
    while (accepted < 2 && is_readable(listener->fd(), 5000)) {
      UniqueFd connection(::accept4(listener->fd(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!connection) continue;
      ++accepted;
      char bytes[64];
      auto n = ::recv(connection.get(), bytes, sizeof bytes, 0);
      words += std::string(bytes, n > 0 ? static_cast<std::size_t>(n) : 0);
      server_side = std::move(connection);
    }
    CHECK(accepted == 2);
    CHECK(words.contains("early"));
    CHECK(words.contains("late words"));
    // The newcomer is still knocking.
    pollfd knock{late.get(), POLLOUT, 0};
    CHECK(::poll(&knock, 1, 100) == 0);
    // The filter is inherited by what was accepted, and harms nothing there.
    UniqueFd& client = words.starts_with("early") ? silent : early;
    REQUIRE(test::send_text(client.get(), "more"));
    CHECK(is_readable(server_side.get(), 5000));
  }
}

TEST_CASE("listener: refuse_new of an ordinary user turns new connections away, keeps the others") {
  if (::geteuid() != 0) return;  // then the case above is this one
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    auto listener = Listener::open(tcp(host), 64);
    REQUIRE(listener);
    auto silent = connect_to(listener->address());  // hidden by TCP_DEFER_ACCEPT until it sends
    REQUIRE(silent);
    REQUIRE(::seteuid(65534) == 0);
    listener->refuse_new();
    REQUIRE(::seteuid(0) == 0);

    CHECK(!connect_to(listener->address()));
    CHECK(errno == ECONNREFUSED);
    CHECK(!is_readable(listener->fd(), 0));
    REQUIRE(test::send_text(silent.get(), "words"));
    REQUIRE(is_readable(listener->fd(), 5000));
    UniqueFd connection(::accept4(listener->fd(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(connection);
    char bytes[64];
    CHECK(::recv(connection.get(), bytes, sizeof bytes, 0) == 5);
    REQUIRE(test::send_text(connection.get(), "answer"));
    CHECK(::recv(silent.get(), bytes, sizeof bytes, 0) == 6);
  }
}

TEST_CASE(
    "listener: refuse_new of a unix socket removes the path, and what is queued can be accepted") {
  test::Folder folder;
  auto listener = Listener::open(unix_at(folder / "s.sock"), 16);
  REQUIRE(listener);
  auto client = connect_to(listener->address());
  REQUIRE(client);
  listener->refuse_new();
  CHECK(!connect_to(listener->address()));
  CHECK(errno == ENOENT);
  CHECK(UniqueFd(::accept4(listener->fd(), nullptr, nullptr, SOCK_CLOEXEC)));
}
