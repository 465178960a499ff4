// SPDX-License-Identifier: Apache-2.0
// `access_log_format` as a list of pieces: read once, with the place of a mistake, and written for
// each request by server/access_log_line.h. Letters and names are Apache's (mod_log_config).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

struct LogPiece {
  enum class Kind : std::uint8_t {
    text,                // as it stands
    client,              // %h %a
    nobody,              // %l %u: always "-"
    time_clf,            // %t          [22/Nov/2026:12:01:40 +0000]
    time_format,         // %{…}t       strftime(3), UTC
    time_seconds,        // %{sec}t     since 1970
    time_milliseconds,   // %{msec}t
    time_microseconds,   // %{usec}t
    fraction_ms,         // %{msec_frac}t   three digits
    fraction_us,         // %{usec_frac}t   six digits
    time_rfc3339,        // of "json"   2026-11-22T12:01:40.123Z
    request_line,        // %r          as it came: GET /a?b HTTP/1.1
    method,              // %m
    target,              // of "json"   /a?b
    path,                // %U          without the query
    query,               // %q          with its '?', or nothing
    protocol,            // %H
    status,              // %s %>s
    body_bytes,          // %B          of the answer's body
    body_bytes_or_dash,  // %b          "-" for none
    bytes_in,            // %I          of the request, its head included
    bytes_out,           // %O          of the answer, its head included
    duration_us,         // %D
    duration_ms,         // %{ms}T
    duration_s,          // %T
    request_field,       // %{Name}i
    answer_field,        // %{Name}o
    host,                // %V          the Host that was asked for
    server_name,         // %v          the same without its port
    port,                // %p          ours
    process,             // %P
    earlier_requests,    // %k          of this connection
    connection,          // %X          X: cut before the end, +: stays open, -: is closed
    request_id,          // %L
    connection_word,     // of "json"   aborted, keep-alive, close
    worker,              // of "json"   1, 2, …; 0 alone
  };
  Kind kind = Kind::text;
  std::string text{};  ///< of text; a strftime(3) format; a field's name

  bool operator==(const LogPiece&) const = default;
};

// Bytes that the bounded pieces take at most, whatever a client sends.
inline constexpr std::size_t kClientRoom = 64;
inline constexpr std::size_t kRequestIdRoom = 72;  // 64, JSON's quotes, and not cut
inline constexpr std::size_t kMethodRoom = 32;
inline constexpr std::size_t kTimeRoom = 128;
/// … of one piece; 0 of one that a client chose.
std::size_t fixed_room(const LogPiece& piece) noexcept;

struct LogFormat {
  std::vector<LogPiece> pieces;
  /// What a client chose is written as JSON's strings, in quotes, or null; else as \xHH.
  bool is_json = false;
};

/// What is wrong with a format, and where: bytes [at, at + length) of it.
struct LogFormatFault {
  std::size_t at = 0;
  std::size_t length = 0;
  std::string message;
  std::string suggestion{};  ///< what was probably meant; empty: no idea
};

/// "common", "combined", "json", or a pattern with at least one '%' whose bounded pieces leave half
/// of a line (4 KiB) for the others.
std::expected<LogFormat, LogFormatFault> parse_log_format(std::string_view text);

}  // namespace pronghorn::config
