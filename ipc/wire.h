// SPDX-License-Identifier: Apache-2.0
// What one line of the channel means, and how ours are worded (node-ipc 3.2, 3.3). Pure; driven by
// Channel.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/ipc/channel.h>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

inline constexpr std::string_view kAckLine = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
inline constexpr std::string_view kNackLine = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

/// What a line says about the sockets of one key (Node's SocketList).
struct SocketNote {
  enum class Kind : std::uint8_t { get_count, count, notify_close, all_closed };
  Kind kind = Kind::get_count;
  std::string key;
  std::size_t count = 0;
};

/// One received line.
class Incoming {
 public:
  enum class Kind : std::uint8_t { message, ack, nack, sockets };

  /// @errors those of parse_json; a NODE_HANDLE of a type that Node does not know; a NODE_SOCKET_…
  ///         without its key or count
  static Result<Incoming> parse(std::string_view line);
  ~Incoming();
  Incoming(Incoming&&) noexcept;

  Kind kind() const noexcept { return kind_; }
  /// A descriptor belongs to it: it came in a NODE_HANDLE, however often that was nested.
  bool has_handle() const noexcept { return has_handle_; }
  HandleType type() const noexcept { return type_; }
  /// Of a counted socket, or "".
  const std::string& key() const noexcept { return key_; }
  /// Node's internal rule, applied to message().
  bool is_internal() const noexcept { return internal_; }
  /// What is delivered: without NODE_HANDLE around it.
  const Json& message() const noexcept { return *message_; }
  /// Only of Kind::sockets.
  const SocketNote& sockets() const noexcept { return note_; }

 private:
  Incoming();
  Result<void> unwrap(Json& json);
  Result<void> read_note(SocketNote::Kind kind, const Json& json);

  Kind kind_ = Kind::message;
  bool has_handle_ = false;
  bool internal_ = false;
  HandleType type_ = HandleType::net_native;
  std::string key_;
  SocketNote note_;
  std::unique_ptr<Json> message_;
};

/// A user's message as text. @errors those of dump_json; a cmd that Node would take for internal
Result<std::string> encode_user_message(const Json& message);
/// `json` in a NODE_HANDLE. @param dgram_type  "udp4" or "udp6", for dgram_socket only
std::string wrap_in_handle(std::string_view json, HandleType type, std::string_view key,
                           std::string_view dgram_type);
/// With its line feed.
std::string encode_socket_note(const SocketNote& note);

}  // namespace pronghorn::ipc
