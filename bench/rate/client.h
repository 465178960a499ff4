// SPDX-License-Identifier: Apache-2.0
// Sends requests at the times of a schedule, whatever the server does: one that is late has its
// lateness counted, as a user would (no coordinated omission). Used by bench/rate.
#pragma once

#include "answers.h"
#include "histogram.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::bench {

struct Plan {
  int port = 0;
  std::vector<std::string> requests;  ///< the bytes of each, sent one after the other
  double rate = 0;                    ///< requests a second
  double seconds = 1;                 ///< that count
  double warmup = 0.1;                ///< seconds before them
  std::size_t connections = 64;
  std::size_t depth = 1;              ///< requests that are sent together
  bool closes = false;                ///< a connection for each
  std::optional<std::uint64_t> body;  ///< bytes that each answer's must have
};

struct Outcome {
  Histogram latency;             ///< ns from when a request was to be sent to its answer's end
  Histogram late;                ///< ns that this program itself was late to send
  std::uint64_t requests = 0;    ///< answered, of those that count
  std::uint64_t unanswered = 0;  ///< not within kPatience after the last was due
  std::uint64_t errors = 0;      ///< connections that failed, answers that were none
  double duration = 0;           ///< seconds from the first due time that counts to the last answer
};

class Client {
 public:
  explicit Client(const Plan& plan);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Outcome run();

  static constexpr std::uint64_t kPatience = 3'000'000'000;
  static constexpr std::uint64_t kMostErrors = 100;  ///< then the run is given up

 private:
  // The batches of connection k of n are the k-th, the n+k-th … of the schedule.
  struct Connection {
    int fd = -1;
    std::uint64_t released = 0;    // batches that are due
    std::uint64_t sent = 0;        // … that were begun
    std::uint64_t free_since = 0;  // when the answer before was complete
    std::size_t out = 0;           // bytes of the batch that are not sent yet
    std::size_t owed = 0;          // answers that are
    Answers answers;
  };

  std::uint64_t due(std::uint64_t batch) const noexcept;
  std::uint64_t due_of(const Connection& c, std::uint64_t n) const noexcept;
  bool counts(std::uint64_t due) const noexcept { return due >= start_ + warmup_; }
  void release(std::uint64_t now);
  void wait(std::uint64_t now);
  const std::string& text_of(const Connection& c) const noexcept;
  void begin(Connection& c, std::uint64_t now);
  bool open(Connection& c);
  void send(Connection& c);
  void receive(Connection& c);
  void answered(Connection& c, std::size_t count, std::uint64_t now);
  void fail(Connection& c, std::uint64_t now);
  void end_of_batch(Connection& c, std::uint64_t now);
  bool all_done() const noexcept;
  void count_unanswered(std::uint64_t now);

  Plan plan_;
  std::vector<std::string> texts_;  // of the batches, in turn
  std::vector<Connection> connections_;
  std::array<char, 262144> in_{};
  Outcome outcome_;
  int epoll_ = -1;
  std::uint64_t start_ = 0;    // ns on the monotonic clock
  std::uint64_t warmup_ = 0;   // ns
  std::uint64_t batches_ = 0;  // of the whole schedule
  std::uint64_t next_ = 0;     // the first that is not released
  std::uint64_t open_ = 0;     // batches released and not ended
  std::uint64_t last_ = 0;     // when the last answer came
};

}  // namespace pronghorn::bench
