// SPDX-License-Identifier: Apache-2.0
// The connections: one epoll loop in one thread, which keeps every slot as busy as the mode wants.
#pragma once

#include "report.h"
#include "response_reader.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <deque>
#include <netinet/in.h>
#include <string>
#include <vector>

namespace hammer {

enum class Mode : std::uint8_t {
  busy,      ///< keep-alive, the next request at once
  think,     ///< keep-alive, a pause of 0 to 2 x `think` before each further request
  close,     ///< one request per connection, with Connection: close
  pipeline,  ///< keep-alive, `depth` requests in one write
  hold,      ///< one request per connection, which then stays open
};

struct Options {
  Mode mode = Mode::busy;
  sockaddr_in address{};
  std::string path = "/";
  std::size_t connections = 64;
  std::chrono::milliseconds duration{5000};
  std::chrono::milliseconds think{100};
  std::chrono::microseconds gap{0};         ///< hold: between two connects; 0 is a burst
  std::chrono::milliseconds timeout{5000};  ///< of a connect, and of an answer
  std::size_t depth = 16;
  std::uint32_t sources =
      1;  ///< so many addresses from 127.0.0.1 on: 28,232 ports each (ip_local_port_range)
};

class Client {
 public:
  explicit Client(const Options& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Asks until the duration is over or `stop` is set, then waits for the answers under way. In
  /// mode hold it returns when each connection has its answer or has failed.
  void run(const volatile std::sig_atomic_t& stop);
  /// Keeps the connections until standard input ends, `stop` is set or the duration is over; what
  /// the server closes meanwhile is counted.
  void hold(const volatile std::sig_atomic_t& stop);
  Report report() const;

 private:
  struct Slot {
    enum class State : std::uint8_t { waiting, connecting, open, done } state = State::waiting;
    int fd = -1;
    Clock::time_point due{};      ///< waiting: when to connect; open and idle: when to ask again
    Clock::time_point started{};  ///< of the connect
    std::deque<Clock::time_point> asked;  ///< requests without their answer
    std::size_t unsent = 0;               ///< bytes of the batch that the socket did not take yet
    std::uint64_t answered = 0;
    ResponseReader reader;
  };

  void turn(int wait_ms);
  void handle_events(int wait_ms);
  void on_tick(Slot& slot, Clock::time_point now);
  void on_event(Slot& slot, std::uint32_t events);
  void connect(Slot& slot);
  void on_connected(Slot& slot);
  void ask(Slot& slot);
  void send_rest(Slot& slot);
  void receive(Slot& slot);
  void on_answer(Slot& slot);
  void on_broken(Slot& slot, int error);
  void on_late(Slot& slot);
  /// Ends the connection; the slot connects again after `pause`, or is done.
  void end(Slot& slot, std::chrono::milliseconds pause);
  bool is_in_servers_queue(const Slot& slot) const;
  bool all_done() const;

  Options options_;
  std::string batch_;
  int epoll_ = -1;
  bool asking_ = true;
  std::vector<Slot> slots_;
  Report report_;
  Clock::time_point begin_, end_, last_ok_{}, last_tick_{};
  std::uint32_t random_ = 1;
};

}  // namespace hammer
