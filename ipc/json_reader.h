// SPDX-License-Identifier: Apache-2.0
// JSON text into a Json, in one pass: depth, UTF-8 and lone surrogates are looked after on the way.
// For json_text.cpp; why it is ours: docs/decisions/0010-json-of-our-own.md.
#pragma once

#include "ipc/json_scan.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace pronghorn::ipc {

class JsonReader {
 public:
  using Json = nlohmann::json;

  JsonReader(std::string_view text, int max_nesting)
      : at_(text.data()), end_(text.data() + text.size()), max_nesting_(max_nesting) {}

  /// @returns false when it is no JSON, or is_too_deep()
  bool read(Json& out) {
    if (!value(out, max_nesting_)) return false;
    skip_space();
    return at_ == end_;
  }
  bool is_too_deep() const noexcept { return too_deep_; }
  /// Where reading ended: after read() returned false, at what it could not go on with.
  const char* position() const noexcept { return at_; }

 private:
  void skip_space() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r' || *at_ == '\n')) ++at_;
  }
  bool take(char c) noexcept {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool value(Json& out, int room) {
    skip_space();
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
      case '[':
        if (room == 0) {
          too_deep_ = true;
          return false;
        }
        return *at_ == '{' ? object(out, room - 1) : array(out, room - 1);
      case '"':
        out = Json(Json::value_t::string);
        return string(out.get_ref<std::string&>());
      case 't':
        out = true;
        return word("true");
      case 'f':
        out = false;
        return word("false");
      case 'n':
        out = nullptr;
        return word("null");
      default:
        return number(out);
    }
  }

  bool word(std::string_view text) noexcept {
    if (!std::string_view(at_, end_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  bool object(Json& out, int room) {
    out = Json(Json::value_t::object);
    auto& members = out.get_ref<Json::object_t&>();
    ++at_;
    if (take('}')) return true;
    do {
      std::string name;
      skip_space();
      if (at_ == end_ || *at_ != '"' || !string(name) || !take(':')) return false;
      // Mostly sorted, as our own are; of two with one name the later counts.
      auto member = members.try_emplace(members.end(), std::move(name));
      if (!value(member->second, room)) return false;
    } while (take(','));
    return take('}');
  }

  bool array(Json& out, int room) {
    out = Json(Json::value_t::array);
    auto& elements = out.get_ref<Json::array_t&>();
    ++at_;
    if (take(']')) return true;
    do {
      if (!value(elements.emplace_back(), room)) return false;
    } while (take(','));
    return take(']');
  }

  bool string(std::string& out) {
    ++at_;
    out.clear();
    for (;;) {
      const char* run = at_;
      at_ = skip_plain(at_, end_);
      out.append(run, at_);
      if (at_ == end_) return false;
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (*at_ != '\\') return false;  // a control character, or not UTF-8
      if (!escape(out)) return false;
    }
  }

  bool escape(std::string& out) {
    if (end_ - at_ < 2) return false;
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const char c = at_[1];
    if (auto index = names.find(c); index != std::string_view::npos) {
      out += meanings[index];
      at_ += 2;
      return true;
    }
    std::uint32_t unit = 0;
    if (c != 'u' || !unit_at(at_, unit)) return false;
    at_ += 6;
    std::uint32_t low = 0;
    if (unit >= 0xD800 && unit < 0xDC00 && unit_at(at_, low) && low >= 0xDC00 && low < 0xE000) {
      at_ += 6;
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    } else if (unit >= 0xD800 && unit < 0xE000) {
      unit = 0xFFFD;  // no UTF-8 can hold a lone surrogate
    }
    append_utf8(out, unit);
    return true;
  }

  // The code unit of "\uXXXX" at `at`.
  bool unit_at(const char* at, std::uint32_t& unit) const noexcept {
    if (end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return false;
    auto parsed = std::from_chars(at + 2, at + 6, unit, 16);
    return parsed.ec == std::errc() && parsed.ptr == at + 6;
  }

  std::size_t digits() noexcept {
    const char* from = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return static_cast<std::size_t>(at_ - from);
  }

  bool number(Json& out) {
    const char* from = at_;
    if (*at_ == '-') ++at_;
    const bool zero = at_ != end_ && *at_ == '0';
    if (std::size_t count = digits(); count == 0 || (zero && count > 1)) return false;
    bool whole = true;
    if (at_ != end_ && *at_ == '.') {
      whole = false;
      ++at_;
      if (digits() == 0) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      whole = false;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (digits() == 0) return false;
    }
    return (whole && integer(from, out)) || real(from, out);
  }

  bool integer(const char* from, Json& out) {
    if (*from == '-') {
      std::int64_t number = 0;
      if (std::from_chars(from, at_, number).ec != std::errc()) return false;
      out = number;
    } else {
      std::uint64_t number = 0;
      if (std::from_chars(from, at_, number).ec != std::errc()) return false;
      out = number;
    }
    return true;
  }

  bool real(const char* from, Json& out) {
    double number = 0;
    if (std::from_chars(from, at_, number).ec != std::errc()) {
      // Too small is 0. In C's locale: in the program's a comma may be the point.
      static const locale_t c_locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
      number = ::strtod_l(std::string(from, at_).c_str(), nullptr, c_locale);
      if (!std::isfinite(number)) return false;
    }
    out = number;
    return true;
  }

  const char* at_;
  const char* end_;
  int max_nesting_;
  bool too_deep_ = false;
};

}  // namespace pronghorn::ipc
