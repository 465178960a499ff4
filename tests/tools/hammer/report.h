// SPDX-License-Identifier: Apache-2.0
// What became of every request and every connection: one class each, none left out. Printed as one
// JSON line.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace hammer {

using Clock = std::chrono::steady_clock;

/// Log-linear: 32 steps per power of two, so at most 3 % off.
class Histogram {
 public:
  void add(Clock::duration value);
  /// Milliseconds that the share `quantile` of all values did not exceed; 0 when there are none.
  double quantile_ms(double quantile) const;
  double max_ms() const { return static_cast<double>(max_us_) / 1000; }

 private:
  static std::size_t bucket(std::uint64_t us);
  static std::uint64_t upper_edge(std::size_t bucket);
  std::array<std::uint64_t, 32 * 40> counts_{};
  std::uint64_t total_ = 0, max_us_ = 0;
};

struct Report {
  // Connections that never came to be.
  std::uint64_t refused = 0;          ///< ECONNREFUSED
  std::uint64_t connect_timeout = 0;  ///< no SYN-ACK in time
  std::uint64_t connect_error = 0;    ///< anything else, such as ports running out here
  // Requests.
  std::uint64_t ok = 0;
  std::uint64_t not_200 = 0;
  std::uint64_t malformed = 0;    ///< an answer that this client cannot read
  std::uint64_t write_error = 0;  ///< send() failed: the request was not sent whole
  std::uint64_t reset_fresh =
      0;  ///< RST instead of the first answer: never accepted, or closed unread
  std::uint64_t eof_fresh =
      0;  ///< FIN instead of the first answer: accepted (a queue gives RST only)
  std::uint64_t reset_partial = 0;  ///< RST within an answer
  std::uint64_t eof_partial = 0;    ///< FIN within an answer
  std::uint64_t stale = 0;          ///< FIN or RST instead of a later answer: the keep-alive race
  std::uint64_t behind = 0;         ///< pipelined behind one that failed
  std::uint64_t timeout = 0;        ///< accepted, and no whole answer in time
  std::uint64_t never_accepted =
      0;  ///< connected and sent, but still in the server's queue when time was over
  // No failures, but worth seeing.
  std::uint64_t connections = 0;
  std::uint64_t asked_to_close =
      0;  ///< answers with Connection: close on a connection meant to stay
  std::uint64_t discarded =
      0;  ///< pipelined behind an answer that said Connection: close (RFC 9112 §9.3.2)
  std::uint64_t idle_closed = 0;  ///< closed by the server while nothing was asked
  // Requests sent whole on a connection that the server surely accepted, and not answered whole.
  std::uint64_t lost_accepted = 0;

  Histogram latency;
  Clock::duration longest_silence{};  ///< without any 200, from the first one to the last
  Clock::duration elapsed{};

  std::uint64_t failures() const;
  std::string json() const;
};

}  // namespace hammer
