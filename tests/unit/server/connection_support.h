// SPDX-License-Identifier: Apache-2.0
// A server on port 0 and clients in the same thread: the tests turn the loop themselves, so that
// they know what has happened, and every wait has a deadline.
#pragma once

#include <pronghorn/base/counters.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/server/router.h>
#include <pronghorn/server/server.h>

#include <doctest/doctest.h>
#include <uv.h>

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <utility>
#include <vector>

namespace pronghorn::test {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

inline int count_of(std::string_view text, std::string_view what) {
  int n = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

/// A non-blocking socket that remembers what it was told.
struct Client {
  UniqueFd socket;
  std::string received;
  bool eof = false;
  int error = 0;

  /// What the kernel takes now.
  std::size_t send(std::string_view bytes) {
    ssize_t n = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) error = errno;
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  /// Takes up to `at_most` bytes; true when the connection is over.
  bool read(std::size_t at_most = 1 << 20) {
    static char buffer[1 << 20];
    while (!over() && at_most > 0) {
      ssize_t n = ::recv(socket.get(), buffer, std::min(at_most, sizeof buffer), MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN) error = errno;
      if (n == 0) eof = true;
      if (n <= 0) break;
      received.append(buffer, static_cast<std::size_t>(n));
      at_most -= static_cast<std::size_t>(n);
    }
    return over();
  }
  bool over() const { return eof || error != 0; }
  void finish_sending() { ::shutdown(socket.get(), SHUT_WR); }
  void reset() {
    linger now{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket.reset();
  }
};

struct Listener {
  UniqueFd socket;
  sockaddr_storage address{};
  socklen_t length = sizeof address;

  static Listener tcp(int send_buffer = 0) {
    Listener l;
    l.socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    int one = 1;
    ::setsockopt(l.socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (send_buffer > 0) {
      ::setsockopt(l.socket.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    }
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l.listen(reinterpret_cast<sockaddr*>(&any), sizeof any);
    return l;
  }
  static Listener local() {  // an address of the kernel's choice in the abstract namespace
    Listener l;
    l.socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un any{};
    any.sun_family = AF_UNIX;
    l.listen(reinterpret_cast<sockaddr*>(&any), sizeof(sa_family_t));
    return l;
  }
  void listen(const sockaddr* any, socklen_t size) {
    REQUIRE(::bind(socket.get(), any, size) == 0);
    REQUIRE(::listen(socket.get(), 512) == 0);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  }
  /// Connected when it returns (into the accept queue); nothing of the server has run.
  Client connect(int receive_buffer = 0) const {
    Client c;
    c.socket.reset(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0) {
      ::setsockopt(c.socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    REQUIRE(::connect(c.socket.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
    return c;
  }
  UniqueFd duplicate() const { return UniqueFd(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0)); }
};

/// The time in which the machine let this process stand still, though it did not wait: what the
/// clock went on beyond the CPU time used and the wait asked for. No time bar may count it.
class Stalls {
 public:
  void look(std::chrono::milliseconds waited) {
    auto now = SteadyClock::now();
    auto cpu = cpu_now();
    auto stood = now - wall_ - (cpu - cpu_) - waited;
    if (stood > 5ms) total_ += stood;  // less is what a scheduler does
    wall_ = now;
    cpu_ = cpu;
  }
  SteadyClock::duration total() const { return total_; }

 private:
  static SteadyClock::duration cpu_now() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
  }
  SteadyClock::time_point wall_ = SteadyClock::now();
  SteadyClock::duration cpu_ = cpu_now(), total_{};
};

/// Calls `attempt`, which tells its Stalls' total, until the machine did not stand still meanwhile:
/// for what must happen between two moments. The last of twenty attempts counts whatever happened.
template <class Attempt>
void without_stalls(Attempt attempt) {
  for (int i = 0; i < 20 && attempt() > 50ms; ++i) {
  }
}

/// Routes: /hello (13 bytes), /big (8 MiB text), /file (the bytes of `file`, at its size then),
/// /echo, /body (what `body` gives).
struct TestServer {
  static Server::Options quick() {
    Server::Options options;
    options.limits.requests_per_connection = 0;
    options.timeouts = {
        .head = 10s, .body = 10s, .body_rate = 10s, .keepalive = 10s, .write = 10s, .linger = 2s};
    return options;
  }

  explicit TestServer(Server::Options options = quick(), Listener on = Listener::tcp())
      : listener(std::move(on)) {
    std::signal(SIGPIPE, SIG_IGN);
    Router router;
    auto get = [&](const char* path, Handler handler) {
      REQUIRE(router.add("*", path, std::move(handler)));
    };
    get("/hello", [](const Request&) { return Response::text("hello, world\n"); });
    get("/big", [](const Request&) { return Response::text(std::string(8 << 20, 'b')); });
    get("/peer", [](const Request& q) { return Response::text(std::string(q.peer())); });
    get("/echo", [](const Request& q) { return Response::text(std::string(q.body())); });
    get("/file", [this](const Request&) {
      return Response().body(
          FileBody{.file = UniqueFd(::dup(file.get())), .offset = 0, .length = file_length});
    });
    get("/body", [this](const Request&) { return body(); });
    get("/act", [this](const Request&) {
      action();
      return Response::text("done\n");
    });
    server.emplace(loop, std::move(router), std::move(options), &counters);
    REQUIRE(server->add_listener(listener.duplicate()));
  }

  void make_file(std::uint64_t length) {
    file.reset(::memfd_create("body", MFD_CLOEXEC));
    REQUIRE(::ftruncate(file.get(), static_cast<off_t>(length)) == 0);
    file_length = length;
  }

  /// One turn of the loop; waits for something to happen for at most `wait`.
  void turn(std::chrono::milliseconds wait = 0ms) {
    stalls.look(0ms);
    if (wait > 0ms) {
      int limit = static_cast<int>(wait.count());
      int timeout = uv_backend_timeout(loop.native());
      pollfd fd{.fd = uv_backend_fd(loop.native()), .events = POLLIN, .revents = 0};
      ::poll(&fd, 1,
             timeout < 0 || uv_loop_alive(loop.native()) == 0 ? limit : std::min(timeout, limit));
    }
    uv_run(loop.native(), UV_RUN_NOWAIT);
    stalls.look(wait);
  }
  void turns(int n) {
    while (n-- > 0) turn();
  }
  /// Turns the loop until `done()`; false after 20 s: long, as machines are busy.
  template <class Done>
  bool until(Done done) {
    auto limit = SteadyClock::now() + 20s;
    while (!done()) {
      if (SteadyClock::now() > limit) return false;
      turn(1ms);
    }
    return true;
  }
  void run_for(std::chrono::milliseconds time) {
    auto limit = SteadyClock::now() + time;
    while (SteadyClock::now() < limit) turn(1ms);
  }
  /// Sends all of it while the loop turns, then waits for `done` or the connection's end.
  template <class Done>
  bool talk(Client& client, std::string_view bytes, Done done) {
    return until([&] {
      if (!bytes.empty()) bytes.remove_prefix(client.send(bytes));
      if (client.over()) return done();
      client.read();
      return bytes.empty() && done();
    });
  }
  bool ends(Client& client) {
    return until([&] { return client.read(); });
  }
  /// Those that keep the loop.
  int handles(uv_handle_type type) {
    struct Count {
      uv_handle_type type;
      int n = 0;
    } count{.type = type};
    uv_walk(
        loop.native(),
        [](uv_handle_t* h, void* arg) {
          auto* c = static_cast<Count*>(arg);
          if (h->type == c->type && uv_has_ref(h) != 0) ++c->n;
        },
        &count);
    return count.n;
  }

  Listener listener;
  Loop loop;
  Stalls stalls;
  WorkerCounters counters;
  std::optional<Server> server;
  UniqueFd file;
  std::uint64_t file_length = 0;
  std::function<void()> action = [] {};
  std::function<Response()> body = [] { return Response(204); };
};

inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n" + std::string(fields) + "\r\n";
}
inline const std::string kClose = "Connection: close\r\n";

}  // namespace pronghorn::test
