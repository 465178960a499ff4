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

std::int64_t address_type(const Json& json) {
  if (!json.contains("addressType")) return ClusterMessage().address_type;
  std::int64_t type = integer(json, "addressType").value_or(0);
  return type == 4 || type == 6 || type == -1 ? type : 0;
}

template <class... Parts>
InternalMessage message(fmt::format_string<Parts...> format, Parts&&... parts) {
  return InternalMessage::from_text(fmt::format(format, std::forward<Parts>(parts)...));
}

// Node gives flags exactly where it was given a host, and unix sockets have none.
InternalMessage server_message(const char* act, const ClusterMessage& m) {
  std::string address = m.address ? quote_json(*m.address) : "null";
  std::string port = m.port ? std::to_string(*m.port) : "null";
  bool has_flags = m.address && m.address_type != -1;
  std::string flags = has_flags ? fmt::format("\"flags\":{},", m.flags) : "";
  return message(
      R"({{"cmd":"NODE_CLUSTER","act":"{}","index":{},"data":null,"address":{},"port":{},"addressType":{},{}"backlog":{},"seq":{}}})",
      act, m.index, address, port, m.address_type, flags, m.backlog, m.seq.value_or(0));
}

}  // namespace

std::optional<ClusterMessage> decode_cluster_message(const Json& json) {
  if (!json.is_object() || text(json, "cmd") != "NODE_CLUSTER") return std::nullopt;
  ClusterMessage out;
  out.act = text(json, "act").value_or("");
  out.seq = integer(json, "seq");
  out.ack = integer(json, "ack");
  out.key = text(json, "key").value_or("");
  out.index = integer(json, "index").value_or(0);
  out.address = text(json, "address");
  out.port = integer(json, "port");
  out.address_type = address_type(json);
  out.flags = integer(json, "flags").value_or(0);
  out.backlog = integer(json, "backlog").value_or(0);
  out.error = integer(json, "errno").value_or(0);
  out.accepted = boolean(json, "accepted");
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

InternalMessage encode_shared_reply(std::int64_t ack, std::string_view key, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","errno":0,"key":{},"ack":{},"data":null,"seq":{}}})",
                 quote_json(key), ack, seq);
}

InternalMessage encode_error_reply(std::int64_t ack, std::string_view key,
                                   std::int64_t negative_errno, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","errno":{},"key":{},"ack":{},"data":null,"seq":{}}})",
                 negative_errno, quote_json(key), ack, seq);
}

InternalMessage encode_disconnect(std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","act":"disconnect","seq":{}}})", seq);
}

InternalMessage encode_ack(std::int64_t ack, std::int64_t seq) {
  return message(R"({{"cmd":"NODE_CLUSTER","ack":{},"seq":{}}})", ack, seq);
}

InternalMessage encode_pronghorn(const PronghornMessage& m) {
  std::string extra = m.text.empty() ? "" : fmt::format(",\"text\":{}", quote_json(m.text));
  return message(R"({{"cmd":"NODE_PRONGHORN","act":{}{}}})", quote_json(m.act), extra);
}

std::optional<PronghornMessage> decode_pronghorn(const Json& json) {
  if (!json.is_object() || text(json, "cmd") != "NODE_PRONGHORN") return std::nullopt;
  return PronghornMessage{text(json, "act").value_or(""), text(json, "text").value_or("")};
}

}  // namespace pronghorn::ipc
