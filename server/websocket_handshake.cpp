// SPDX-License-Identifier: Apache-2.0
#include "server/websocket_handshake.h"

#include "server/sha1.h"
#include "server/syntax.h"

#include <algorithm>
#include <optional>

namespace pronghorn::server {
namespace {

// RFC 6455 §1.3
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Is `token` in a list field, of one line or several, in any case?
bool has_element(const Request& request, std::string_view field, std::string_view token) {
  for (const Field& header : request.headers()) {
    if (!is_field(header.name, field)) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      if (iequals(next_element(list), token)) return true;
    }
  }
  return false;
}

/// The field's value when it came once.
std::optional<std::string_view> single(const Request& request, std::string_view name) {
  std::optional<std::string_view> value;
  for (const Field& header : request.headers()) {
    if (!is_field(header.name, name)) continue;
    if (value) return std::nullopt;
    value = header.value;
  }
  return value;
}

bool is_base64_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

/// 16 bytes in base64 (§4.1): 22 digits and "==", and the 22nd stands for two bits.
bool is_key(std::string_view key) noexcept {
  return key.size() == 24 && key.ends_with("==") &&
         std::ranges::all_of(key.substr(0, 22), is_base64_digit) &&
         std::string_view("AQgw").contains(key[21]);
}

/// The first of the client's that we speak. @returns false when its list is malformed (§4.1:
/// tokens, all different)
bool choose_protocol(const Request& request, const std::vector<std::string>& ours,
                     std::string& chosen) {
  std::vector<std::string_view> seen;
  for (const Field& header : request.headers()) {
    if (!is_field(header.name, "sec-websocket-protocol")) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const std::string_view element = next_element(list);
      if (element.empty()) continue;
      if (!is_token(element) || std::ranges::find(seen, element) != seen.end()) return false;
      seen.push_back(element);
      if (seen.size() > 100) return false;  // of a head's bytes more would fit
      if (chosen.empty() && std::ranges::find(ours, element) != ours.end()) chosen = element;
    }
  }
  return true;
}

bool is_allowed_origin(const Request& request, const std::vector<std::string>& allowed) {
  if (allowed.empty() || !request.has_header("origin")) return true;
  const auto origin = single(request, "origin");
  return origin && std::ranges::any_of(
                       allowed, [&](const std::string& one) { return iequals(one, *origin); });
}

Response upgrade_required() {
  // RFC 9110 §15.5.22 wants Upgrade, RFC 6455 §4.4 the versions.
  return Response::error(426).header("Upgrade", "websocket").header("Sec-WebSocket-Version", "13");
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  return base64(sha1(std::string(key) + std::string(kGuid)));
}

Handshake answer_handshake(const Request& request, const WebSocketOptions& options) {
  const auto refuse = [](int status) { return Handshake{Response::error(status), {}}; };
  if (request.method() != "GET") return refuse(400);
  if (request.version() < 11 || !has_element(request, "upgrade", "websocket") ||
      !has_element(request, "connection", "upgrade")) {
    return {upgrade_required(), {}};
  }
  const auto version = single(request, "sec-websocket-version");
  if (!version) return refuse(400);
  if (*version != "13") return {upgrade_required(), {}};
  const auto key = single(request, "sec-websocket-key");
  if (!key || !is_key(*key)) return refuse(400);
  if (!is_allowed_origin(request, options.origins)) return refuse(403);
  Handshake handshake;
  if (!choose_protocol(request, options.protocols, handshake.protocol)) return refuse(400);
  handshake.answer.status(101)
      .header("Upgrade", "websocket")
      .header("Sec-WebSocket-Accept", websocket_accept(*key));
  if (!handshake.protocol.empty()) {
    handshake.answer.header("Sec-WebSocket-Protocol", handshake.protocol);
  }
  return handshake;
}

}  // namespace pronghorn::server
