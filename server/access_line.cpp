// SPDX-License-Identifier: Apache-2.0
#include "server/access_line.h"

#include "server/syntax.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <time.h>
#include <unistd.h>

namespace pronghorn::server {
namespace {

using Kind = config::LogPiece::Kind;

constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::size_t kRequestLineExtra = config::kMethodRoom + 10;  // and " HTTP/1.1"

bool is_time(Kind kind) noexcept {
  return kind == Kind::time_clf || kind == Kind::time_format || kind == Kind::time_rfc3339;
}

// A target, which is mostly the longest, gets more.
std::size_t share_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::request_line:
    case Kind::target:
    case Kind::path:
    case Kind::query:
      return 2;
    case Kind::request_field:
    case Kind::answer_field:
    case Kind::host:
    case Kind::server_name:
      return 1;
    default:
      return 0;
  }
}

// A host program may have set a locale, whose names of months nobody could parse.
locale_t plain_locale() noexcept {
  static const locale_t plain = ::newlocale(LC_ALL_MASK, "C", nullptr);
  return plain;
}

std::string_view without_port(std::string_view host) noexcept {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  const bool has_port = colon != host.npos && (bracket == host.npos || bracket < colon);
  return has_port ? host.substr(0, colon) : host;
}

std::string_view protocol(const AccessEntry& entry) noexcept {
  return entry.version == 10 ? "HTTP/1.0" : "HTTP/1.1";
}

// The value of a field in a head as it was sent; empty when there is none.
std::string_view find_sent(std::string_view head, std::string_view name) noexcept {
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    if (colon != line.npos && iequals(line.substr(0, colon), name)) {
      return trim_ows(line.substr(colon + 1));
    }
  }
  return {};
}

}  // namespace

AccessLine::AccessLine(const config::LogFormat& format, std::uint32_t worker)
    : worker_(worker), pid_(::getpid()), is_json_(format.is_json) {
  for (const auto& piece : format.pieces) {
    Piece made{.kind = piece.kind, .text = {}, .name = {}, .share = share_of(piece.kind)};
    (piece.kind == Kind::text ? made.text : made.name) = piece.text;
    if (is_time(piece.kind)) made.text.reserve(config::kTimeRoom);
    wants_answer_head_ = wants_answer_head_ || piece.kind == Kind::answer_field;
    wants_request_id_ = wants_request_id_ || piece.kind == Kind::request_id;
    pieces_.push_back(std::move(made));
  }
  joined_.reserve(2 * kMax);  // no allocation later, where none may fail
  std::size_t fixed = 1;      // the '\n'
  std::size_t shares = 0;
  for (std::size_t i = pieces_.size(); i-- > 0;) {
    pieces_[i].fixed_from = fixed;
    pieces_[i].shares = shares += pieces_[i].share;
    fixed += config::fixed_room(format.pieces[i]);
  }
}

char* AccessLine::write(char* at, const AccessEntry& entry, std::int64_t now_us) noexcept {
  if (now_us / kMicroseconds != second_) begin_second(now_us / kMicroseconds);
  LineWriter out(at);
  for (const Piece& piece : pieces_) {
    if (!put_known(out, piece, entry, now_us)) {
      put_chosen(out, piece, entry, room(piece, static_cast<std::size_t>(out.at() - at)));
    }
  }
  out.text("\n");
  return out.at();
}

// What is left is shared by what is still to come: a short target leaves room for a long agent.
std::size_t AccessLine::room(const Piece& piece, std::size_t used) const noexcept {
  return (kMax - used - piece.fixed_from) * piece.share / piece.shares;
}

void AccessLine::begin_second(std::time_t second) {
  second_ = second;
  std::tm t{};
  ::gmtime_r(&second, &t);
  std::array<char, config::kTimeRoom> text;
  for (Piece& piece : pieces_) {
    if (!is_time(piece.kind)) continue;
    const char* format = piece.kind == Kind::time_clf       ? "[%d/%b/%Y:%H:%M:%S +0000]"
                         : piece.kind == Kind::time_rfc3339 ? "%Y-%m-%dT%H:%M:%S."
                                                            : piece.name.c_str();
    piece.text.assign(text.data(),
                      ::strftime_l(text.data(), text.size(), format, &t, plain_locale()));
  }
}

// What we know ourselves, and what is short whatever a client does. False: it is neither.
bool AccessLine::put_known(LineWriter& out, const Piece& piece, const AccessEntry& e,
                           std::int64_t now_us) const noexcept {
  const auto fraction = static_cast<unsigned>(now_us % kMicroseconds);
  switch (piece.kind) {
    case Kind::text:
    case Kind::time_clf:
    case Kind::time_format:
      return out.text(piece.text), true;
    case Kind::time_rfc3339:
      out.text(piece.text);
      out.digits(fraction / 1000, 3);
      return out.text("Z"), true;
    case Kind::time_seconds:
      return out.number(second_), true;
    case Kind::time_milliseconds:
      return out.number(now_us / 1000), true;
    case Kind::time_microseconds:
      return out.number(now_us), true;
    case Kind::fraction_ms:
      return out.digits(fraction / 1000, 3), true;
    case Kind::fraction_us:
      return out.digits(fraction, 6), true;
    case Kind::nobody:
      return out.text("-"), true;
    case Kind::client:
      return put(out, e.client, config::kClientRoom), true;
    case Kind::request_id:
      return put(out, e.request_id, config::kRequestIdRoom), true;
    case Kind::method:
      return put(out, e.method, config::kMethodRoom), true;
    case Kind::protocol:
      return put(out, e.method.empty() ? std::string_view() : protocol(e), config::kMethodRoom),
             true;
    case Kind::status:
      return out.number(e.status), true;
    case Kind::body_bytes:
      return out.number(e.body_bytes), true;
    case Kind::body_bytes_or_dash:
      return e.body_bytes == 0 ? out.text("-") : out.number(e.body_bytes), true;
    case Kind::bytes_in:
      return out.number(e.bytes_in), true;
    case Kind::bytes_out:
      return out.number(e.bytes_out), true;
    case Kind::duration_us:
      return out.number(e.duration_us), true;
    case Kind::duration_ms:
      return out.number(e.duration_us / 1000), true;
    case Kind::duration_s:
      return out.number(e.duration_us / kMicroseconds), true;
    case Kind::port:
      return out.number(e.port), true;
    case Kind::process:
      return out.number(pid_), true;
    case Kind::worker:
      return out.number(worker_), true;
    case Kind::earlier_requests:
      return out.number(e.earlier_requests), true;
    case Kind::connection:
      return out.text(std::string_view("+-X").substr(static_cast<std::size_t>(e.connection), 1)),
             true;
    case Kind::connection_word: {
      constexpr std::array<std::string_view, 3> kWords{"keep-alive", "close", "aborted"};
      return out.text(kWords[static_cast<std::size_t>(e.connection)]), true;
    }
    default:
      return false;
  }
}

void AccessLine::put_chosen(LineWriter& out, const Piece& piece, const AccessEntry& e,
                            std::size_t room) noexcept {
  switch (piece.kind) {
    case Kind::request_line:
      if (e.method.empty()) return put(out, {}, room);
      out.escaped(e.method, config::kMethodRoom);
      out.text(" ");
      out.escaped(e.target, room - kRequestLineExtra);
      out.text(" ");
      return out.text(protocol(e));
    case Kind::target:
      return put(out, e.target, room);
    case Kind::path:
      return put(out, e.path, room);
    case Kind::query:
      if (e.query.empty()) return;
      out.text("?");
      return put(out, e.query, room - 1);
    case Kind::host:
      return put(out, e.host, room);
    case Kind::server_name:
      return put(out, without_port(e.host), room);
    case Kind::answer_field:
      return put(out, find_sent(e.answer_head, piece.name), room);
    default:
      return put_field(out, piece, e, room);
  }
}

// Several lines of one name are one list (RFC 9110 §5.3).
void AccessLine::put_field(LineWriter& out, const Piece& piece, const AccessEntry& e,
                           std::size_t room) noexcept {
  std::string_view value;
  for (const Field& field : e.fields) {
    if (!iequals(field.name, piece.name)) continue;
    if (value.empty()) {
      value = field.value;
      continue;
    }
    if (value.data() != joined_.data()) joined_.assign(value.substr(0, kMax));
    joined_.append(", ").append(field.value.substr(0, kMax - std::min(kMax, joined_.size())));
    value = joined_;
  }
  put(out, value, room);
}

void AccessLine::put(LineWriter& out, std::string_view text, std::size_t room) const noexcept {
  if (is_json_) return text.empty() ? out.text("null") : out.json(text, room);
  out.escaped(text.empty() ? "-" : text, room);
}

}  // namespace pronghorn::server
