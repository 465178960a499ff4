// SPDX-License-Identifier: Apache-2.0
// Feeds a request's body to the parser, cut at chunk lines, with what llhttp does not do: limits on
// chunk lines, trailers and the decoded size, and CRLF as the only line end.
#pragma once

#include <pronghorn/config/config.h>

#include "server/chunk_extension.h"
#include "server/parser.h"

#include <cstdint>
#include <string_view>

namespace pronghorn::server {

class BodyReader {
 public:
  enum class Verdict : std::uint8_t { more, complete, refused };

  /// The head has been fed to `parser`, which must live as long as the body is read; `limit` is of
  /// the decoded body.
  void begin(Parser& parser, std::uint64_t limit) noexcept;
  /// Takes the body's bytes off the front of `in`; what follows a complete body stays.
  /// The verdict is the same however the bytes were cut.
  Verdict read(std::string_view& in, const config::Limits& limits) noexcept;

  int status() const noexcept { return status_; }
  /// Bytes taken so far, framing included.
  std::uint64_t received() const noexcept { return received_; }

 private:
  enum class State : std::uint8_t { identity, chunk_line, chunk_data, trailer };

  Verdict refuse(int status) noexcept;
  bool feed(std::string_view& in, std::size_t size) noexcept;
  Verdict read_data(std::string_view& in) noexcept;
  Verdict read_chunk_line(std::string_view& in, const config::Limits& limits) noexcept;
  bool skip_extension(std::string_view& in, std::size_t size) noexcept;
  Verdict read_trailer(std::string_view& in, const config::Limits& limits) noexcept;

  Parser* parser_ = nullptr;
  std::uint64_t left_ = 0;  // of the content, or of the chunk with its CRLF
  std::uint64_t limit_ = 0;
  std::uint64_t overhead_ = 0;  // bytes of chunk lines
  std::uint64_t chunks_ = 0;
  std::uint64_t trailers_ = 0;  // bytes
  std::uint64_t received_ = 0;
  std::uint32_t trailer_fields_ = 0;
  std::uint32_t line_ = 0;  // bytes of the current trailer line
  std::int16_t status_ = 0;
  State state_ = State::identity;
  bool in_extension_ = false;
  ChunkExtension extension_;
  char last_ = 0;  // byte taken before
};

}  // namespace pronghorn::server
