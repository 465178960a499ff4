// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <netinet/tcp.h>
#include <poll.h>
#include <sstream>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hammer {
namespace {

using namespace std::chrono_literals;
constexpr auto kPauseAfterFailedConnect =
    10ms;  // or a stopped server would be asked 100,000 times a second

std::string make_batch(const Options& options) {
  const bool closes = options.mode == Mode::close;
  const std::string one = "GET " + options.path + " HTTP/1.1\r\nHost: hammer\r\n" +
                          (closes ? "Connection: close\r\n\r\n" : "\r\n");
  std::string batch;
  for (std::size_t i = 0; i < (options.mode == Mode::pipeline ? options.depth : 1); ++i)
    batch += one;
  return batch;
}

}  // namespace

Client::Client(const Options& options)
    : options_(options),
      batch_(make_batch(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      slots_(options.connections),
      begin_(Clock::now()),
      end_(begin_ + options.duration) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].due =
        begin_ + static_cast<std::int64_t>(i) * (options_.mode == Mode::hold ? options_.gap : 0us);
  }
}

Client::~Client() {
  for (Slot& slot : slots_) {
    if (slot.fd >= 0) ::close(slot.fd);
  }
  ::close(epoll_);
}

void Client::run(const volatile std::sig_atomic_t& stop) {
  while (stop == 0 && Clock::now() < end_ && !all_done()) turn(1);
  asking_ = false;
  // Each request has its own deadline, so this ends.
  while (!all_done()) turn(1);
}

void Client::hold(const volatile std::sig_atomic_t& stop) {
  while (stop == 0 && Clock::now() < end_) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char byte = 0;
    if (::poll(&input, 1, 0) > 0 && ::read(STDIN_FILENO, &byte, 1) <= 0) return;
    turn(10);
  }
}

Report Client::report() const {
  Report result = report_;
  result.elapsed = Clock::now() - begin_;
  return result;
}

bool Client::all_done() const {
  return std::ranges::all_of(slots_, [&](const Slot& slot) {
    if (slot.state == Slot::State::done) return true;
    if (options_.mode == Mode::hold && asking_)
      return slot.state == Slot::State::open && slot.answered > 0;
    return !asking_ && slot.asked.empty() && slot.state != Slot::State::connecting;
  });
}

void Client::handle_events(int wait_ms) {
  std::array<epoll_event, 256> events{};
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    on_event(*static_cast<Slot*>(event.data.ptr), event.events);
  }
}

void Client::turn(int wait_ms) {
  handle_events(wait_ms);
  const auto now = Clock::now();
  if (now - last_tick_ < 1ms) return;
  last_tick_ = now;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    on_tick(slots_[i], now);
    // Or the answers of a burst would wait until its last connect, and this client's time would
    // count as the server's.
    if (i % 8 == 7) handle_events(0);
  }
}

void Client::on_tick(Slot& slot, Clock::time_point now) {
  switch (slot.state) {
    case Slot::State::waiting:
      if (asking_ && now >= slot.due) connect(slot);
      break;
    case Slot::State::connecting:
      if (now - slot.started > options_.timeout) {
        report_.connect_timeout++;
        end(slot, 0ms);
      }
      break;
    case Slot::State::open:
      if (!slot.asked.empty() && now - slot.asked.front() > options_.timeout) {
        on_late(slot);
      } else if (asking_ && options_.mode == Mode::think && slot.asked.empty() && now >= slot.due) {
        ask(slot);
      }
      break;
    case Slot::State::done:
      break;
  }
}

void Client::connect(Slot& slot) {
  slot.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (options_.sources > 1) {
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(
        INADDR_LOOPBACK + static_cast<std::uint32_t>(&slot - slots_.data()) % options_.sources);
    ::setsockopt(slot.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    ::bind(slot.fd, reinterpret_cast<const sockaddr*>(&source), sizeof source);
  }
  ::setsockopt(slot.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  slot.started = Clock::now();
  slot.state = Slot::State::connecting;
  report_.connections++;
  if (::connect(slot.fd, reinterpret_cast<const sockaddr*>(&options_.address),
                sizeof options_.address) != 0 &&
      errno != EINPROGRESS) {
    on_broken(slot, errno);
    return;
  }
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &slot}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, slot.fd, &event);
}

void Client::on_event(Slot& slot, std::uint32_t events) {
  if (slot.state == Slot::State::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(slot.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      on_broken(slot, error);
    } else if ((events & EPOLLOUT) != 0) {
      on_connected(slot);
    }
    return;
  }
  if (slot.state != Slot::State::open) return;
  if ((events & EPOLLOUT) != 0 && slot.unsent > 0) send_rest(slot);
  if (slot.state == Slot::State::open) receive(slot);
}

void Client::on_connected(Slot& slot) {
  slot.state = Slot::State::open;
  ask(slot);
}

void Client::ask(Slot& slot) {
  // What the server closed before we asked is no lost request: look first, or the race would be
  // ours.
  char byte = 0;
  if (slot.answered > 0 && ::recv(slot.fd, &byte, 1, MSG_PEEK) >= 0) {
    report_.idle_closed++;
    end(slot, 0ms);
    return;
  }
  const bool counts_connect = options_.mode == Mode::close || options_.mode == Mode::hold;
  const auto since = counts_connect ? slot.started : Clock::now();
  slot.asked.assign(options_.mode == Mode::pipeline ? options_.depth : 1, since);
  slot.unsent = batch_.size();
  send_rest(slot);
}

void Client::send_rest(Slot& slot) {
  const char* rest = batch_.data() + (batch_.size() - slot.unsent);
  const ssize_t sent = ::send(slot.fd, rest, slot.unsent, MSG_NOSIGNAL);
  if (sent >= 0) {
    slot.unsent -= static_cast<std::size_t>(sent);
  } else if (errno != EAGAIN) {
    // The whole batch counts, though the server may have read a part: this client did not send it
    // all.
    report_.write_error += slot.asked.size();
    slot.asked.clear();
    end(slot, 0ms);
  }
}

void Client::receive(Slot& slot) {
  std::array<char, 64 * 1024> buffer;
  while (slot.state == Slot::State::open) {
    const ssize_t size = ::recv(slot.fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      on_broken(slot, size == 0 ? 0 : errno);
      return;
    }
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
    while (!bytes.empty() && slot.state == Slot::State::open) {
      const auto state =
          slot.asked.empty() ? ResponseReader::State::malformed : slot.reader.read(bytes);
      if (state == ResponseReader::State::malformed) {
        report_.malformed++;
        report_.behind += slot.asked.empty() ? 0 : slot.asked.size() - 1;
        slot.asked.clear();
        end(slot, 0ms);
      } else if (state == ResponseReader::State::complete) {
        on_answer(slot);
      }
    }
  }
}

void Client::on_answer(Slot& slot) {
  const auto now = Clock::now();
  if (slot.reader.status() == 200) {
    report_.ok++;
    report_.latency.add(now - slot.asked.front());
    if (last_ok_ != Clock::time_point{})
      report_.longest_silence = std::max(report_.longest_silence, now - last_ok_);
    last_ok_ = now;
  } else {
    report_.not_200++;
  }
  slot.asked.pop_front();
  slot.answered++;
  const bool keeps = options_.mode != Mode::close;
  if (slot.reader.says_close()) {
    report_.asked_to_close += keeps ? 1 : 0;
    report_.discarded += slot.asked.size();
    slot.asked.clear();
    end(slot, 0ms);
  } else if (!keeps) {
    end(slot, 0ms);
  } else if (slot.asked.empty() && asking_ && options_.mode != Mode::hold) {
    if (options_.mode != Mode::think) return ask(slot);
    random_ = random_ * 1664525 + 1013904223;
    slot.due = now + options_.think * (random_ >> 16) / 32768;
  }
}

// error 0: the server sent FIN.
void Client::on_broken(Slot& slot, int error) {
  if (slot.state == Slot::State::connecting) {
    (error == ECONNREFUSED ? report_.refused
     : error == ETIMEDOUT  ? report_.connect_timeout
                           : report_.connect_error)++;
    end(slot, kPauseAfterFailedConnect);
    return;
  }
  if (slot.asked.empty()) {
    report_.idle_closed++;
    end(slot, 0ms);
    return;
  }
  const bool inside = slot.reader.is_inside();
  if (inside) {
    (error != 0 ? report_.reset_partial : report_.eof_partial)++;
  } else if (slot.answered > 0) {
    report_.stale++;
  } else {
    (error != 0 ? report_.reset_fresh : report_.eof_fresh)++;
  }
  report_.behind += slot.asked.size() - 1;
  const bool surely_accepted = inside || slot.answered > 0 || error == 0;
  if (surely_accepted && slot.unsent == 0) report_.lost_accepted += slot.asked.size();
  slot.asked.clear();
  end(slot, 0ms);
}

void Client::on_late(Slot& slot) {
  const bool fresh = slot.answered == 0 && !slot.reader.is_inside();
  if (fresh && is_in_servers_queue(slot)) {
    report_.never_accepted++;
  } else {
    report_.timeout++;
    if (slot.unsent == 0) report_.lost_accepted += slot.asked.size();
  }
  report_.behind += slot.asked.size() - 1;
  slot.asked.clear();
  end(slot, 0ms);
}

// proc(5), /proc/net/tcp: the server's end of a connection has an inode once it was accepted. Only
// asked when a server on this machine let a request wait too long.
bool Client::is_in_servers_queue(const Slot& slot) const {
  sockaddr_in local{};
  socklen_t size = sizeof local;
  if (::getsockname(slot.fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) return false;
  std::array<char, 64> wanted{};
  std::snprintf(wanted.data(), wanted.size(), "%08X:%04X %08X:%04X",
                options_.address.sin_addr.s_addr, ntohs(options_.address.sin_port),
                local.sin_addr.s_addr, ntohs(local.sin_port));
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    if (line.find(wanted.data()) == std::string::npos) continue;
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 10; ++i) fields >> field;  // the tenth is the inode
    return field == "0";
  }
  return false;
}

void Client::end(Slot& slot, std::chrono::milliseconds pause) {
  ::close(slot.fd);
  slot.fd = -1;
  slot.reader = {};
  slot.answered = 0;
  slot.unsent = 0;
  slot.due = Clock::now() + pause;
  slot.state = options_.mode == Mode::hold ? Slot::State::done : Slot::State::waiting;
  // At once, or connections would be made at the pace of the tick.
  if (asking_ && slot.state == Slot::State::waiting && pause == 0ms) connect(slot);
}

}  // namespace hammer
