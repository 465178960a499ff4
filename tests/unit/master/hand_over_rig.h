// SPDX-License-Identifier: Apache-2.0
// A HandOver over a real loopback socket, with workers that do what the test says.
#pragma once

#include "master/cluster/hand_over.h"
#include "tests/unit/ipc/channel_fixture.h"

#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <string>
#include <sys/un.h>
#include <utility>

namespace pronghorn::test {

using master::HandOver;
using master::Member;
using master::Picker;

/// A client's socket, connected; with a time limit. `from`: 127.0.0.`from`.
inline UniqueFd connect_to(std::uint16_t port, unsigned char from = 1) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval limit{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + from - 1);
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

inline void write_to(const UniqueFd& fd, std::string_view text) {
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}
/// What comes next; "" at the end, "ECONNRESET" after a reset.
inline std::string read_from(const UniqueFd& fd) {
  std::array<char, 256> space{};
  ssize_t n = 0;
  do {
    n = ::recv(fd.get(), space.data(), space.size(), 0);
  } while (n < 0 && errno == EAGAIN && (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0);
  if (n < 0) return errno == ECONNRESET ? "ECONNRESET" : std::strerror(errno);
  return {space.data(), static_cast<std::size_t>(n)};
}

/// A worker: what it was sent, each with a duplicate of its descriptor as the kernel would give it.
struct FakeWorker {
  struct HandOff {
    std::int64_t seq;
    UniqueFd socket;
    std::function<void()> on_lost;
  };
  std::int64_t& next_seq;
  std::deque<HandOff> unanswered{};
  std::vector<UniqueFd> taken{};
  std::vector<std::string> texts{};
  int asked = 0;
  int in_hand_at_most = 0;
  std::optional<Error> fails{};
  Member member;

  FakeWorker(std::uint64_t id, std::optional<std::uint32_t> slot, std::int64_t& seq)
      : next_seq(seq), member(id, slot, seq, [this](const auto& message, const auto* handle) {
          return send(message, handle);
        }) {}
  Result<bool> send(const ipc::InternalMessage& message, const ipc::Handle* handle) {
    ++asked;
    if (fails) return std::unexpected(*fails);
    texts.push_back(message.text());
    unanswered.push_back(
        {next_seq - 1, UniqueFd(::fcntl(handle->fd, F_DUPFD_CLOEXEC, 3)), handle->on_lost});
    in_hand_at_most = std::max(in_hand_at_most, static_cast<int>(unanswered.size()));
    return true;
  }
  /// Answers for the oldest; a connection that was taken is kept.
  void reply(bool accepted) {
    HandOff off = std::move(unanswered.front());
    unanswered.pop_front();
    if (accepted) taken.push_back(std::move(off.socket));
    off.socket.reset();
    ipc::ClusterMessage answer;
    answer.ack = off.seq;
    answer.accepted = accepted;
    member.take_reply(answer);
  }
};

struct HandOverRig {
  Loop loop;
  std::uint16_t port = 0;
  UniqueFd listener;
  std::string path{};
  ipc::Scoreboard board = ipc::Scoreboard::create(8).value();
  master::HandOverTotals totals;
  std::unique_ptr<HandOver> server;
  std::int64_t next_seq = 0;
  std::map<std::uint64_t, std::unique_ptr<FakeWorker>> workers;
  std::deque<UniqueFd> clients;  // references stay good

  explicit HandOverRig(std::unique_ptr<Picker> picker = master::make_round_robin(),
                       std::size_t max_waiting = 1024, Millis silence = Millis(10'000))
      : listener(bound_socket(511, &port)) {
    open(std::move(picker), max_waiting, silence);
  }
  void open(std::unique_ptr<Picker> picker, std::size_t max_waiting = 1024,
            Millis silence = Millis(10'000)) {
    server = HandOver::open(loop, {.listener = listener.get(),
                                   .key = "the key",
                                   .picker = std::move(picker),
                                   .max_waiting = max_waiting,
                                   .silence = silence,
                                   .board = &board,
                                   .totals = &totals})
                 .value();
  }
  /// Made and joined: 1, 2 …; its slot is id - 1.
  FakeWorker& add(std::uint64_t id) {
    auto slot = static_cast<std::uint32_t>(id - 1);
    workers[id] = std::make_unique<FakeWorker>(id, slot, next_seq);
    CHECK(server->join(workers[id]->member).error == 0);
    server->joined(workers[id]->member);
    return *workers[id];
  }
  FakeWorker& operator[](std::uint64_t id) { return *workers.at(id); }
  /// As at the death of its process: the kernel closes what it had.
  void die(std::uint64_t id) {
    auto worker = std::move(workers[id]);
    workers.erase(id);
    for (auto& off : worker->unanswered) off.socket.reset();
    worker->taken.clear();
    if (server) server->leave(worker->member, true);
  }
  UniqueFd& connect(unsigned char from = 1) { return clients.emplace_back(connect_to(port, from)); }
  template <class Done>
  bool wait(Done done) {
    return run_until(loop, std::move(done));
  }
  bool wait_asked(std::uint64_t id, int times) {
    return wait([&] { return workers.at(id)->asked >= times; });
  }
  /// Turns the loop as far as it goes without waiting.
  void settle() {
    for (int i = 0; i < 6; ++i) uv_run(loop.native(), UV_RUN_NOWAIT);
  }
  void run_for(std::int64_t ms) {
    const std::uint64_t until = uv_hrtime() + static_cast<std::uint64_t>(ms) * 1'000'000;
    run_until(loop, [until] { return uv_hrtime() >= until; });
  }
};

}  // namespace pronghorn::test
