// SPDX-License-Identifier: Apache-2.0
// The inside of HandOver: who is there, what each has in hand, what waits. hand_over.cpp has the
// members and their answers, hand_over_accept.cpp the listener, hand_over_serve.cpp the matching.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/unique_fd.h>

#include "base/uv/poll.h"
#include "base/uv/timer.h"
#include "master/cluster/hand_over.h"

#include <deque>
#include <optional>
#include <vector>

namespace pronghorn::master {

struct HandOver::Impl : std::enable_shared_from_this<HandOver::Impl> {
  using Id = std::uint64_t;

  struct Connection {
    std::shared_ptr<const UniqueFd> socket;  // with a channel, until the worker's end has it
    Picker::Client client;
    std::optional<std::uint64_t> unread_before;  // in_flight.h
  };
  /// With an answer that a connection waits for (least_connections). Not ended by the clock alone:
  /// when it was us who were held up, the answer is in the channel, and is read first.
  enum class Patience : std::uint8_t { waits, last_look, ended };
  /// A worker. After leave() it stays here as long as it has a connection in hand.
  struct Seat {
    Member* member;
    bool is_member = true;
    bool is_cut_off = false;  // its channel is closed; its end will be told soon
    std::optional<Connection> in_hand{};
    std::int64_t seq = 0;       // of in_hand
    std::int64_t since_ms = 0;  // that it has in_hand
    Patience patience = Patience::waits;
    Millis back_off{0};  // of its last refusal
    std::int64_t rests_till_ms = 0;
  };

  Impl(Loop& its_loop, Options its_options);
  Result<void> watch_listener();
  void close() noexcept;

  // hand_over.cpp
  Seat* find(Id id) noexcept;
  void joined(Member& member);
  void leave(Member& member, bool is_gone);
  void on_reply(Id id, std::int64_t seq, bool accepted);
  /// The channel has told that the peer could not take the descriptor.
  void on_lost(Id id, std::int64_t seq);
  void recover(Connection connection);
  std::size_t members() const noexcept;
  std::size_t in_hand() const noexcept;
  void drain(std::function<void()> done);

  // hand_over_serve.cpp
  /// Whatever has changed: hands over and accepts what can be, and sets what to wait for. Calls
  /// nothing of this object's owner but the members' send and drain's `done`, the latter last.
  void serve();
  bool gets_more(const Seat& seat) const noexcept;
  bool is_free(const Seat& seat) const noexcept;
  bool is_silent(const Seat& seat) const noexcept;
  bool is_anyone_free() const noexcept;
  void list_candidates();
  bool place_one();
  void hand(Seat& seat, Connection connection);
  void hand_failed(Id id, std::int64_t seq, const Error& error);
  void lose_patience();
  void wait_for_next();
  void tell_if_drained();

  // hand_over_accept.cpp
  bool may_accept() const noexcept;
  bool is_drained_enough() const noexcept;
  void accept_some();
  bool accept_one();
  void rest(int error);
  void watch();

  Loop& loop;
  Options options;
  const bool is_unix;
  std::vector<Seat> seats;
  std::deque<Connection> waiting;  // in their order
  std::vector<Picker::Candidate> candidates;
  std::optional<uv::Poll> poll;
  uv::Timer timer;  // the next end of a rest, or of the patience with an answer that is due
  std::function<void()> drained;
  int accepted_draining = 0;
  /// The queue may hold some: the listener is not watched, but tried when somebody is free.
  bool has_queue = false;
  bool told_of_queue = false;      // by the poll, just now
  int burst = 1;                   // how many are likely to be there at a wake-up; below 1: one
  std::int64_t rests_till_ms = 0;  // accepting does
  std::uint64_t rests = 0;
  bool broken = false;  // the listener is
  bool serving = false;
  bool again = false;
  bool closed = false;
};

}  // namespace pronghorn::master
