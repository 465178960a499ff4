// SPDX-License-Identifier: Apache-2.0
#include "ipc/wire.h"

#include "ipc/json_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

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

constexpr std::array<std::string_view, 5> kHandleTypes = {
    "net.Native", "net.Socket", "net.Server", "dgram.Native", "dgram.Socket"};  // HandleType
constexpr std::array<std::string_view, 4> kSocketNotes = {
    "NODE_SOCKET_GET_COUNT", "NODE_SOCKET_COUNT", "NODE_SOCKET_NOTIFY_CLOSE",
    "NODE_SOCKET_ALL_CLOSED"};  // SocketNote::Kind

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
  auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

// A member that is a string, or "".
std::string_view text_of(const Json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

Error protocol(std::string text) { return {Errc::protocol, std::move(text)}; }

}  // namespace

Incoming::Incoming() = default;
Incoming::~Incoming() = default;
Incoming::Incoming(Incoming&&) noexcept = default;

// A NODE_HANDLE within a NODE_HANDLE is what Node v20 makes of a resent one; it has one descriptor,
// whose type the innermost tells.
Result<void> Incoming::unwrap(Json& json) {
  while (internal_command(json) == "NODE_HANDLE") {
    std::string_view name = text_of(json, "type");
    auto type = named<HandleType>(kHandleTypes, name);
    if (!type) {
      return std::unexpected(protocol("a handle of unknown type '" + std::string(name) + "'"));
    }
    has_handle_ = true;
    type_ = *type;
    key_ = type_ == HandleType::net_socket ? text_of(json, "key") : std::string_view();
    auto inner = json.find("msg");
    json = inner == json.end() ? Json() : Json(std::move(*inner));
  }
  return {};
}

Result<void> Incoming::read_note(SocketNote::Kind kind, const Json& json) {
  auto key = json.find("key");
  if (key == json.end() || !key->is_string()) {
    return std::unexpected(protocol("a message about sockets without their key"));
  }
  kind_ = Kind::sockets;
  note_.kind = kind;
  note_.key = key->get_ref<const std::string&>();
  if (kind != SocketNote::Kind::count) return {};
  auto count = json.find("count");
  if (count == json.end() || !count->is_number_unsigned()) {
    return std::unexpected(protocol("a count of sockets that is none"));
  }
  note_.count = count->get<std::size_t>();
  return {};
}

Result<Incoming> Incoming::parse(std::string_view line) {
  // As every peer writes it, for each handle that it gets.
  if (line.size() + 1 == kAckLine.size() && kAckLine.starts_with(line)) {
    Incoming in;
    in.internal_ = true;
    in.kind_ = Kind::ack;
    return in;
  }
  auto json = parse_json(line);
  if (!json) return std::unexpected(protocol(json.error().message()));
  Incoming in;
  if (auto ok = in.unwrap(*json); !ok) return std::unexpected(std::move(ok.error()));
  std::string_view cmd = internal_command(*json);
  in.internal_ = !cmd.empty();
  if (!in.has_handle_ && in.internal_) {
    if (cmd == "NODE_HANDLE_ACK") in.kind_ = Kind::ack;
    if (cmd == "NODE_HANDLE_NACK") in.kind_ = Kind::nack;
    if (auto kind = named<SocketNote::Kind>(kSocketNotes, cmd)) {
      if (auto ok = in.read_note(*kind, *json); !ok) return std::unexpected(std::move(ok.error()));
    }
  }
  in.message_ = std::make_unique<Json>(std::move(*json));
  return in;
}

Result<std::string> encode_user_message(const Json& message) {
  if (!internal_command(message).empty()) {
    return std::unexpected(Error(Errc::invalid_arg_value,
                                 "a message whose cmd begins with NODE_ never reaches a listener"));
  }
  return dump_json(message);
}

std::string wrap_in_handle(std::string_view json, HandleType type, std::string_view key,
                           std::string_view dgram_type) {
  std::string out = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"";
  out += kHandleTypes[static_cast<std::size_t>(type)];
  out += "\",\"msg\":";
  out += json;
  if (type == HandleType::net_socket && !key.empty()) out += ",\"key\":" + quote_json(key);
  if (type == HandleType::dgram_socket) {
    out += ",\"dgramType\":\"";
    out += dgram_type;
    out += '"';
  }
  out += '}';
  return out;
}

std::string encode_socket_note(const SocketNote& note) {
  std::string out = "{\"cmd\":\"";
  out += kSocketNotes[static_cast<std::size_t>(note.kind)];
  out += "\",\"key\":" + quote_json(note.key);
  if (note.kind == SocketNote::Kind::count) out += ",\"count\":" + std::to_string(note.count);
  return out + "}\n";
}

}  // namespace pronghorn::ipc
