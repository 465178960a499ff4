// SPDX-License-Identifier: Apache-2.0
#include "server/body_reader.h"

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn::server {
namespace {

// What a chunk line may cost on average beyond limits.chunk_extensions: 16 digits, CRLF, 16 bytes.
constexpr std::uint64_t kChunkLineCredit = 16 + 2 + 16;

// Up to and including the first LF, or all.
std::size_t line_part(std::string_view in) noexcept {
  auto end = in.find('\n');
  return end == std::string_view::npos ? in.size() : end + 1;
}

}  // namespace

void BodyReader::begin(Parser& parser, std::uint64_t limit) noexcept {
  *this = BodyReader{};
  parser_ = &parser;
  limit_ = limit;
  state_ = parser.is_chunked() ? State::chunk_line : State::identity;
  left_ = parser.content_length();
}

BodyReader::Verdict BodyReader::read(std::string_view& in, const config::Limits& limits) noexcept {
  Verdict verdict = Verdict::more;
  while (!in.empty() && verdict == Verdict::more) {
    switch (state_) {
      case State::identity:
      case State::chunk_data:
        verdict = read_data(in);
        break;
      case State::chunk_line:
        verdict = read_chunk_line(in, limits);
        break;
      case State::trailer:
        verdict = read_trailer(in, limits);
        break;
    }
  }
  return verdict;
}

BodyReader::Verdict BodyReader::refuse(int status) noexcept {
  status_ = static_cast<std::int16_t>(status);
  return Verdict::refused;
}

bool BodyReader::feed(std::string_view& in, std::size_t size) noexcept {
  if (size == 0) return true;
  received_ += size;
  last_ = in[size - 1];
  bool accepted = parser_->feed(in.substr(0, size));
  in.remove_prefix(size);
  return accepted;
}

BodyReader::Verdict BodyReader::read_data(std::string_view& in) noexcept {
  auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
  left_ -= size;
  if (!feed(in, size)) return refuse(400);
  if (left_ > 0) return Verdict::more;
  if (state_ == State::chunk_data) {
    state_ = State::chunk_line;
    return Verdict::more;
  }
  return parser_->complete() ? Verdict::complete : refuse(400);
}

BodyReader::Verdict BodyReader::read_chunk_line(std::string_view& in,
                                                const config::Limits& limits) noexcept {
  std::size_t size = line_part(in);
  bool ends = in[size - 1] == '\n';
  overhead_ += size;
  if (overhead_ > limits.chunk_extensions + kChunkLineCredit * (chunks_ + 1)) return refuse(400);
  if (ends && (size > 1 ? in[size - 2] : last_) != '\r') return refuse(400);
  std::size_t digits = in_extension_ ? 0 : std::min(in.substr(0, size).find(';'), size);
  if (!feed(in, digits)) return refuse(400);
  if (digits < size) {
    in_extension_ = true;
    if (!skip_extension(in, size - digits)) return refuse(400);
  }
  if (parser_->take_chunk_header() != ends) return refuse(400);
  if (!ends) return Verdict::more;
  in_extension_ = false;
  extension_ = {};
  ++chunks_;
  std::uint64_t chunk = parser_->chunk_size();
  if (chunk == 0) {
    state_ = State::trailer;
    return Verdict::more;
  }
  if (chunk > limit_ || parser_->decoded() > limit_ - chunk) return refuse(413);
  left_ = chunk + 2;
  state_ = State::chunk_data;
  return Verdict::more;
}

// The parser gets the line's CRLF only.
bool BodyReader::skip_extension(std::string_view& in, std::size_t size) noexcept {
  for (; size > 0; --size) {
    char c = in.front();
    if (c == '\r' || c == '\n') {
      if (!extension_.may_end() || !feed(in, 1)) return false;
    } else {
      if (last_ == '\r' || !extension_.next(c)) return false;
      last_ = c;
      ++received_;
      in.remove_prefix(1);
    }
  }
  return true;
}

BodyReader::Verdict BodyReader::read_trailer(std::string_view& in,
                                             const config::Limits& limits) noexcept {
  // As in a head: no folded line, no empty name, CR only before LF.
  if (line_ == 0 ? !is_class(in.front(), kToken) && in.front() != '\r'
                 : last_ == '\r' && in.front() != '\n') {
    return refuse(400);
  }
  std::size_t size = line_part(in);
  // The empty line that ends every chunked body is not a trailer.
  std::uint64_t left = limits.trailers + 2 - trailers_;
  auto room = static_cast<std::size_t>(std::min<std::uint64_t>(size, left));
  trailers_ += room;
  line_ += static_cast<std::uint32_t>(room);
  if (room < size) {
    bool is_fine = feed(in, room) && (last_ != '\r' || in.front() == '\n');
    return refuse(is_fine ? 431 : 400);
  }
  bool ends = in[size - 1] == '\n';
  if (ends && (size > 1 ? in[size - 2] : last_) != '\r') return refuse(400);
  if (!feed(in, size)) return refuse(400);
  if (!ends) return Verdict::more;
  if (line_ == 2) return parser_->complete() ? Verdict::complete : refuse(400);
  line_ = 0;
  return ++trailer_fields_ > limits.header_fields ? refuse(431) : Verdict::more;
}

}  // namespace pronghorn::server
