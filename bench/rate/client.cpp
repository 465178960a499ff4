// SPDX-License-Identifier: Apache-2.0
#include "client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pronghorn::bench {
namespace {

std::uint64_t now_ns() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace

Client::Client(const Plan& plan) : plan_(plan), connections_(plan.connections) {
  const std::vector<std::string>& all = plan_.requests;
  for (std::size_t n = 0; n < all.size(); ++n) {
    std::string& text = texts_.emplace_back();
    for (std::size_t i = 0; i < plan_.depth; ++i) text += all[(n * plan_.depth + i) % all.size()];
  }
  batches_ = static_cast<std::uint64_t>(
      std::ceil((plan_.seconds + plan_.warmup) * plan_.rate / static_cast<double>(plan_.depth)));
  warmup_ = static_cast<std::uint64_t>(plan_.warmup * 1e9);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // wakes when it asked for, not 50 us later
}

Client::~Client() {
  for (Connection& c : connections_) {
    if (c.fd >= 0) ::close(c.fd);
  }
  ::close(epoll_);
}

std::uint64_t Client::due(std::uint64_t batch) const noexcept {
  return start_ + static_cast<std::uint64_t>(static_cast<double>(batch) *
                                             static_cast<double>(plan_.depth) * 1e9 / plan_.rate);
}

std::uint64_t Client::due_of(const Connection& c, std::uint64_t n) const noexcept {
  return due(n * connections_.size() + static_cast<std::uint64_t>(&c - connections_.data()));
}

Outcome Client::run() {
  if (!plan_.closes) {
    for (Connection& c : connections_) {
      if (!open(c)) ++outcome_.errors;
    }
  }
  start_ = now_ns() + 10'000'000;
  for (std::uint64_t now = now_ns();; now = now_ns()) {
    release(now);
    if (all_done() || outcome_.errors >= kMostErrors) break;
    if (next_ == batches_ && now > due(batches_) + kPatience) {
      count_unanswered(now);
      break;
    }
    wait(now);
  }
  outcome_.duration = static_cast<double>(last_ - std::min(last_, start_ + warmup_)) / 1e9;
  return outcome_;
}

bool Client::all_done() const noexcept { return next_ == batches_ && open_ == 0; }

// What is due is sent where its connection is free, and waits behind its predecessor where not.
void Client::release(std::uint64_t now) {
  for (; next_ < batches_ && due(next_) <= now; ++next_) {
    Connection& c = connections_[next_ % connections_.size()];
    ++c.released;
    ++open_;
    if (c.owed == 0) begin(c, now);
  }
}

void Client::wait(std::uint64_t now) {
  const std::uint64_t until = next_ < batches_ ? due(next_) : now + 10'000'000;
  const std::uint64_t left = until > now ? until - now : 0;
  const timespec time{.tv_sec = static_cast<time_t>(left / 1'000'000'000),
                      .tv_nsec = static_cast<long>(left % 1'000'000'000)};
  std::array<epoll_event, 256> events;
  const int n = ::epoll_pwait2(epoll_, events.data(), events.size(), &time, nullptr);
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Connection& c = connections_[event.data.u64];
    if (c.out > 0 && (event.events & EPOLLOUT) != 0) send(c);
    if (c.fd >= 0 && (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive(c);
  }
}

bool Client::open(Connection& c) {
  c.answers = Answers(plan_.body);
  c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c.fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(plan_.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = static_cast<std::uint64_t>(&c - connections_.data());
  if ((::connect(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
       errno != EINPROGRESS) ||
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event) != 0) {
    ::close(c.fd);
    c.fd = -1;
    return false;
  }
  return true;
}

// Of the batch that was begun last.
const std::string& Client::text_of(const Connection& c) const noexcept {
  const auto k = static_cast<std::uint64_t>(&c - connections_.data());
  return texts_[((c.sent - 1) * connections_.size() + k) % texts_.size()];
}

void Client::begin(Connection& c, std::uint64_t now) {
  const std::uint64_t due = due_of(c, c.sent);
  if (counts(due)) outcome_.late.record(now - std::min(now, std::max(due, c.free_since)));
  ++c.sent;
  c.owed = plan_.depth;
  c.out = text_of(c).size();
  if (c.fd < 0 && !open(c)) return fail(c, now);
  send(c);
}

void Client::send(Connection& c) {
  const std::string_view text = text_of(c);
  while (c.out > 0) {
    const ssize_t n = ::send(c.fd, text.data() + text.size() - c.out, c.out, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;  // also of a connection that is still being made
    if (n < 0) return fail(c, now_ns());
    c.out -= static_cast<std::size_t>(n);
  }
}

void Client::receive(Connection& c) {
  for (;;) {
    const ssize_t n = ::recv(c.fd, in_.data(), in_.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    const std::uint64_t now = now_ns();
    if (n <= 0) {
      if (c.owed > 0) return fail(c, now);
      ::close(c.fd);  // an idle one that the server gave up
      c.fd = -1;
      return;
    }
    const std::size_t ended = c.answers.feed({in_.data(), static_cast<std::size_t>(n)});
    if (c.answers.is_bad() || ended > c.owed) return fail(c, now);
    if (ended > 0) answered(c, ended, now);
    if (c.fd < 0 || static_cast<std::size_t>(n) < in_.size()) return;
  }
}

void Client::answered(Connection& c, std::size_t count, std::uint64_t now) {
  const std::uint64_t due = due_of(c, c.sent - 1);
  if (counts(due)) {
    for (std::size_t i = 0; i < count; ++i) outcome_.latency.record(now - due);
    outcome_.requests += count;
    last_ = now;
  }
  c.owed -= count;
  if (c.owed > 0) return;
  if (plan_.closes || c.answers.closes()) {
    ::close(c.fd);
    c.fd = -1;
    if (!plan_.closes && !open(c)) ++outcome_.errors;
  }
  end_of_batch(c, now);
}

void Client::fail(Connection& c, std::uint64_t now) {
  ++outcome_.errors;
  if (c.fd >= 0) ::close(c.fd);
  c.fd = -1;
  c.owed = 0;
  c.out = 0;
  end_of_batch(c, now);
}

void Client::end_of_batch(Connection& c, std::uint64_t now) {
  --open_;
  c.free_since = now;
  if (c.sent < c.released && outcome_.errors < kMostErrors) begin(c, now);
}

// They are in the percentiles with the time that they have waited: leaving them out would flatter.
void Client::count_unanswered(std::uint64_t now) {
  for (const Connection& c : connections_) {
    const std::uint64_t first = c.owed > 0 ? c.sent - 1 : c.sent;
    for (std::uint64_t n = first; n < c.released; ++n) {
      const std::size_t answers = n + 1 == c.sent ? c.owed : plan_.depth;
      for (std::size_t i = 0; i < answers && counts(due_of(c, n)); ++i) {
        outcome_.latency.record(now - due_of(c, n));
        ++outcome_.unanswered;
      }
    }
  }
}

}  // namespace pronghorn::bench
