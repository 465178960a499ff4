// SPDX-License-Identifier: Apache-2.0
// The least that a server can do: epoll, one receive, one send, no parsing. It counts the blank
// lines that end request heads and owes one fixed answer for each. Started by bench/run; what a
// real server costs beyond this is its own doing.
//
//   limit BODY_BYTES keep-alive|close     prints "PORT\n" when it listens on 127.0.0.1
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

struct Connection {
  std::size_t owed = 0;   // bytes of answers not yet sent
  std::size_t phase = 0;  // where in the answer the next byte is
  unsigned matched = 0;   // characters of "\r\n\r\n" seen
  bool waits = false;     // for EPOLLOUT
};

class Limit {
 public:
  Limit(std::size_t body_bytes, bool closes) : closes_(closes) {
    answer_ = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
              std::to_string(body_bytes) + (closes ? "\r\nConnection: close" : "") + "\r\n\r\n";
    size_ = answer_.size() + body_bytes;
    std::string one = answer_ + (body_bytes == 13 ? "Hello, World!" : std::string(body_bytes, 'x'));
    // Several in a row, so that a pipelined batch is one send.
    answer_.clear();
    for (std::size_t n = 0; n < std::max<std::size_t>(2, 16384 / size_); ++n) answer_ += one;
  }

  int run() {
    if (!listen()) return 1;
    std::array<epoll_event, 256> events;
    for (;;) {
      int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept();
        } else if (!serve(fd)) {
          ::close(fd);
        }
      }
    }
  }

 private:
  bool listen() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    int on = 1;
    // Both are inherited by the connections or save a wake-up: a limit may use what there is.
    ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(listener_, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 4096) != 0) return false;
    ::getsockname(listener_, any, &size);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    std::printf("%d\n", ntohs(address.sin_port));
    return std::fflush(stdout) == 0;
  }

  void watch(int operation, int fd, std::uint32_t what) const {
    epoll_event event{};
    event.events = what;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept() {
    for (;;) {
      int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      auto index = static_cast<std::size_t>(fd);
      if (index >= connections_.size()) connections_.resize(index + 64);
      connections_[index] = {};
      // The request is here already, thanks to TCP_DEFER_ACCEPT: one that closes never meets epoll.
      if (!serve(fd)) {
        ::close(fd);
      } else {
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
      }
    }
  }

  // False when the connection is over.
  bool serve(int fd) {
    Connection& c = connections_[static_cast<std::size_t>(fd)];
    if (c.owed == 0) {
      ssize_t n = ::recv(fd, in_.data(), in_.size(), 0);
      if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
      if (n > 0) c.owed += size_ * heads(c, {in_.data(), static_cast<std::size_t>(n)});
      if (c.owed == 0) return true;
    }
    while (c.owed > 0) {
      std::size_t part = std::min(c.owed, answer_.size() - c.phase);
      ssize_t n = ::send(fd, answer_.data() + c.phase, part, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return false;
      if (n < 0) {
        wait_for_room(fd, c, true);
        return true;
      }
      c.owed -= static_cast<std::size_t>(n);
      c.phase = (c.phase + static_cast<std::size_t>(n)) % size_;
    }
    wait_for_room(fd, c, false);
    return !closes_;
  }

  void wait_for_room(int fd, Connection& c, bool waits) {
    if (c.waits == waits) return;
    c.waits = waits;
    watch(EPOLL_CTL_MOD, fd, waits ? EPOLLOUT : EPOLLIN);
  }

  static std::size_t heads(Connection& c, std::string_view bytes) {
    static constexpr std::string_view kEnd = "\r\n\r\n";
    std::size_t found = 0;
    for (char byte : bytes) {
      c.matched = byte == kEnd[c.matched] ? c.matched + 1 : (byte == '\r' ? 1 : 0);
      if (c.matched < kEnd.size()) continue;
      ++found;
      c.matched = 0;
    }
    return found;
  }

  bool closes_;
  std::string answer_;
  std::size_t size_ = 0;  // of one answer
  std::vector<Connection> connections_;
  std::array<char, 65536> in_{};
  int listener_ = -1;
  int epoll_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: limit BODY_BYTES keep-alive|close\n");
    return 2;
  }
  return Limit(std::strtoul(argv[1], nullptr, 10), std::string_view(argv[2]) == "close").run();
}
