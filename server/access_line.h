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

 private:
  struct Piece {
    config::LogPiece::Kind kind;
    std::string text;            // as it stands; of a time: as it is this second
    std::string name;            // a field's; a time's format
    std::size_t fixed_from = 0;  // bytes that the bounded pieces behind this one may take
    std::size_t share = 0;       // of what is left, over `shares`: a part that a client chose
    std::size_t shares = 0;      // of this one and those behind it
  };
  void begin_second(std::time_t second);
  std::size_t room(const Piece& piece, std::size_t used) const noexcept;
  bool put_known(LineWriter& out, const Piece& piece, const AccessEntry& entry,
                 std::int64_t now_us) const noexcept;
  void put_chosen(LineWriter& out, const Piece& piece, const AccessEntry& entry,
                  std::size_t room) noexcept;
  void put_field(LineWriter& out, const Piece& piece, const AccessEntry& entry,
                 std::size_t room) noexcept;
  void put(LineWriter& out, std::string_view text, std::size_t room) const noexcept;

  std::vector<Piece> pieces_;
  std::string joined_;  // a field that came in several lines
  std::int64_t second_ = -1;
  std::uint32_t worker_;
  int pid_;
  bool is_json_;
  bool wants_answer_head_ = false;
  bool wants_request_id_ = false;
};

}  // namespace pronghorn::server
