// SPDX-License-Identifier: Apache-2.0
#include "server/head_check.h"

#include "server/syntax.h"

#include <algorithm>
#include <cstring>

namespace pronghorn::server {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kVersionPrefix = "HTTP/1.";
constexpr std::size_t kVersionSize = 8;
// Beside the target: the longest known method (11), two spaces, the version (8), and some room so
// that a method that is merely unknown is told so (501).
constexpr std::uint64_t kRequestLineExtra = 64;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

// Names and values are llhttp's to judge; what it lets through is stopped here.
inline int HeadCheck::field_line(std::string_view line, const config::Limits& limits) noexcept {
  if (++fields_ > limits.header_fields) return 431;
  // A folded line (RFC 9112 §5.2), an empty name, a bare CR at the line's start.
  if (!is_class(line.front(), kToken)) return 400;
  if (is_ows(line.back())) [[unlikely]] {
    rewrite_ = rewrite_ || line.substr(line.find_last_not_of(" \t") + 1).contains('\t');
  }
  return 0;
}

HeadCheck::Verdict HeadCheck::scan(std::string_view head, const config::Limits& limits) noexcept {
  // Not even a token's first byte (TLS, binary, a space): no need to wait for a line that never
  // ends.
  if (line_ == 0 && !head.empty() && !is_class(head.front(), kToken)) return refuse(head, 400);
  const char* begin = head.data();
  const char* end = begin + head.size();
  std::uint64_t limit = line_limit(limits);
  for (;;) {
    const char* from = begin + searched_;
    auto* lf =
        static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from)));
    if (lf == nullptr) {
      // A CR may stand at the end of a line that is just within its limit.
      searched_ = head.size();
      if (head.size() > limits.head || head.size() - line_ > limit + 1) {
        return refuse(head, limit_status());
      }
      return Verdict::more;
    }
    const char* line = begin + line_;
    auto length = static_cast<std::size_t>(lf - line);
    searched_ = static_cast<std::size_t>(lf + 1 - begin);
    bool crlf = length > 0 && lf[-1] == '\r';
    length -= crlf ? 1 : 0;
    if (searched_ > limits.head || length > limit) return refuse(head, limit_status());
    if (!crlf) return refuse(head, 400);  // a bare LF ends nothing (RFC 9112 §2.2 MAY; we never do)
    if (length == 0) return Verdict::complete;
    int status =
        line_ == 0 ? request_line({line, length}, limits) : field_line({line, length}, limits);
    if (status != 0) return refuse(head, status);
    line_ = searched_;
    limit = limits.header_line;
  }
}

HeadCheck::Verdict HeadCheck::refuse(std::string_view head, int status) noexcept {
  says_head_ = head.starts_with("HEAD "sv);  // the line may never have been looked at
  status_ = static_cast<std::int16_t>(status);
  return Verdict::refused;
}

std::uint64_t HeadCheck::line_limit(const config::Limits& limits) const noexcept {
  return line_ == 0 ? limits.uri + kRequestLineExtra : limits.header_line;
}

// method SP request-target SP HTTP-version, nothing else (RFC 9112 §3). The version has one length,
// so that the target's end is looked for where it must be.
int HeadCheck::request_line(std::string_view line, const config::Limits& limits) noexcept {
  std::size_t size = 0;
  while (size < line.size() && is_class(line[size], kToken)) ++size;
  std::string_view method = line.substr(0, size);
  says_head_ = method == "HEAD"sv && size < line.size() && line[size] == ' ';
  if (size == 0 || size == line.size() || line[size] != ' ') return 400;
  std::string_view rest = line.substr(size + 1);
  std::size_t space = rest.size() - std::min(rest.size(), kVersionSize + 1);
  if (space == 0 || rest[space] != ' ') return 400;
  std::string_view target = rest.substr(0, space);
  if (std::memchr(target.data(), ' ', space) != nullptr) return 400;
  std::string_view version = rest.substr(space + 1);
  if (!version.starts_with("HTTP/"sv) || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return 400;
  }
  method_size_ = static_cast<std::uint16_t>(method.size());
  target_size_ = static_cast<std::uint32_t>(space);
  if (!version.starts_with(kVersionPrefix)) return 505;
  minor_ = static_cast<std::uint8_t>(version[7] - '0');
  rewrite_ = minor_ > 1;
  // The parser would refuse it, and does not get to see it: rewritten() ends the line at the CRLF.
  if (rewrite_ && line.contains('\r')) return 400;
  int known = find_method(method);
  if (known < 0) return 501;
  method_ = static_cast<Method>(known);
  if (space > limits.uri) return 414;
  return 0;
}

std::string HeadCheck::rewritten(std::string_view head) const {
  std::string copy;
  copy.reserve(head.size());
  std::size_t version_end = head.find("\r\n");
  copy = head.substr(0, version_end - 1);
  copy += minor_ == 0 ? "0\r\n" : "1\r\n";
  head.remove_prefix(version_end + 2);
  while (!head.empty()) {
    std::size_t end = head.find('\n');
    std::string_view line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    copy += line.substr(0, line.find_last_not_of(" \t") + 1);
    copy += "\r\n";
  }
  return copy;
}

}  // namespace pronghorn::server
