// SPDX-License-Identifier: Apache-2.0
// Node's cluster messages (cmd NODE_CLUSTER) as typed values, decoded leniently as real workers
// vary. Our own extras travel as {"cmd":"NODE_PRONGHORN","act":…}: internal by Node's rule.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/ipc/internal_message.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

using Json = nlohmann::json;

/// As Node's string of an addressType: "4", "6", "-1", "udp4", "udp6", "null".
std::string_view address_type_text(AddressType type) noexcept;
constexpr bool is_udp(AddressType type) noexcept {
  return type == AddressType::udp4 || type == AddressType::udp6;
}

/// Any cluster message; only the members that the act uses are set.
struct ClusterMessage {
  /// online queryServer listening close disconnect newconn exitedAfterDisconnect; empty in a reply.
  std::string act{};
  std::optional<std::int64_t> seq{};  ///< counts up per sending process
  std::optional<std::int64_t> ack{};  ///< answers the peer's seq
  std::string key{};                  ///< opaque to the worker
  std::int64_t index = 0;
  std::optional<std::string> address{};  ///< none: any
  std::optional<std::int64_t> port{};
  AddressType address_type = AddressType::ipv4;
  std::optional<std::int64_t> fd{};  ///< of a descriptor in the primary
  std::int64_t flags =
      0;  ///< libuv's: 1 is UV_TCP_IPV6ONLY and UV_UDP_IPV6ONLY, 4 UV_UDP_REUSEADDR
  /// 0: none was said. `backlog_is_false` tells Node's `false` (listen with a callback) from its 0.
  std::int64_t backlog = 0;
  bool backlog_is_false = false;
  bool readable_all = false;
  bool writable_all = false;
  /// JSON text that the first worker of a key gives and all others get (TLS: the ticket keys).
  std::string data = "null";
  std::int64_t error = 0;  ///< reply: negative errno, as "errno" on the wire; 0 and null are none
  std::optional<Address> sockname{};  ///< reply of a primary that accepts itself
  std::optional<bool> accepted{};     ///< reply to newconn
};

/// Empty when `json` is no NODE_CLUSTER message.
std::optional<ClusterMessage> decode_cluster_message(const Json& json);

// What a worker sends, in Node v20's exact shape and member order (node-ipc.md 3.4).
InternalMessage encode_online(std::int64_t seq);
InternalMessage encode_query_server(const ClusterMessage& query);
InternalMessage encode_listening(const ClusterMessage& listening);
InternalMessage encode_close(std::string_view key, std::int64_t seq);
InternalMessage encode_exited_after_disconnect(std::int64_t seq);
InternalMessage encode_accepted(std::int64_t ack, bool accepted, std::int64_t seq);
// What a primary sends.
/// What answers a queryServer: `ack`, `key`, `data`, and of a shared one (sent with its socket) no
/// more; of a server whose connections are handed over `sockname` (none for a unix socket).
InternalMessage encode_shared_reply(const ClusterMessage& reply);
InternalMessage encode_handing_reply(const ClusterMessage& reply);
InternalMessage encode_error_reply(std::int64_t ack, std::string_view key,
                                   std::int64_t negative_errno, std::int64_t seq);
/// Sent with the connection.
InternalMessage encode_new_connection(std::string_view key, std::int64_t seq);
InternalMessage encode_disconnect(std::int64_t seq);
InternalMessage encode_ack(std::int64_t ack, std::int64_t seq);

/// {"cmd":"NODE_PRONGHORN","act":ACT} with an optional text (a fault's reason, a state).
struct PronghornMessage {
  /// "drain" (M->W: say close, go on accepting), "cut" (M->W: end what is in flight, and leave);
  /// "fault" (W->M: configuration fault, do not retry);
  /// "lend" (M->W, with a socket as net.Native: accept from this one as well; it belongs to `slot`,
  /// whose worker is away), "unlend" (M->W: close it again, and keep what was accepted);
  /// "reopen" (M->W, with a file_parcel: the access log from now on), "reopened" (W->M: done, or
  /// `text` says why not), both with its `number`.
  std::string act{};
  std::string text{};
  std::string key{};  ///< lend, unlend: of the server, as its reply named it
  std::optional<std::uint32_t>
      slot{};  ///< lend, unlend: whose socket; at most once per key and slot
  std::optional<std::uint32_t> number{};  ///< reopen, reopened
};
InternalMessage encode_pronghorn(const PronghornMessage& message);
std::optional<PronghornMessage> decode_pronghorn(const Json& json);
InternalMessage encode_lend(std::string_view key, std::uint32_t slot);
InternalMessage encode_unlend(std::string_view key, std::uint32_t slot);

}  // namespace pronghorn::ipc
