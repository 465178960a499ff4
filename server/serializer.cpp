// SPDX-License-Identifier: Apache-2.0
#include "server/serializer.h"

#include "base/text.h"
#include "server/body_source.h"
#include "server/error_page.h"
#include "server/response_fields.h"
#include "server/status.h"
#include "server/syntax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

namespace pronghorn::server {

using namespace std::string_view_literals;

namespace {

constexpr int kFirst = 200;
constexpr int kLast = 599;

// Everything before the date, for each status. X-Content-Type-Options stands on all answers.
const std::string& preamble(int status) {
  static const auto table = [] {
    std::array<std::string, kLast - kFirst + 1> lines;
    for (int code = kFirst; code <= kLast; ++code) {
      lines[static_cast<std::size_t>(code - kFirst)] =
          "HTTP/1.1 " + std::to_string(code) + " " + std::string(reason_phrase(code)) +
          "\r\nX-Content-Type-Options: nosniff\r\nDate: ";
    }
    return lines;
  }();
  return table[static_cast<std::size_t>(status - kFirst)];
}

// A handler cannot set these: they are the framing's, or stand on every answer.
bool is_servers_own(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:
      return iequals(name, "date");
    case 10:
      return iequals(name, "connection") || iequals(name, "keep-alive");
    case 14:
      return iequals(name, "content-length");
    case 17:
      return iequals(name, "transfer-encoding");
    case 22:
      return iequals(name, "x-content-type-options");
    default:
      return false;
  }
}

struct BodyView {
  std::string_view bytes;    // what goes into the output
  std::uint64_t length = 0;  // what Content-Length says
};

/// Of a redirect it is good until the next.
StatusText view_page(const Response& response, const AnswerFraming& framing) {
  thread_local std::string link;
  link.clear();
  const int status = response.status();
  if (status >= 400) return error_text(status, framing.page_form, framing.request_id);
  std::string_view location;
  for (const auto& [name, value] : response.headers()) {
    if (status >= 300 && iequals(name, "location")) location = value;
  }
  return status_text(status, framing.page_form, location, link);
}

BodyView view_body(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body())) return {*text, text->size()};
  if (const auto* file = std::get_if<FileBody>(&response.body())) return {{}, file->total()};
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body());
      shared != nullptr && *shared != nullptr) {
    std::size_t size = (*shared)->size();
    return {size <= kCopiedBytes ? std::string_view(**shared) : std::string_view(), size};
  }
  return {};
}

/// Appends pieces at a place where there is room for all of them. Inlined, as texts of known length
/// are then stores and no calls.
class Writer {
 public:
  explicit Writer(char* at) noexcept : at_(at) {}
  [[gnu::always_inline]] Writer& put(std::string_view piece) noexcept {
    if (!piece.empty())
      std::memcpy(at_, piece.data(), piece.size());  // an empty view may have no address
    at_ += piece.size();
    return *this;
  }
  [[gnu::always_inline]] Writer& field(std::string_view name, std::string_view value) noexcept {
    return put("\r\n"sv).put(name).put(": "sv).put(value);
  }
  /// In decimal.
  [[gnu::always_inline]] Writer& put(std::uint64_t number) noexcept {
    at_ = std::to_chars(at_, at_ + kDigits, number).ptr;
    return *this;
  }
  char* at() const noexcept { return at_; }

 private:
  static constexpr int kDigits = std::numeric_limits<std::uint64_t>::digits10 + 1;
  char* at_;
};

constexpr std::size_t kDateSize = 29;   // IMF-fixdate (RFC 9110 §5.6.7)
constexpr std::size_t kFieldExtra = 4;  // CRLF, colon and space
constexpr std::size_t kFixedRoom =
    256;  // date, our own fields' names, Content-Length, the empty line

bool are_sendable(const std::vector<Response::Header>& headers) noexcept {
  return std::ranges::all_of(headers, [](const Response::Header& header) {
    return is_token(header.name) && all_class(header.value, kValue);
  });
}

bool is_prepared(const Response& response) noexcept {
  const Response::Head* head = response.shared_head();
  return head != nullptr && !head->text.bytes.empty();
}

std::size_t room_for(const Response& response, const AnswerFraming& framing, std::string_view body,
                     std::string_view preamble_text) noexcept {
  std::size_t room = kFixedRoom + preamble_text.size() + framing.connection.size() +
                     response.content_type().size() + body.size();
  if (is_prepared(response)) return room + response.shared_head()->text.bytes.size();
  for (const auto& [name, value] : response.headers())
    room += name.size() + value.size() + kFieldExtra;
  return response.is_page() ? room + status_page_policy().size() : room;
}

}  // namespace

bool is_sendable(const Response& response) noexcept {
  if (response.status() < kFirst || response.status() > kLast) return false;
  if (is_prepared(response)) return true;
  if (response.has_own_type() && !all_class(response.content_type(), kValue)) return false;
  return are_sendable(response.headers());
}

void prepare(Response::Head& head) {
  if (!all_class(head.type, kValue) || !are_sendable(head.headers)) return;
  if (!head.type.empty()) head.text.bytes.append("\r\nContent-Type: ").append(head.type);
  for (const auto& [name, value] : head.headers) {
    if (!is_servers_own(name))
      head.text.bytes.append("\r\n").append(name).append(": ").append(value);
  }
}

std::string unsendable_part(std::span<const Response::Header> headers) {
  auto about = [](std::string_view what, std::string_view name) {
    constexpr std::size_t kShown = 64;
    std::string text(what);
    text += " [\"" + escape_control(name.substr(0, kShown), "\"\\");
    return text += name.size() > kShown ? "…\"]" : "\"]";
  };
  for (const auto& [name, value] : headers) {
    if (!is_token(name)) return about("Invalid character in header name", name);
    if (!all_class(value, kValue)) return about("Invalid character in header content", name);
  }
  return {};
}

std::string unsendable_part(const Response& response) {
  if (response.status() < kFirst || response.status() > kLast) {
    return "Invalid status code: " + std::to_string(response.status());
  }
  if (response.has_own_type() && !all_class(response.content_type(), kValue)) {
    return "Invalid character in header content [\"Content-Type\"]";
  }
  return unsendable_part(response.headers());
}

std::uint64_t serialize(const Response& response, const AnswerFraming& framing, std::string& out) {
  int status = response.status();
  bool bodiless = is_bodiless(status);
  std::optional<StatusText> page;
  if (response.is_page()) page = view_page(response, framing);
  // 205: no content, and says so (RFC 9110 §15.3.6).
  const bool has_body = !bodiless && status != 205 && !framing.is_streamed;
  BodyView body = !has_body ? BodyView{} : page ? BodyView{{}, page->size()} : view_body(response);
  const bool puts_page = page && has_body && !framing.is_head;
  if (framing.is_head) body.bytes = {};
  const std::string& start = preamble(status);
  std::string_view type = page ? page->type : response.content_type();

  // A page is never prepared, nor is what has no body and so no type.
  bool prepared = !bodiless && is_prepared(response);
  std::size_t before = out.size();
  std::size_t room = room_for(response, framing, body.bytes, start) + type.size();
  if (puts_page) room += page->size();
  out.resize_and_overwrite(before + room, [&](char* data, std::size_t) noexcept {
    Writer w(data + before);
    w.put(start);
    if (framing.date.size() == kDateSize) [[likely]] {
      w.put(std::string_view(framing.date.data(), kDateSize));  // as of known length
    } else {
      w.put(framing.date);
    }
    if (!bodiless) {
      if (framing.is_chunked) w.put("\r\nTransfer-Encoding: chunked"sv);
      if (!framing.is_streamed || framing.length) {
        w.put("\r\nContent-Length: "sv).put(framing.length.value_or(body.length));
      }
      if (!type.empty() && !prepared) w.put("\r\nContent-Type: "sv).put(type);
      if (page) {
        w.put("\r\nVary: Accept"sv);
        if (framing.page_form == TextForm::html && !has_field(response, "content-security-policy"))
          w.put("\r\nContent-Security-Policy: "sv).put(status_page_policy());
      }
    }
    bool offers_upgrade = false;
    if (prepared) {
      w.put(response.shared_head()->text.bytes);
    } else {
      for (const auto& [name, value] : response.headers()) {
        if (is_servers_own(name)) continue;
        w.field(name, value);
        offers_upgrade = offers_upgrade || iequals(name, "upgrade");
      }
    }
    w.put("\r\nConnection: "sv);
    if (offers_upgrade) w.put("upgrade, "sv);  // RFC 9110 §7.8
    w.put(framing.connection).put("\r\n\r\n"sv).put(body.bytes);
    if (puts_page) w.put(page->before).put(page->middle).put(page->after);
    return static_cast<std::size_t>(w.at() - data);
  });
  return framing.is_head ? 0 : body.length;
}

void serialize_informational(int status, std::span<const Response::Header> headers,
                             std::string& out) {
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  out.append(reason_phrase(status));
  for (const auto& [name, value] : headers) {
    if (!is_servers_own(name)) out.append("\r\n").append(name).append(": ").append(value);
  }
  if (status == 101) out.append("\r\nConnection: Upgrade");
  out.append("\r\n\r\n");
}

}  // namespace pronghorn::server
