// SPDX-License-Identifier: Apache-2.0
#include "ipc/cluster_messages.h"

#include "ipc/json_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pronghorn::ipc {
namespace {

// Types vary between workers and versions (backlog is false or a number, errno null or a number),
// so a member of another type counts as absent.
std::optional<std::int64_t> integer(const Json& json, const char* name) {
  auto member = json.find(name);
  if (member == json.end() || !member->is_number_integer()) return std::nullopt;
  return member->get<std::int64_t>();
}

std::optional<std::uint32_t> unsigned_integer(const Json& json, const char* name) {
  auto value = integer(json, name);
  if (!value || *value < 0 || *value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<std::string> text(const Json& json, const char* name) {
  auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

std::optional<bool> boolean(const Json& json, const char* name) {
  auto member = json.find(name);
  if (member == json.end() || !member->is_boolean()) return std::nullopt;
  return member->get<bool>();
}

bool is_command(const Json& json, std::string_view name) {
  if (!json.is_object()) return false;
  auto member = json.find("cmd");
  return member != json.end() && member->is_string() &&
         member->get_ref<const std::string&>() == name;
}

AddressType address_type(const Json& json) {
  auto name = text(json, "addressType");
  if (name == "udp4") return AddressType::udp4;
  if (name == "udp6") return AddressType::udp6;
  if (!json.contains("addressType")) return AddressType::ipv4;
  switch (integer(json, "addressType").value_or(0)) {
    case 4:
      return AddressType::ipv4;
    case 6:
      return AddressType::ipv6;
    case -1:
      return AddressType::unix_socket;
    default:
      return AddressType::descriptor;
  }
}

std::string encoded(AddressType type) {
  const std::string text(address_type_text(type));
  return is_udp(type) ? '"' + text + '"' : text;
}

std::string data(const Json& json) {
  auto member = json.find("data");
  return member == json.end() ? "null" : dump_json(*member).value_or("null");
}

std::optional<Address> sockname(const Json& json) {
  auto member = json.find("sockname");
  if (member == json.end() || !member->is_object()) return std::nullopt;
  Address out;
  out.address = text(*member, "address").value_or("");
  auto port = integer(*member, "port").value_or(0);
  if (port < 0 || port > UINT16_MAX) return std::nullopt;
  out.port = static_cast<std::uint16_t>(port);
  out.type = text(*member, "family") == "IPv6" ? AddressType::ipv6 : AddressType::ipv4;
  return out;
}

template <class... Parts>
InternalMessage message(fmt::format_string<Parts...> format, Parts&&... parts) {
  return InternalMessage::from_text(fmt::format(format, std::forward<Parts>(parts)...));
}

// Node's members vary with what listen() and bind() were given (node-ipc 3.4).
InternalMessage server_message(const char* act, const ClusterMessage& m) {
  std::string address = m.address ? quote_json(*m.address) : "null";
  std::string port = m.port ? std::to_string(*m.port) : "null";
  std::string rest;
  if (m.fd) rest += fmt::format("\"fd\":{},", *m.fd);
  // Node (18, 20) gives flags exactly where it was given a host, and unix sockets have none.
  bool has_flags =
      is_udp(m.address_type) || (m.address && m.address_type != AddressType::unix_socket);
  if (has_flags) rest += fmt::format("\"flags\":{},", m.flags);
  if (!is_udp(m.address_type)) {
    rest += m.backlog_is_false ? "\"backlog\":false," : fmt::format("\"backlog\":{},", m.backlog);
  }
  if (m.readable_all) rest += "\"readableAll\":true,";
  if (m.writable_all) rest += "\"writableAll\":true,";
  return message(
      R"({{"cmd":"NODE_CLUSTER","act":"{}","index":{},"data":{},"address":{},"port":{},"addressType":{},{}"seq":{}}})",
      act, m.index, m.data, address, port, encoded(m.address_type), rest, m.seq.value_or(0));
}

}  // namespace

std::string_view address_type_text(AddressType type) noexcept {
  switch (type) {
    case AddressType::ipv4:
      return "4";
    case AddressType::ipv6:
      return "6";
    case AddressType::unix_socket:
      return "-1";
    case AddressType::udp4:
      return "udp4";
    case AddressType::udp6:
      return "udp6";
    case AddressType::descriptor:
      break;
  }
  return "null";
}

std::optional<ClusterMessage> decode_cluster_message(const Json& json) {
  if (!is_command(json, "NODE_CLUSTER")) return std::nullopt;
  ClusterMessage out;
  auto act = text(json, "act");
  auto key = text(json, "key");
  out.seq = integer(json, "seq");
  out.ack = integer(json, "ack");
  out.accepted = boolean(json, "accepted");
  const std::size_t known = 1u + (act ? 1 : 0) + (key ? 1 : 0) + (out.seq ? 1 : 0) +
                            (out.ack ? 1 : 0) + (out.accepted ? 1 : 0);
  out.act = std::move(act).value_or("");
  out.key = std::move(key).value_or("");
  // Those about a connection have no other members: each spares a dozen look-ups.
  if (known == json.size()) return out;
  out.index = integer(json, "index").value_or(0);
  out.address = text(json, "address");
  out.port = integer(json, "port");
  out.address_type = address_type(json);
  out.fd = integer(json, "fd");
  out.flags = integer(json, "flags").value_or(0);
  out.backlog = integer(json, "backlog").value_or(0);
  out.backlog_is_false = boolean(json, "backlog") == false;
  out.readable_all = boolean(json, "readableAll").value_or(false);
  out.writable_all = boolean(json, "writableAll").value_or(false);
  out.data = data(json);
  out.sockname = sockname(json);
  out.error = integer(json, "errno").value_or(0);
  return out;
}

InternalMessage encode_online(std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","act":"online","seq":{}}})", seq);
}

InternalMessage encode_query_server(const ClusterMessage& query) {
  return server_message("queryServer", query);
}
InternalMessage encode_listening(const ClusterMessage& listening) {
  return server_message("listening", listening);
}

InternalMessage encode_close(std::string_view key, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","act":"close","key":{},"seq":{}}})", quote_json(key),
                 seq);
}

InternalMessage encode_exited_after_disconnect(std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":{}}})", seq);
}

InternalMessage encode_accepted(std::int64_t ack, bool accepted, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","ack":{},"accepted":{},"seq":{}}})", ack, accepted, seq);
}

InternalMessage encode_shared_reply(const ClusterMessage& reply) {
  return message(R"({{"cmd":"NODE_CLUSTER","errno":0,"key":{},"ack":{},"data":{},"seq":{}}})",
                 quote_json(reply.key), reply.ack.value_or(0), reply.data, reply.seq.value_or(0));
}

InternalMessage encode_handing_reply(const ClusterMessage& reply) {
  std::string name;
  if (reply.sockname) {
    name = fmt::format(R"("sockname":{{"address":{},"family":"{}","port":{}}},)",
                       quote_json(reply.sockname->address),
                       reply.sockname->type == AddressType::ipv6 ? "IPv6" : "IPv4",
                       reply.sockname->port);
  }
  return message(R"({{"cmd":"NODE_CLUSTER","errno":null,"key":{},"ack":{},"data":{},{}"seq":{}}})",
                 quote_json(reply.key), reply.ack.value_or(0), reply.data, name,
                 reply.seq.value_or(0));
}

InternalMessage encode_error_reply(std::int64_t ack, std::string_view key,
                                   std::int64_t negative_errno, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","errno":{},"key":{},"ack":{},"data":null,"seq":{}}})",
                 negative_errno, quote_json(key), ack, seq);
}

InternalMessage encode_new_connection(std::string_view key, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","act":"newconn","key":{},"seq":{}}})", quote_json(key),
                 seq);
}

InternalMessage encode_disconnect(std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","act":"disconnect","seq":{}}})", seq);
}

InternalMessage encode_ack(std::int64_t ack, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","ack":{},"seq":{}}})", ack, seq);
}

InternalMessage encode_pronghorn(const PronghornMessage& m) {
  std::string extra;
  if (!m.text.empty()) extra += fmt::format(",\"text\":{}", quote_json(m.text));
  if (!m.key.empty()) extra += fmt::format(",\"key\":{}", quote_json(m.key));
  if (m.slot) extra += fmt::format(",\"slot\":{}", *m.slot);
  if (m.number) extra += fmt::format(",\"number\":{}", *m.number);
  return message(R"({{"cmd":"NODE_PRONGHORN","act":{}{}}})", quote_json(m.act), extra);
}

std::optional<PronghornMessage> decode_pronghorn(const Json& json) {
  if (!is_command(json, "NODE_PRONGHORN")) return std::nullopt;
  PronghornMessage out;
  out.act = text(json, "act").value_or("");
  out.text = text(json, "text").value_or("");
  out.key = text(json, "key").value_or("");
  out.slot = unsigned_integer(json, "slot");
  out.number = unsigned_integer(json, "number");
  return out;
}

InternalMessage encode_lend(std::string_view key, std::uint32_t slot) {
  return encode_pronghorn({.act = "lend", .key = std::string(key), .slot = slot});
}

InternalMessage encode_unlend(std::string_view key, std::uint32_t slot) {
  return encode_pronghorn({.act = "unlend", .key = std::string(key), .slot = slot});
}

}  // namespace pronghorn::ipc
