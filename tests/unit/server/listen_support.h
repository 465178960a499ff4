// SPDX-License-Identifier: Apache-2.0
// Clients of a Server that listens itself, in the thread of its loop.
#pragma once

#include <pronghorn/server/server.h>

#include "base/uv/timer.h"
#include "tests/unit/base/run_until.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pronghorn::test {

using testing::run_until;
using testing::turn;

/// Connects to where a server listens. @returns an empty descriptor, and errno, when it is refused
inline UniqueFd connect_to(const Address& to) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (to.type == AddressType::unix_socket) {
    auto& address = reinterpret_cast<sockaddr_un&>(storage);
    address.sun_family = AF_UNIX;
    to.address.copy(address.sun_path, sizeof address.sun_path - 1);
    size = sizeof address;
  } else if (to.type == AddressType::ipv6) {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(to.port);
    ::inet_pton(AF_INET6, to.address.c_str(), &address.sin6_addr);
    size = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    ::inet_pton(AF_INET, to.address.c_str(), &address.sin_addr);
    size = sizeof address;
  }
  UniqueFd fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0) fd.reset();
  return fd;
}

inline void send_request(int fd, std::string_view path = "/") {
  const std::string request =
      "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
}

/// Turns the loop until the connection ends. @returns the body of what came
inline std::string answer(Loop& loop, int fd) {
  std::string text;
  bool over = run_until(loop, [&] {
    char space[4096];
    for (ssize_t n = 0; (n = ::recv(fd, space, sizeof space, MSG_DONTWAIT)) >= 0;) {
      if (n == 0) return true;
      text.append(space, static_cast<std::size_t>(n));
    }
    return errno != EAGAIN;
  });
  CHECK_MESSAGE(over, "waited for the end of the answer");
  auto body = text.find("\r\n\r\n");
  return body == std::string::npos ? text : text.substr(body + 4);
}

inline std::string ask(Loop& loop, const Address& to, std::string_view path = "/") {
  UniqueFd fd = connect_to(to);
  if (!fd) return std::string("refused: ") + std::strerror(errno);
  send_request(fd.get(), path);
  return answer(loop, fd.get());
}

inline Address loopback(std::uint16_t port, AddressType type = AddressType::ipv4) {
  return {.address = type == AddressType::ipv6 ? "::1" : "127.0.0.1",
          .port = port,
          .type = type,
          .fd = {}};
}

/// A server that answers "hello" and says what happens to it.
struct Listened {
  Loop& loop;
  Server server{loop};
  std::vector<Address> addresses;
  std::vector<Error> errors;
  int closed = 0;

  explicit Listened(Loop& l) : loop(l) {
    server.get("/", [](const Request&) { return Response::text("hello"); });
    server.get("/peer", [](const Request& q) { return Response::text(std::string(q.peer())); });
    server.on_listening([this](const Address& a) { addresses.push_back(a); });
    server.on_error([this](const Error& e) { errors.push_back(e); });
  }
  /// Waits for the outcome. @returns where it listens
  Address listen(std::string_view address, const Server::ListenOptions& options = {}) {
    auto before = addresses.size() + errors.size();
    auto called = server.listen(address, options);
    if (!called) FAIL(called.error().message());
    REQUIRE_MESSAGE(run_until(loop, [&] { return addresses.size() + errors.size() > before; }),
                    "waited for on_listening or on_error");
    return addresses.empty() ? Address{} : addresses.back();
  }
  void close() {
    server.close([this] { ++closed; });
  }
  bool closes() {
    close();
    return run_until(loop, [&] { return closed > 0; });
  }
};

/// A folder that goes with it.
struct SocketFolder {
  std::filesystem::path path;
  SocketFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "listen.XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~SocketFolder() { std::filesystem::remove_all(path); }
};

}  // namespace pronghorn::test
