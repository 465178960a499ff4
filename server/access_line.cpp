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

const char* time_format(const config::LogPiece& piece) noexcept {
  switch (piece.kind) {
    case Kind::time_clf:
      return "[%d/%b/%Y:%H:%M:%S +0000]";
    case Kind::time_rfc3339:
      return "%Y-%m-%dT%H:%M:%S.";
    case Kind::time_format:
      return piece.text.c_str();
    default:
      return nullptr;  // it is no time
  }
}

bool is_fraction(Kind kind) noexcept {
  return kind == Kind::time_rfc3339 || kind == Kind::time_milliseconds ||
         kind == Kind::time_microseconds || kind == Kind::fraction_ms || kind == Kind::fraction_us;
}

bool is_duration(Kind kind) noexcept {
  return kind == Kind::duration_us || kind == Kind::duration_ms || kind == Kind::duration_s;
}

// What is the same in all lines of a second.
bool is_same(Kind kind) noexcept {
  return kind == Kind::text || kind == Kind::nobody || kind == Kind::time_clf ||
         kind == Kind::time_format;
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
  pieces_.emplace_back();
  std::size_t fixed = 1;  // the '\n'
  for (const auto& piece : format.pieces) fixed += config::fixed_room(piece);
  for (const auto& piece : format.pieces) {
    fixed -= config::fixed_room(piece);
    add(piece);
    if (is_same(piece.kind)) continue;
    Piece& made = pieces_.back();
    made.kind = piece.kind;
    made.name = piece.text;
    made.share = share_of(piece.kind);
    made.fixed_from = fixed;
    wants_answer_head_ = wants_answer_head_ || piece.kind == Kind::answer_field;
    wants_request_id_ = wants_request_id_ || piece.kind == Kind::request_id;
    wants_duration_ = wants_duration_ || is_duration(piece.kind);
    wants_fraction_ = wants_fraction_ || is_fraction(piece.kind);
    pieces_.emplace_back();
  }
  add({Kind::text, "\n"});
  joined_.reserve(2 * kMax);  // no allocation later, where none may fail
  std::size_t longest = 0;
  for (const Dated& dated : dated_) {
    std::size_t size = LineWriter::kPadding;
    for (const auto& part : dated.parts) size += std::max(part.text.size(), config::kTimeRoom);
    pieces_[dated.piece].before.reserve(size);
    longest = std::max(longest, size);
  }
  making_.reserve(longest);
  std::size_t shares = 0;
  for (std::size_t i = pieces_.size(); i-- > 0;) pieces_[i].shares = shares += pieces_[i].share;
}

/// To what stands before the next that differs from line to line.
void AccessLine::add(const config::LogPiece& piece) {
  const std::size_t last = pieces_.size() - 1;
  const bool is_dated = !dated_.empty() && dated_.back().piece == last;
  config::LogPiece part = piece;
  if (piece.kind == Kind::nobody) part = {Kind::text, "-"};
  if (part.kind == Kind::text && !is_dated) {
    making_.assign(pieces_[last].before, 0, pieces_[last].before_size).append(part.text);
    set_before(pieces_[last], making_);
  } else if (is_dated && is_same(part.kind)) {
    dated_.back().parts.push_back(std::move(part));
  } else if (time_format(part) != nullptr) {
    dated_.push_back({last,
                      {{Kind::text, pieces_[last].before.substr(0, pieces_[last].before_size)},
                       std::move(part)}});
  }
}

void AccessLine::set_before(Piece& piece, std::string_view text) {
  piece.before.assign(text).append(LineWriter::kPadding, '\0');
  piece.before_size = text.size();
}

char* AccessLine::write(char* at, const AccessEntry& entry, std::int64_t now_us) noexcept {
  if (now_us - second_us_ >= kMicroseconds || now_us < second_us_) {
    begin_second(now_us / kMicroseconds);
  }
  LineWriter out(at);
  for (const Piece& piece : pieces_) {
    out.padded(piece.before.data(), piece.before_size);
    if (piece.share == 0) {
      put_known(out, piece, entry, now_us);
    } else {
      put_chosen(out, piece, entry, room(piece, static_cast<std::size_t>(out.at() - at)));
    }
  }
  return out.at();
}

// What is left is shared by what is still to come: a short target leaves room for a long agent.
std::size_t AccessLine::room(const Piece& piece, std::size_t used) const noexcept {
  return (kMax - LineWriter::kPadding - used - piece.fixed_from) * piece.share / piece.shares;
}

void AccessLine::begin_second(std::time_t second) {
  second_us_ = second * kMicroseconds;
  std::tm t{};
  ::gmtime_r(&second, &t);
  std::array<char, config::kTimeRoom> text;
  for (const Dated& dated : dated_) {
    making_.clear();
    for (const auto& part : dated.parts) {
      const char* format = time_format(part);
      if (format == nullptr) {
        making_ += part.text;
      } else {
        making_.append(text.data(),
                       ::strftime_l(text.data(), text.size(), format, &t, plain_locale()));
      }
    }
    set_before(pieces_[dated.piece], making_);
  }
}

// What we know ourselves, and what is short whatever a client does.
void AccessLine::put_known(LineWriter& out, const Piece& piece, const AccessEntry& e,
                           std::int64_t now_us) const noexcept {
  switch (piece.kind) {
    case Kind::text:
      return;  // the last one
    case Kind::client:
      return put(out, e.client, config::kClientRoom);
    case Kind::request_id:
      return put(out, e.request_id, config::kRequestIdRoom);
    case Kind::method:
      return put(out, e.method, config::kMethodRoom);
    case Kind::protocol:
      return put(out, e.method.empty() ? std::string_view() : e.protocol, config::kMethodRoom);
    case Kind::status:
      return out.number(e.status);
    case Kind::body_bytes:
      return out.number(e.body_bytes);
    case Kind::body_bytes_or_dash:
      return e.body_bytes == 0 ? out.letter('-') : out.number(e.body_bytes);
    case Kind::bytes_in:
      return out.number(e.bytes_in);
    case Kind::bytes_out:
      return out.number(e.bytes_out);
    case Kind::duration_us:
      return out.number(e.duration_us);
    case Kind::duration_ms:
      return out.number(e.duration_us / 1000);
    case Kind::duration_s:
      return out.number(e.duration_us / kMicroseconds);
    case Kind::port:
      return out.number(e.port);
    case Kind::earlier_requests:
      return out.number(e.earlier_requests);
    case Kind::connection:
      return out.letter("+-X"[static_cast<std::size_t>(e.connection)]);
    case Kind::connection_word: {
      constexpr std::array<std::string_view, 3> kWords{"keep-alive", "close", "aborted"};
      return out.text(kWords[static_cast<std::size_t>(e.connection)]);
    }
    default:
      return put_ours(out, piece, now_us);
  }
}

// Of the time and of the process.
void AccessLine::put_ours(LineWriter& out, const Piece& piece, std::int64_t now_us) const noexcept {
  const auto fraction = static_cast<unsigned>(now_us % kMicroseconds);
  switch (piece.kind) {
    case Kind::time_rfc3339:
      out.digits(fraction / 1000, 3);
      return out.letter('Z');
    case Kind::time_seconds:
      return out.number(now_us / kMicroseconds);
    case Kind::time_milliseconds:
      return out.number(now_us / 1000);
    case Kind::time_microseconds:
      return out.number(now_us);
    case Kind::fraction_ms:
      return out.digits(fraction / 1000, 3);
    case Kind::fraction_us:
      return out.digits(fraction, 6);
    case Kind::process:
      return out.number(pid_);
    case Kind::worker:
      return out.number(worker_);
    default:
      return;
  }
}

void AccessLine::put_chosen(LineWriter& out, const Piece& piece, const AccessEntry& e,
                            std::size_t room) noexcept {
  switch (piece.kind) {
    case Kind::request_line:
      if (e.method.empty()) return put(out, {}, room);
      out.escaped(e.method, config::kMethodRoom);
      out.letter(' ');
      out.escaped(e.target, room - kRequestLineExtra);
      out.letter(' ');
      return out.text(e.protocol);
    case Kind::target:
      return put(out, e.target, room);
    case Kind::path:
      return put(out, e.path, room);
    case Kind::query:
      if (e.query.empty()) return;
      out.letter('?');
      return put(out, e.query, room - 1);
    case Kind::host:
      return put(out, e.host, room);
    case Kind::server_name:
      return put(out, without_port(e.host), room);
    case Kind::answer_field:
      return put(out, find_sent(e.answer_head, piece.name), room);
    default:
      return put(out, field(e, piece.name), room);
  }
}

std::string_view AccessLine::field(const AccessEntry& e, std::string_view name) noexcept {
  std::string_view value;
  for (const Field& field : e.fields) {
    if (field.name.size() != name.size()) continue;
    if (field.name != name && !iequals(field.name, name)) continue;
    value = value.empty() ? field.value : join(value, field.value);
  }
  return value;
}

// Several lines of one name are one list (RFC 9110 §5.3).
std::string_view AccessLine::join(std::string_view value, std::string_view more) noexcept {
  if (value.data() != joined_.data()) joined_.assign(value.substr(0, kMax));
  joined_.append(", ").append(more.substr(0, kMax - std::min(kMax, joined_.size())));
  return joined_;
}

void AccessLine::put(LineWriter& out, std::string_view text, std::size_t room) const noexcept {
  if (is_json_) return text.empty() ? out.text("null") : out.json(text, room);
  if (text.empty()) return out.letter('-');
  out.escaped(text, room);
}

}  // namespace pronghorn::server
