// SPDX-License-Identifier: Apache-2.0
// One worker as the primary's protocol sees it. Owned by Primary; the strategies borrow it.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/ipc/internal_message.h>

#include "ipc/cluster_messages.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace pronghorn::master {

class Member {
 public:
  using Send = std::function<Result<bool>(const ipc::InternalMessage&, const ipc::Handle* handle)>;
  using Replied = std::function<void(const ipc::ClusterMessage&)>;

  /// `slot`: of the scoreboard, for a worker of ours; `next_seq` is the primary's one count.
  Member(std::uint64_t id, std::optional<std::uint32_t> slot, std::int64_t& next_seq, Send send)
      : id_(id), slot_(slot), next_seq_(next_seq), send_(std::move(send)) {}

  std::uint64_t id() const noexcept { return id_; }
  std::optional<std::uint32_t> slot() const noexcept { return slot_; }
  /// Told to leave, or leaving by itself: gets no server and no connection any more.
  bool is_leaving() const noexcept { return leaving_; }
  void set_leaving() noexcept { leaving_ = true; }
  /// Its heartbeat is late: it gets nothing new until it answers again.
  bool is_suspect() const noexcept { return suspect_; }
  void set_suspect(bool suspect) noexcept { suspect_ = suspect; }

  std::int64_t take_seq() noexcept { return next_seq_++; }
  Result<bool> send(const ipc::InternalMessage& message, const ipc::Handle* handle = nullptr) {
    return send_(message, handle);
  }
  /// Sends what answers with `ack`: `message` was made with `seq`. @errors of the channel; then
  /// `replied` is never called. It is not called either once the worker is gone.
  Result<bool> ask(std::int64_t seq, const ipc::InternalMessage& message, const ipc::Handle* handle,
                   Replied replied);
  /// Asked and not answered yet, by all that ask.
  std::size_t unanswered() const noexcept { return asked_.size(); }
  /// A reply of the worker's; one that nobody waits for is ignored.
  void take_reply(const ipc::ClusterMessage& reply);

 private:
  std::uint64_t id_;
  std::optional<std::uint32_t> slot_;
  std::int64_t& next_seq_;
  Send send_;
  std::map<std::int64_t, Replied> asked_;  // by seq
  bool leaving_ = false;
  bool suspect_ = false;
};

}  // namespace pronghorn::master
