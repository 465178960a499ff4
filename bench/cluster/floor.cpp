// SPDX-License-Identifier: Apache-2.0
// A primary of Node workers that makes the system calls of a hand-over and does nothing else: what
// Node's protocol costs on a machine at the least, beside which bench/cluster/run puts ours. It
// knows one server, trusts its workers and survives nothing.
//   floor NODE APP WORKERS
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr const char* kKey = "floor";
constexpr std::uint32_t kListener = ~0U;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

int check(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

struct Worker {
  int channel = -1;
  int in_hand = -1;  // ours until it has answered
  bool is_ready = false;
  std::string input{};
};

struct Primary {
  int listener = -1;
  unsigned port = 0;
  long seq = 1;
  bool has_queue = false;
  std::vector<Worker> workers{};

  void listen() {
    listener = check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    check(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), "bind");
    check(::listen(listener, 511), "listen");
    check(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port = ntohs(address.sin_port);
  }

  void fork(const char* node, const char* app) {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    const std::string id = std::to_string(workers.size() + 1);
    if (check(::fork(), "fork") == 0) {
      const int inherited = ::dup(ends[1]);  // without CLOEXEC
      ::setenv("NODE_CHANNEL_FD", std::to_string(inherited).c_str(), 1);
      ::setenv("NODE_CHANNEL_SERIALIZATION_MODE", "json", 1);
      ::setenv("NODE_UNIQUE_ID", id.c_str(), 1);
      ::execlp(node, node, app, nullptr);
      fail(node);
    }
    ::close(ends[1]);
    check(::fcntl(ends[0], F_SETFL, O_NONBLOCK), "fcntl");
    workers.push_back({.channel = ends[0]});
  }

  static void send(const Worker& worker, std::string_view line, int fd = -1) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    iovec data{const_cast<char*>(line.data()), line.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (fd >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof fd);
      std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    check(static_cast<int>(::sendmsg(worker.channel, &message, MSG_NOSIGNAL)), "sendmsg");
  }

  void hand(Worker& worker) {
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) {
      has_queue = false;
      return;
    }
    char line[200];
    const int size = std::snprintf(
        line, sizeof line,
        R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_CLUSTER","act":"newconn",)"
        R"("key":"%s","seq":%ld}})"
        "\n",
        kKey, seq++);
    worker.in_hand = connection;
    send(worker, {line, static_cast<std::size_t>(size)}, connection);
  }

  void take(Worker& worker, std::string_view line) {
    if (line.find("\"queryServer\"") != line.npos) {
      const long asked = std::atol(line.data() + line.find("\"seq\":") + 6);
      char reply[300];
      std::snprintf(reply, sizeof reply,
                    R"({"cmd":"NODE_CLUSTER","errno":null,"key":"%s","ack":%ld,"data":null,)"
                    R"("sockname":{"address":"127.0.0.1","family":"IPv4","port":%u},"seq":%ld})"
                    "\n",
                    kKey, asked, port, seq++);
      send(worker, reply);
      worker.is_ready = true;
    } else if (line.find("\"accepted\":") != line.npos) {
      ::close(std::exchange(worker.in_hand, -1));
      if (has_queue) hand(worker);
    }
  }

  void read(Worker& worker) {
    std::array<char, 65536> space;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec data{space.data(), space.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t count = ::recvmsg(worker.channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count <= 0) fail("a worker has left");
    worker.input.append(space.data(), static_cast<std::size_t>(count));
    std::size_t from = 0;
    for (std::size_t end = 0; (end = worker.input.find('\n', from)) != std::string::npos;
         from = end + 1) {
      take(worker, std::string_view(worker.input).substr(from, end - from));
    }
    worker.input.erase(0, from);
  }

  [[noreturn]] void run() {
    const int epoll = check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    auto watch = [epoll](int fd, std::uint32_t events, std::uint32_t name) {
      epoll_event event{.events = events, .data = {.u32 = name}};
      check(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    };
    for (std::uint32_t i = 0; i < workers.size(); ++i) watch(workers[i].channel, EPOLLIN, i);
    watch(listener, EPOLLIN | EPOLLET, kListener);
    bool is_said = false;
    for (;;) {
      std::array<epoll_event, 64> events;
      const int count = check(::epoll_wait(epoll, events.data(), events.size(), -1), "epoll_wait");
      for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count))) {
        if (event.data.u32 != kListener) {
          read(workers[event.data.u32]);
          continue;
        }
        has_queue = true;
        for (Worker& worker : workers) {
          if (has_queue && worker.is_ready && worker.in_hand < 0) hand(worker);
        }
      }
      if (is_said || !std::ranges::all_of(workers, &Worker::is_ready)) continue;
      is_said = true;
      std::printf("ready http://127.0.0.1:%u \n", port);
      std::fflush(stdout);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  Primary primary;
  primary.listen();
  for (int i = std::atoi(argv[3]); i > 0; --i) primary.fork(argv[1], argv[2]);
  primary.run();
}
