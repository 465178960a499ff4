// SPDX-License-Identifier: Apache-2.0
// What one line of the channel means, and how ours are worded (node-ipc 3.2, 3.3). Pure; driven by
// Channel.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/ipc/channel.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

inline constexpr std::string_view kAckLine = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
inline constexpr std::string_view kNackLine = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

/// One received line.
class Incoming {
 public:
  enum class Kind : std::uint8_t { message, ack, nack };

  /// @errors those of parse_json
  static Result<Incoming> parse(std::string_view line);
  ~Incoming();
  Incoming(Incoming&&) noexcept;

  Kind kind() const noexcept { return kind_; }
  /// A descriptor belongs to it: it came in a NODE_HANDLE, however often that was nested.
  bool has_handle() const noexcept { return has_handle_; }
  /// Node's internal rule, applied to message().
  bool is_internal() const noexcept { return internal_; }
  /// What is delivered: without NODE_HANDLE around it.
  const Json& message() const noexcept { return *message_; }

 private:
  explicit Incoming(Json&& json);
  Kind kind_ = Kind::message;
  bool has_handle_ = false;
  bool internal_ = false;
  std::unique_ptr<Json> message_;
};

/// A user's message as text. @errors those of dump_json; a cmd that Node would take for internal
Result<std::string> encode_user_message(const Json& message);
/// `json` in a NODE_HANDLE. @param dgram_type  "udp4" or "udp6", for dgram_socket only
std::string wrap_in_handle(std::string_view json, HandleType type, std::string_view dgram_type);

}  // namespace pronghorn::ipc
