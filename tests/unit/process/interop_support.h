// SPDX-License-Identifier: Apache-2.0
// One conversation between Node and us, run twice: our parent with a Node child, and a Node parent
// that forks this test program through execPath. Used by the interop tests.
#pragma once

#include <pronghorn/process/parent.h>

#include "tests/unit/process/process_fixture.h"

#include <arpa/inet.h>
#include <poll.h>

namespace pronghorn::test {

/// Node's half begins with this: `peer` is the other side, whichever of the two it is.
inline constexpr std::string_view kNodeHalf = R"(
const net = require('net'), http = require('http'), dgram = require('dgram'), cp = require('child_process');
const say = (...a) => console.log(...a);
const peer = process.send ? process : cp.fork('--test-case=' + process.env.CASE, ['--no-skip', '--minimal'],
                                              {execPath: process.env.HELPER, execArgv: []});
setTimeout(() => { say('late'); process.exit(3); }, 45000).unref();
if (peer !== process) peer.on('exit', (code, signal) => { if (code !== 0) say('peer', code, signal); });
)";

/// Our half runs beside Node's as its parent. All that Node printed.
template <class Conversation>
std::string with_node_child() {
  Loop loop;
  Conversation ours;
  Child child;
  process::ForkOptions options;
  options.silent = true;
  child.fork_node(loop, std::string(kNodeHalf) + Conversation::node, options);
  child.read();
  ours.begin(loop, *child.process);
  CHECK(run_until(loop, [&] { return child.closed; }));
  CHECK(child.errors.empty());
  for (const auto& error : child.errors) CAPTURE(error.message());
  CHECK(child.exit == process::Exit{.code = 0});
  CHECK(child.err == "");
  return child.out;
}

/// What `helper` cases call: our half as the child of the Node parent below.
template <class Conversation>
void as_child_of_node() {
  Loop loop;
  auto parent = process::parent(loop);
  REQUIRE(parent.has_value());
  REQUIRE(parent->has_value());
  Conversation ours;
  (*parent)->on_error([](const Error& e) { FAIL_CHECK(e.message()); });
  ours.begin(loop, **parent);
  loop.run();
  CHECK_FALSE((*parent)->connected());
}

/// Node's half is the parent; `helper` is the skipped case that runs ours.
template <class Conversation>
std::string with_node_parent(const char* helper) {
  ::setenv("CASE", helper, 1);
  std::string printed = run_node((std::string(kNodeHalf) + Conversation::node).c_str());
  constexpr std::string_view kEnd = "exit 0\n";
  if (!printed.ends_with(kEnd)) return printed;
  return printed.substr(0, printed.size() - kEnd.size());
}

/// Waits for something to read on `fd`, 10 s long.
inline bool is_ready(int fd) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&ready, 1, 10000) == 1;
}

/// Reads one request from a connection and answers it; the request's first line.
inline std::string answer(int connection, const std::string& body) {
  std::string request;
  std::array<char, 4096> space{};
  while (request.find("\r\n\r\n") == std::string::npos) {
    if (!is_ready(connection)) return "no request";
    ssize_t n = ::recv(connection, space.data(), space.size(), 0);
    if (n <= 0) return "closed within the request";
    request.append(space.data(), static_cast<std::size_t>(n));
  }
  const std::string text =
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  CHECK(::send(connection, text.data(), text.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(text.size()));
  return request.substr(0, request.find("\r\n"));
}

/// Accepts one connection and answers its request.
inline std::string accept_and_answer(int listener, const std::string& body) {
  if (!is_ready(listener)) return "no connection";
  UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  return answer(fd.get(), body);
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return to;
}

/// Both ends of a TCP connection over the loopback.
struct Connection {
  UniqueFd client;
  UniqueFd accepted;

  Connection() : client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::uint16_t port = 0;
    auto server = bound_socket(1, &port);
    sockaddr_in to = loopback(port);
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    REQUIRE(is_ready(server.get()));
    accepted.reset(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    REQUIRE(static_cast<bool>(accepted));
  }
  void ask(const std::string& path) const {
    const std::string text = "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    REQUIRE(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  /// Reads until what came ends with `end`; or all that came.
  std::string until(std::string_view end) const {
    std::string got;
    std::array<char, 4096> space{};
    while (!got.ends_with(end) && is_ready(client.get())) {
      ssize_t n = ::recv(client.get(), space.data(), space.size(), 0);
      if (n <= 0) break;
      got.append(space.data(), static_cast<std::size_t>(n));
    }
    return got;
  }
};

/// A UDP socket on the loopback.
inline UniqueFd udp_socket(std::uint16_t* port = nullptr) {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  if (port != nullptr) *port = ntohs(address.sin_port);
  return fd;
}

/// Reads one datagram and sends it back, with "echo " before it.
inline std::string echo_one(int udp) {
  if (!is_ready(udp)) return "no datagram";
  std::array<char, 512> space{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  ssize_t n =
      ::recvfrom(udp, space.data(), space.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n < 0) return "error";
  std::string got(space.data(), static_cast<std::size_t>(n));
  const std::string back = "echo " + got;
  CHECK(::sendto(udp, back.data(), back.size(), 0, reinterpret_cast<sockaddr*>(&from), size) ==
        static_cast<ssize_t>(back.size()));
  return got;
}

}  // namespace pronghorn::test

// A TEST_CASE can only be made by a macro: our half as a child, and both arrangements.
#define PRONGHORN_CONVERSATION(Conversation, what)                                           \
  TEST_CASE("helper " #Conversation* doctest::skip()) { as_child_of_node<Conversation>(); }  \
  TEST_CASE("interop: our parent, a Node child: " what) {                                    \
    if (!has_node()) return;                                                                 \
    CHECK(with_node_child<Conversation>() == Conversation::printed);                         \
  }                                                                                          \
  TEST_CASE("interop: a Node parent, our child: " what) {                                    \
    if (!has_node()) return;                                                                 \
    CHECK(with_node_parent<Conversation>("helper " #Conversation) == Conversation::printed); \
  }
