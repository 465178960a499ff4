// SPDX-License-Identifier: Apache-2.0
#include "base/unique_fd.h"
#include "base/uv/tcp.h"
#include "run_until.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <optional>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace pronghorn;
using testing::run_until;
using testing::turn;

namespace {

// One end is a uv::Tcp, the other a plain descriptor. Every event can be given something to do.
struct Peer final : uv::Tcp::Handler {
  explicit Peer(Loop& loop, bool is_unix = false) {
    ::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends = is_unix ? unix_pair() : tcp_pair();
    far.reset(ends[1]);
    auto opened = uv::Tcp::open(loop, ends[0], *this);
    REQUIRE(opened);
    tcp = std::move(*opened);
  }

  static std::array<int, 2> unix_pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    return ends;
  }
  static std::array<int, 2> tcp_pair() {
    UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener.get(), any, size) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    REQUIRE(::getsockname(listener.get(), any, &size) == 0);
    int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(far, any, size) == 0);
    int near = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    REQUIRE(near >= 0);
    ::fcntl(far, F_SETFL, O_NONBLOCK);
    return {near, far};
  }

  std::span<char> read_buffer() override {
    return lend ? std::span<char>(buffer) : std::span<char>();
  }
  void on_bytes(std::string_view bytes) override {
    got += bytes;
    if (then) then();
  }
  void on_end(int error) override {
    ended = error;
    if (then) then();
  }
  void on_written(int error) override {
    written = error;
    if (then) then();
  }

  void send(std::string_view text) const {
    REQUIRE(::send(far.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  // Bytes that the far end can read now; nothing: none. `end` tells whether its FIN has come.
  std::size_t drain(bool& end) const {
    std::size_t total = 0;
    std::array<char, 65536> bytes;
    for (;;) {
      ssize_t n = ::recv(far.get(), bytes.data(), bytes.size(), 0);
      if (n == 0) end = true;
      if (n <= 0) return total;
      total += static_cast<std::size_t>(n);
    }
  }
  // Sends until the kernel takes no more.
  std::size_t fill() {
    std::string chunk(65536, 'x');
    std::size_t total = 0;
    for (ssize_t n = 1; n > 0;) {
      n = tcp->try_write(chunk);
      REQUIRE(n >= 0);
      total += static_cast<std::size_t>(n);
    }
    return total;
  }
  void reset_by_far() {
    linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(far.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    far.reset();
  }

  std::optional<uv::Tcp> tcp;
  UniqueFd far;
  std::array<char, 4096> buffer{};
  bool lend = true;
  std::string got;
  std::optional<int> ended;
  std::optional<int> written;
  std::function<void()> then;
};

}  // namespace

TEST_CASE("tcp: bytes and FIN arrive, on TCP and on unix sockets") {
  for (bool is_unix : {false, true}) {
    Loop loop;
    Peer peer(loop, is_unix);
    CHECK_FALSE(peer.tcp->is_reading());
    peer.tcp->read_start();
    peer.tcp->read_start();
    CHECK(peer.tcp->is_reading());
    std::string text(10'000, 'a');
    peer.send(text);
    REQUIRE(run_until(loop, [&] { return peer.got.size() >= text.size(); }));
    CHECK(peer.got == text);
    ::shutdown(peer.far.get(), SHUT_WR);
    REQUIRE(run_until(loop, [&] { return peer.ended.has_value(); }));
    CHECK(peer.ended == 0);
    CHECK_FALSE(peer.tcp->is_reading());
    CHECK(peer.tcp->try_write("still") == 5);
  }
}

TEST_CASE("tcp: a reset is an end with its errno value") {
  Loop loop;
  Peer peer(loop);
  peer.tcp->read_start();
  peer.reset_by_far();
  REQUIRE(run_until(loop, [&] { return peer.ended.has_value(); }));
  CHECK(peer.ended == ECONNRESET);
}

TEST_CASE("tcp: stopped reading it delivers nothing until started, whatever is being written") {
  Loop loop;
  Peer peer(loop);
  peer.tcp->read_start();
  peer.fill();
  peer.tcp->write("tail");
  peer.tcp->read_stop();
  CHECK_FALSE(peer.tcp->is_reading());
  CHECK(peer.tcp->is_writing());
  peer.send("hello");
  turn(loop);
  CHECK(peer.got.empty());
  peer.tcp->read_start();
  REQUIRE(run_until(loop, [&] { return peer.got == "hello"; }));
}

TEST_CASE("tcp: a handler that lends no buffer stops reading, and loses nothing") {
  Loop loop;
  Peer peer(loop);
  peer.tcp->read_start();
  peer.lend = false;
  peer.send("hello");
  REQUIRE(run_until(loop, [&] { return !peer.tcp->is_reading(); }));
  CHECK_FALSE(peer.ended.has_value());
  peer.lend = true;
  peer.tcp->read_start();
  REQUIRE(run_until(loop, [&] { return peer.got == "hello"; }));
}

TEST_CASE("tcp: what the kernel does not take waits, goes in order, and is told") {
  Loop loop;
  Peer peer(loop);
  std::size_t sent = peer.fill();
  CHECK(peer.tcp->try_write("no room") == 0);
  std::string tail(100'000, 'y');
  peer.tcp->write(tail);
  CHECK_FALSE(peer.written.has_value());
  CHECK(peer.tcp->try_write("would overtake") == 0);
  std::size_t read = 0;
  bool end = false;
  REQUIRE(run_until(loop, [&] {
    read += peer.drain(end);
    return peer.written.has_value() && read >= sent + tail.size();
  }));
  CHECK(peer.written == 0);
  CHECK(read == sent + tail.size());
  CHECK_FALSE(peer.tcp->is_writing());
  CHECK(peer.tcp->try_write("again") == 5);
}

TEST_CASE("tcp: of a write that fails, what the kernel had taken is known") {
  Loop loop;
  Peer peer(loop, true);
  const std::size_t filled = peer.fill();
  const std::string tail(1'000'000, 'y');
  peer.tcp->write(tail);
  std::array<char, 4096> bytes;
  std::size_t read = 0;
  REQUIRE(run_until(loop, [&] {  // some of it, which is behind all that was sent before
    const auto n = ::recv(peer.far.get(), bytes.data(), bytes.size(), 0);
    read += n > 0 ? static_cast<std::size_t>(n) : 0;
    return read > filled + 100'000;
  }));
  turn(loop);
  REQUIRE(peer.tcp->is_writing());
  const std::size_t before = peer.tcp->unwritten();
  CHECK(before > 0);
  CHECK(before < tail.size() - 100'000);
  peer.far.reset();
  REQUIRE(run_until(loop, [&] { return peer.written.has_value(); }));
  CHECK(*peer.written != 0);
  CHECK(peer.tcp->unwritten() == before);
}

TEST_CASE("tcp: write tells even when the kernel took all at once, and never before it returns") {
  Loop loop;
  Peer peer(loop);
  peer.tcp->write("now");
  CHECK_FALSE(peer.written.has_value());
  REQUIRE(run_until(loop, [&] { return peer.written.has_value(); }));
  CHECK(peer.written == 0);
}

TEST_CASE("tcp: FIN comes after a write that waits") {
  Loop loop;
  Peer peer(loop);
  std::size_t sent = peer.fill();
  peer.tcp->write("the tail");
  peer.tcp->shutdown_write();
  std::size_t read = 0;
  bool end = false;
  REQUIRE(run_until(loop, [&] {
    read += peer.drain(end);
    return end;
  }));
  CHECK(read == sent + 8);
  CHECK(peer.written == 0);
}

TEST_CASE("tcp: a write that fails later tells its errno value, one that fails now returns it") {
  Loop loop;
  Peer peer(loop);
  peer.fill();
  peer.tcp->write("lost");
  peer.reset_by_far();
  REQUIRE(run_until(loop, [&] { return peer.written.has_value(); }));
  CHECK((peer.written == ECONNRESET || peer.written == EPIPE));
  CHECK(peer.tcp->try_write("x") == -EPIPE);
}

TEST_CASE("tcp: it may be destroyed within its callbacks, and its descriptor closes at once") {
  Loop loop;
  Peer peer(loop);
  int fd = peer.tcp->fd();
  bool is_open = true;
  auto destroy = [&] {
    peer.tcp.reset();
    is_open = ::fcntl(fd, F_GETFD) >= 0;
  };
  SUBCASE("on_bytes, with more to read") {
    peer.then = destroy;
    peer.tcp->read_start();
    peer.send(std::string(3 * peer.buffer.size(), 'x'));
  }
  SUBCASE("on_end") {
    peer.then = destroy;
    peer.tcp->read_start();
    ::shutdown(peer.far.get(), SHUT_WR);
  }
  SUBCASE("on_written") {
    peer.then = destroy;
    peer.tcp->write("x");
  }
  REQUIRE(run_until(loop, [&] { return !peer.tcp.has_value(); }));
  CHECK_FALSE(is_open);
  turn(loop);
  CHECK(peer.got.size() <= peer.buffer.size());
}

TEST_CASE("tcp: a pending write outlives its owner, silently, and ends with the loop") {
  auto loop = std::make_unique<Loop>();
  Peer peer(*loop);
  peer.fill();
  peer.tcp->write(std::string(1 << 20, 'z'));
  peer.tcp.reset();
  loop.reset();  // leak checkers see what is left
  CHECK_FALSE(peer.written.has_value());
}

TEST_CASE("tcp: a descriptor that cannot be used is closed and refused") {
  Loop loop;
  Peer peer(loop);
  int fd = ::open("/proc/self/exe", O_PATH | O_CLOEXEC);
  auto opened = uv::Tcp::open(loop, fd, peer);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().errno_value() == EBADF);
  CHECK(::fcntl(fd, F_GETFD) == -1);
}
