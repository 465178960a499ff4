// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/multipart.h>

#include "server/multipart_head.h"
#include "server/parameters.h"
#include "server/syntax.h"

#include <algorithm>
#include <utility>

namespace pronghorn {
namespace {

using server::is_ows;

std::unexpected<Error> malformed(const char* text) {
  return std::unexpected(body_error(BodyErrc::malformed, text));
}
std::unexpected<Error> too_large(std::string text) {
  return std::unexpected(body_error(BodyErrc::too_large, std::move(text)));
}

// bchars; a space may be inside, but not last.
bool is_boundary(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
         std::ranges::all_of(text, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kMarks.contains(c);
         });
}

}  // namespace

Result<std::string> MultipartParser::boundary_of(std::string_view content_type) {
  if (!server::is_media_type(content_type, "multipart/form-data")) {
    return std::unexpected(
        body_error(BodyErrc::unsupported_type, "the body must be multipart/form-data"));
  }
  auto parsed = server::parse_parameters(content_type);
  const std::string* boundary = parsed ? parsed->find("boundary") : nullptr;
  if (boundary == nullptr || !is_boundary(*boundary)) {
    return malformed("the Content-Type has no boundary, or a wrong one");
  }
  return *boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, const Limits& limits, Owner& owner)
    : limits_(limits), owner_(owner), delimiter_("\r\n--") {
  delimiter_ += boundary;
}

Result<void> MultipartParser::feed(std::string_view in) {
  while (!in.empty()) {
    Result<void> done;
    switch (state_) {
      case State::preamble:
      case State::content:
        done = find_delimiter(in);
        break;
      case State::head:
        done = read_head(in);
        break;
      case State::epilogue:
        return {};
      default:
        done = read_after_delimiter(in.front());
        in.remove_prefix(1);
    }
    if (!done) return done;
  }
  return {};
}

Result<void> MultipartParser::finish() {
  if (state_ == State::epilogue) return {};
  return malformed("the form ends before its final delimiter");
}

Result<void> MultipartParser::pass_on(std::string_view bytes) {
  if (state_ == State::preamble || bytes.empty()) return {};
  return owner_.on_data(bytes);
}

/// The delimiter's only CR is its first byte: where a match breaks off, another can begin no
/// earlier than at the byte that broke it.
Result<void> MultipartParser::find_delimiter(std::string_view& in) {
  if (matched_ == 0) {
    const auto start = std::min(in.find('\r'), in.size());
    if (auto passed = pass_on(in.substr(0, start)); !passed) return passed;
    in.remove_prefix(start);
  }
  while (!in.empty() && in.front() == delimiter_[matched_]) {
    in.remove_prefix(1);
    if (++matched_ < delimiter_.size()) continue;
    const bool ends_part = state_ == State::content;
    state_ = State::delimiter;
    padding_ = 0;
    if (ends_part) return owner_.on_part_end();
    return {};
  }
  if (in.empty() || matched_ == 0) return {};
  const auto from = std::exchange(implied_, 0);
  return pass_on(std::string_view(delimiter_).substr(from, std::exchange(matched_, 0) - from));
}

Result<void> MultipartParser::read_after_delimiter(char c) {
  if (state_ == State::delimiter && c == '-') {
    state_ = State::dashes;
  } else if (state_ == State::dashes && c == '-') {
    state_ = State::epilogue;
  } else if (state_ != State::dashes && state_ != State::line_feed && c == '\r') {
    state_ = State::line_feed;
  } else if (state_ == State::line_feed && c == '\n') {
    state_ = State::head;
    head_.clear();
  } else if (state_ != State::dashes && state_ != State::line_feed && is_ows(c)) {
    state_ = State::padding;
    if (++padding_ > limits_.head) return too_large("a part's delimiter is too long");
  } else {
    // A line that only begins like a delimiter must not be in any part (RFC 2046 §5.1.1).
    return malformed("a delimiter is followed by something else");
  }
  return {};
}

Result<void> MultipartParser::read_head(std::string_view& in) {
  const auto end = std::min(in.find('\n'), in.size() - 1) + 1;
  if (head_.size() + end > limits_.head) {
    return too_large("a part's head is over " + std::to_string(limits_.head) + " bytes");
  }
  head_.append(in.substr(0, end));
  in.remove_prefix(end);
  if (head_ == "\r\n" || head_.ends_with("\r\n\r\n")) return begin_part();
  return {};
}

Result<void> MultipartParser::begin_part() {
  if (++parts_ > limits_.parts) {
    return too_large("the form has more than " + std::to_string(limits_.parts) + " parts");
  }
  head_.resize(head_.size() - 2);
  auto head = server::parse_multipart_head(head_);
  if (!head) return std::unexpected(head.error());
  head_.clear();
  state_ = State::content;
  // body-part = headers [CRLF *OCTET]: an empty part's delimiter may begin with the CRLF that ends
  // its head (RFC 2046 §5.1.1).
  matched_ = implied_ = 2;
  return owner_.on_part(std::move(*head));
}

}  // namespace pronghorn
