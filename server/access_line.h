// SPDX-License-Identifier: Apache-2.0
// A format of the access log, made ready to write lines quickly: what changes once a second is
// kept, and how long each part may be is known. Used by AccessLog.
#pragma once

#include "base/nonblocking_writer.h"
#include "config/access_log_format.h"
#include "server/access_entry.h"
#include "server/line_writer.h"

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace pronghorn::server {

class AccessLine {
 public:
  /// Whatever a client sends, a line is no longer, so that those of several workers in one pipe
  /// stay whole.
  static constexpr std::size_t kMax = NonblockingWriter::kMaxLine;

  /// `worker` is a number for "json", from 1; 0: alone.
  AccessLine(const config::LogFormat& format, std::uint32_t worker);

  /// Writes a line, its '\n' included, to `at`, where there is room for kMax bytes. @returns its
  /// end
  char* write(char* at, const AccessEntry& entry, std::int64_t now_us) noexcept;

  bool wants_answer_head() const noexcept { return wants_answer_head_; }
  bool wants_request_id() const noexcept { return wants_request_id_; }
  bool wants_duration() const noexcept { return wants_duration_; }
  /// Whether `now_us` is looked at more closely than by the second.
  bool wants_fraction() const noexcept { return wants_fraction_; }

 private:
  using Kind = config::LogPiece::Kind;
  struct Piece {
    // What a client chose, or a session knows; of the last one text: nothing.
    Kind kind = Kind::text;
    std::string before;  // it: text and times as they are in this second, padded
    std::size_t before_size = 0;
    std::string name;            // a field's
    std::size_t fixed_from = 0;  // bytes that the bounded pieces behind this one may take
    std::size_t share = 0;       // of what is left, over `shares`: a part that a client chose
    std::size_t shares = 0;      // of this one and those behind it
  };
  // Of a `before` that has times: what it is made of, once a second.
  struct Dated {
    std::size_t piece;
    std::vector<config::LogPiece> parts;
  };
  void begin_second(std::time_t second);
  void add(const config::LogPiece& piece);
  static void set_before(Piece& piece, std::string_view text);
  std::size_t room(const Piece& piece, std::size_t used) const noexcept;
  void put_known(LineWriter& out, const Piece& piece, const AccessEntry& entry,
                 std::int64_t now_us) const noexcept;
  void put_ours(LineWriter& out, const Piece& piece, std::int64_t now_us) const noexcept;
  void put_chosen(LineWriter& out, const Piece& piece, const AccessEntry& entry,
                  std::size_t room) noexcept;
  std::string_view field(const AccessEntry& entry, std::string_view name) noexcept;
  std::string_view join(std::string_view value, std::string_view more) noexcept;
  void put(LineWriter& out, std::string_view text, std::size_t room) const noexcept;

  std::vector<Piece> pieces_;
  std::vector<Dated> dated_;
  std::string joined_;                      // a field that came in several lines
  std::string making_;                      // a `before`
  std::int64_t second_us_ = INT64_MIN / 2;  // when the second began that `before` is of
  std::uint32_t worker_;
  int pid_;
  bool is_json_;
  bool wants_answer_head_ = false;
  bool wants_request_id_ = false;
  bool wants_duration_ = false;
  bool wants_fraction_ = false;
};

}  // namespace pronghorn::server
