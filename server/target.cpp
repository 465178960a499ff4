// SPDX-License-Identifier: Apache-2.0
#include "server/target.h"

#include "server/syntax.h"

namespace pronghorn::server {
namespace {

// %XX in a path must be well formed, and %00 is nobody's name. A query's '%' is left to the
// handler:
// "?q=100%" is sent by browsers as typed.
bool escapes_are_valid(std::string_view path) noexcept {
  for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 3)) {
    if (path.size() - at < 3) return false;
    int high = hex_value(path[at + 1]);
    int low = hex_value(path[at + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
  }
  return true;
}

int parse_path_and_query(std::string_view text, Target& target) noexcept {
  auto mark = text.find('?');
  target.path = text.substr(0, mark);
  target.query = mark == std::string_view::npos ? std::string_view{} : text.substr(mark + 1);
  // '#' is in neither class: a fragment never belongs in a request (RFC 9112 §3.2).
  bool valid = all_class(target.path, kPath) && all_class(target.query, kQuery) &&
               escapes_are_valid(target.path);
  return valid ? 0 : 400;
}

// RFC 9112 §3.2.2. A user name in it is an error (RFC 9110 §4.2.4); is_valid_host() has no '@'.
int parse_absolute(std::string_view text, Method method, Target& target) noexcept {
  auto colon = text.find("://");
  if (colon == std::string_view::npos) return 400;
  std::string_view scheme = text.substr(0, colon);
  bool secure = iequals(scheme, "https");
  if (!secure && !iequals(scheme, "http")) return 400;
  std::string_view rest = text.substr(colon + 3);
  auto end = rest.find_first_of("/?#");
  target.authority = rest.substr(0, end);
  if (!is_valid_host(target.authority)) return 400;
  if (secure) return 421;  // RFC 9110 §7.4: not over a connection that is not secured
  std::string_view path = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  if (int status = parse_path_and_query(path, target); status != 0) return status;
  if (path.empty() && method == HTTP_OPTIONS) {
    target.path = "*";  // RFC 9112 §3.2.4
  } else if (target.path.empty()) {
    target.path = "/";
  }
  return 0;
}

}  // namespace

int parse_target(std::string_view text, Method method, Target& target) noexcept {
  target = Target{};
  if (text.starts_with('/')) return parse_path_and_query(text, target);
  if (text == "*" && method == HTTP_OPTIONS) {
    target.path = text;
    return 0;
  }
  return parse_absolute(text, method, target);
}

void percent_decode(std::string_view text, std::string& decoded) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
}

}  // namespace pronghorn::server
