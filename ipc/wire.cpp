// SPDX-License-Identifier: Apache-2.0
#include "ipc/wire.h"

#include "ipc/json_text.h"

#include <nlohmann/json.hpp>

namespace pronghorn::ipc {
namespace {

// The cmd of an internal message, or "": longer than "NODE_" and beginning with it (node-ipc 3.2).
std::string_view internal_command(const Json& message) {
  if (!message.is_object()) return {};
  auto cmd = message.find("cmd");
  if (cmd == message.end() || !cmd->is_string()) return {};
  std::string_view text = cmd->get_ref<const std::string&>();
  return text.size() > 5 && text.starts_with("NODE_") ? text : std::string_view();
}

std::string_view handle_type_name(HandleType type) {
  switch (type) {
    case HandleType::net_native:
      return "net.Native";
    case HandleType::net_socket:
      return "net.Socket";
    case HandleType::net_server:
      return "net.Server";
    case HandleType::dgram_native:
      return "dgram.Native";
    case HandleType::dgram_socket:
      return "dgram.Socket";
  }
  return "net.Native";
}

}  // namespace

Incoming::~Incoming() = default;
Incoming::Incoming(Incoming&&) noexcept = default;

Incoming::Incoming(Json&& json) {
  // A NODE_HANDLE within a NODE_HANDLE is what Node v20 makes of a resent one; it has one
  // descriptor.
  while (internal_command(json) == "NODE_HANDLE") {
    has_handle_ = true;
    auto inner = json.find("msg");
    json = inner == json.end() ? Json() : Json(std::move(*inner));
  }
  std::string_view cmd = internal_command(json);
  internal_ = !cmd.empty();
  if (!has_handle_ && cmd == "NODE_HANDLE_ACK") kind_ = Kind::ack;
  if (!has_handle_ && cmd == "NODE_HANDLE_NACK") kind_ = Kind::nack;
  message_ = std::make_unique<Json>(std::move(json));
}

Result<Incoming> Incoming::parse(std::string_view line) {
  auto json = parse_json(line);
  if (!json) return std::unexpected(std::move(json.error()));
  return Incoming(std::move(*json));
}

Result<std::string> encode_user_message(const Json& message) {
  if (!internal_command(message).empty()) {
    return std::unexpected(Error(std::make_error_code(std::errc::invalid_argument),
                                 "a message whose cmd begins with NODE_ never reaches a listener"));
  }
  return dump_json(message);
}

std::string wrap_in_handle(std::string_view json, HandleType type, std::string_view dgram_type) {
  std::string out = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"";
  out += handle_type_name(type);
  out += "\",\"msg\":";
  out += json;
  if (type == HandleType::dgram_socket) {
    out += ",\"dgramType\":\"";
    out += dgram_type;
    out += '"';
  }
  out += '}';
  return out;
}

}  // namespace pronghorn::ipc
