// SPDX-License-Identifier: Apache-2.0
// The least that a server can do: epoll, one receive, one send, no parsing. It counts the blank
// lines that end request heads and owes one fixed answer for each. Started by bench/run; what a
// real server costs beyond this is its own doing.
//
//   limit BODY_BYTES [close] [json] [file=PATH] [request=BYTES] [workers=N]
//
// prints "PORT\n" when it listens on 127.0.0.1. It always waits for the request before it accepts
// (TCP_DEFER_ACCEPT) and reads it at once. json: the answer's body is that of TechEmpower. file:
// the body goes out by sendfile, else from memory. request: a body of that size follows each head.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

struct Options {
  std::size_t body_bytes = 0;
  std::size_t request_bytes = 0;
  unsigned workers = 1;
  bool closes = false;
  bool json = false;
  std::string file;
};

struct Connection {
  std::size_t owed = 0;   // bytes of answers not yet sent
  std::size_t phase = 0;  // where in the answer the next byte is
  std::size_t skip = 0;   // bytes of a request's body that are still to come
  unsigned matched = 0;   // characters of "\r\n\r\n" seen
  bool waits = false;     // for EPOLLOUT
};

std::string body_of(const Options& options) {
  if (options.json) return R"({"message":"Hello, World!"})";
  return options.body_bytes == 13 ? "Hello, World!" : std::string(options.body_bytes, 'x');
}

class Limit {
 public:
  explicit Limit(const Options& options) : options_(options) {
    const std::string body = body_of(options);
    const std::string head = std::string("HTTP/1.1 200 OK\r\nContent-Type: ") +
                             (options.json ? "application/json" : "text/plain") +
                             "\r\nContent-Length: " + std::to_string(body.size()) +
                             (options.closes ? "\r\nConnection: close" : "") + "\r\n\r\n";
    head_ = head.size();
    size_ = head.size() + body.size();
    if (!options.file.empty()) {
      file_ = ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC);
      answer_ = head;
      return;
    }
    // Several in a row, so that a pipelined batch is one send.
    for (std::size_t n = 0; n < std::max<std::size_t>(2, 16384 / size_); ++n) {
      answer_ += head + body;
    }
  }

  /// @returns the port, 0: it cannot. The first worker asks for 0, the others for its port.
  int listen(int port) {
    if (!options_.file.empty() && file_ < 0) return 0;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    int on = 1;
    if (options_.workers > 1) {
      ::setsockopt(listener_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    }
    // Both are inherited by the connections or save a wake-up: a limit may use what there is.
    ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(listener_, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 4096) != 0) return 0;
    ::getsockname(listener_, any, &size);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    return ntohs(address.sin_port);
  }

  void run() {
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
        watch(EPOLL_CTL_ADD, fd, connections_[index].waits ? EPOLLOUT : EPOLLIN);
      }
    }
  }

  // False when the connection is over.
  bool serve(int fd) {
    Connection& c = connections_[static_cast<std::size_t>(fd)];
    if (c.owed == 0) {
      ssize_t n = ::recv(fd, in_.data(), in_.size(), 0);
      if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
      if (n > 0) c.owed += size_ * requests(c, {in_.data(), static_cast<std::size_t>(n)});
      if (c.owed == 0) return true;
    }
    while (c.owed > 0) {
      ssize_t n = push(fd, c);
      if (n < 0 && errno != EAGAIN) return false;
      if (n < 0) {
        wait_for_room(fd, c, true);
        return true;
      }
      c.owed -= static_cast<std::size_t>(n);
      c.phase = (c.phase + static_cast<std::size_t>(n)) % size_;
    }
    wait_for_room(fd, c, false);
    return !options_.closes;
  }

  ssize_t push(int fd, const Connection& c) const {
    if (file_ < 0) {
      std::size_t part = std::min(c.owed, answer_.size() - c.phase);
      return ::send(fd, answer_.data() + c.phase, part, MSG_NOSIGNAL);
    }
    if (c.phase < head_) {
      return ::send(fd, answer_.data() + c.phase, head_ - c.phase, MSG_NOSIGNAL | MSG_MORE);
    }
    auto at = static_cast<off_t>(c.phase - head_);
    return ::sendfile(fd, file_, &at, size_ - c.phase);
  }

  void wait_for_room(int fd, Connection& c, bool waits) const {
    if (c.waits == waits) return;
    c.waits = waits;
    watch(EPOLL_CTL_MOD, fd, waits ? EPOLLOUT : EPOLLIN);
  }

  // How many have ended in these bytes, the bodies that follow their heads included.
  std::size_t requests(Connection& c, std::string_view bytes) const {
    static constexpr std::string_view kEnd = "\r\n\r\n";
    std::size_t found = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (c.skip > 0) {
        const std::size_t part = std::min(c.skip, bytes.size() - i);
        c.skip -= part;
        i += part - 1;
        if (c.skip == 0) ++found;
        continue;
      }
      c.matched = bytes[i] == kEnd[c.matched] ? c.matched + 1 : (bytes[i] == '\r' ? 1 : 0);
      if (c.matched < kEnd.size()) continue;
      c.matched = 0;
      c.skip = options_.request_bytes;
      if (c.skip == 0) ++found;
    }
    return found;
  }

  Options options_;
  std::string answer_;    // several of them; with a file the head alone
  std::size_t head_ = 0;  // bytes of an answer's head
  std::size_t size_ = 0;  // of one answer
  std::vector<Connection> connections_;
  std::array<char, 65536> in_{};
  int file_ = -1;
  int listener_ = -1;
  int epoll_ = -1;
};

constexpr const char* kUsage =
    "usage: limit BODY_BYTES [close] [json] [file=PATH] [request=BYTES] [workers=N]\n";

// False: it is no whole number of `low` to `high`, which has been said.
template <typename Number>
bool read(std::string_view what, std::string_view text, Number low, Number high, Number& out) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (fault == std::errc() && end == text.data() + text.size() && out >= low && out <= high) {
    return true;
  }
  std::fprintf(stderr, "limit: %.*s must be %llu to %llu, not '%.*s'\n",
               static_cast<int>(what.size()), what.data(), static_cast<unsigned long long>(low),
               static_cast<unsigned long long>(high), static_cast<int>(text.size()), text.data());
  return false;
}

// False: something is wrong with it, which has been said.
bool parse(int argc, char** argv, Options& out) {
  constexpr std::size_t kMostBytes = 1 << 30;
  if (argc < 2) {
    std::fprintf(stderr, "limit: no BODY_BYTES\n");
    return false;
  }
  if (!read<std::size_t>("BODY_BYTES", argv[1], 0, kMostBytes, out.body_bytes)) return false;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const std::string_view value = word.substr(std::min(word.find('=') + 1, word.size()));
    if (word == "close") {
      out.closes = true;
    } else if (word == "json") {
      out.json = true;
    } else if (word.starts_with("file=")) {
      out.file = value;
    } else if (word.starts_with("request=")) {
      if (!read<std::size_t>("request", value, 0, kMostBytes, out.request_bytes)) return false;
    } else if (word.starts_with("workers=")) {
      if (!read<unsigned>("workers", value, 1, 1024, out.workers)) return false;
    } else {
      std::fprintf(stderr, "limit: unknown word '%s'\n", argv[i]);
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // sendfile(2) has no MSG_NOSIGNAL
  Limit first(options);
  const int port = first.listen(0);
  if (port == 0) {
    std::perror("limit");
    return 1;
  }
  for (unsigned n = 1; n < options.workers; ++n) {
    if (::fork() != 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Limit other(options);
    if (other.listen(port) == 0) return 1;
    other.run();
  }
  std::printf("%d\n", port);
  if (std::fflush(stdout) != 0) return 1;
  first.run();
}
