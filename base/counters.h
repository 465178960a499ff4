// SPDX-License-Identifier: Apache-2.0
// What one worker counts. Lives in shared memory (ipc/scoreboard.h) or, without a master, on the
// heap. Written by one process with relaxed stores, read by all: never a lock, never a
// read-modify-write.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pronghorn {

/// A number with one writer: add() is a load and a store, not a locked instruction.
class Count {
 public:
  void add(std::uint64_t n) noexcept { set(get() + n); }
  void sub(std::uint64_t n) noexcept { set(get() - n); }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

/// The request a worker is answering now: "GET /report", cut to its capacity.
class RequestInHand {
 public:
  static constexpr std::size_t kCapacity = 112;

  /// Begins a request; `now_ms` is monotonic_ms(). Text is cut, never escaped: the reader escapes.
  void begin(std::string_view method, std::string_view target, std::int64_t now_ms) noexcept {
    length_.store(0, std::memory_order_relaxed);
    std::size_t m = method.size() < 16 ? method.size() : 16;
    std::size_t room = kCapacity - m - 1;
    std::size_t t = target.size() < room ? target.size() : room;
    std::memcpy(text_, method.data(), m);
    text_[m] = ' ';
    std::memcpy(text_ + m + 1, target.data(), t);
    since_ms_.store(now_ms, std::memory_order_relaxed);
    length_.store(static_cast<std::uint32_t>(m + 1 + t), std::memory_order_release);
  }
  void end() noexcept { length_.store(0, std::memory_order_relaxed); }

  /// What it was; empty when none. For a live writer the text may be torn: it is for people.
  std::string_view text() const noexcept {
    auto n = length_.load(std::memory_order_acquire);
    return {text_, n <= kCapacity ? n : kCapacity};
  }
  std::int64_t since_ms() const noexcept { return since_ms_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> since_ms_{0};
  std::atomic<std::uint32_t> length_{0};
  char text_[kCapacity];
};

/// One worker's counters. Only `connections` and `requests_active` go down.
struct WorkerCounters {
  Count connections;          ///< open now
  Count accepted;             ///< connections taken since the slot began
  Count requests;             ///< answered, errors and those that their client left (499) included
  Count requests_active;      ///< begun and not yet answered in full
  Count requests_failed;      ///< answered with a 5xx
  Count requests_cut;         ///< by a worker that had to leave
  Count requests_refused;     ///< 429: the client asked too often
  Count connections_refused;  ///< 429: the client had too many
  Count bytes_in;             ///< read from clients
  Count bytes_out;            ///< written to clients
  Count log_lines;            ///< access log lines written
  Count log_dropped;          ///< access log lines that could not be written
  Count log_error;            ///< errno of the access log's last write; 0: it was taken
  /// Set by others: the file of the access log may end within a line (AccessLog::Options::on_cut).
  std::atomic<std::uint32_t> log_torn{0};
  RequestInHand in_hand;
};

}  // namespace pronghorn
