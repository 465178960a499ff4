// SPDX-License-Identifier: Apache-2.0
// Who wants to know that a message has left, in the order of the sends. Pure; driven by Channel.
#pragma once

#include <pronghorn/base/result.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

namespace pronghorn::ipc {

class Receipts {
 public:
  using Sent = std::move_only_function<void(const Error*)>;

  /// `at`: where the message ends in the stream of all bytes (Outbox::pushed).
  void add(std::uint64_t at, Sent sent) { waiting_.push_back({at, std::move(sent), {}}); }
  /// All up to `at` have left; `error` when the last of them has not.
  void settle(std::uint64_t at, const Error* error = nullptr);
  /// None of the others ever will.
  void fail(const Error& error);

  std::size_t due() const noexcept { return due_; }
  /// The next to be told, which is then forgotten: it may destroy everything. Only when due() is
  /// not 0.
  std::move_only_function<void()> take_due();

 private:
  struct Entry {
    std::uint64_t at;
    Sent sent;
    std::optional<Error> error;
  };
  std::deque<Entry> waiting_;  // the first due_ of them are settled
  std::size_t due_ = 0;
};

}  // namespace pronghorn::ipc
