// SPDX-License-Identifier: Apache-2.0
// A Json as text, without white space: the value that nlohmann's dump() writes, though some numbers
// in another form (1e+05). For json_text.cpp; why it is ours:
// docs/decisions/0010-json-of-our-own.md.
#pragma once

#include "ipc/json_scan.h"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

inline void write_json_string(std::string& out, std::string_view text) {
  out += '"';
  const char* at = text.data();
  const char* end = at + text.size();
  for (;;) {
    const char* run = at;
    at = skip_plain(at, end);
    out.append(run, at);
    if (at == end) break;
    constexpr std::string_view named = "\"\\\b\f\n\r\t";
    constexpr std::string_view names = "\"\\bfnrt";
    if (auto index = named.find(*at); index != std::string_view::npos) {
      out += '\\';
      out += names[index];
    } else if (static_cast<unsigned char>(*at) < ' ') {
      constexpr std::string_view hex = "0123456789abcdef";
      out += "\\u00";
      out += hex[static_cast<std::size_t>(*at) >> 4];
      out += hex[static_cast<std::size_t>(*at) & 15];
    } else {
      append_utf8(out, 0xFFFD);
    }
    ++at;
  }
  out += '"';
}

class JsonWriter {
 public:
  using Json = nlohmann::json;

  explicit JsonWriter(int max_nesting) : max_nesting_(max_nesting) {}

  /// @returns false when `value` is_too_deep(), or holds one that is none (discarded)
  bool write(const Json& value) { return write(value, max_nesting_); }
  bool is_too_deep() const noexcept { return too_deep_; }
  std::string take() noexcept { return std::move(out_); }

 private:
  bool write(const Json& value, int room) {
    switch (value.type()) {
      case Json::value_t::null:
        out_ += "null";
        return true;
      case Json::value_t::boolean:
        out_ += value.get_ref<const bool&>() ? "true" : "false";
        return true;
      case Json::value_t::string:
        write_json_string(out_, value.get_ref<const std::string&>());
        return true;
      case Json::value_t::number_integer:
        return number(value.get_ref<const Json::number_integer_t&>());
      case Json::value_t::number_unsigned:
        return number(value.get_ref<const Json::number_unsigned_t&>());
      case Json::value_t::number_float:
        return real(value.get_ref<const double&>());
      case Json::value_t::object:
      case Json::value_t::array:
        too_deep_ = room == 0;
        if (too_deep_) return false;
        return value.is_object() ? object(value, room - 1) : array(value, room - 1);
      case Json::value_t::binary:
        out_ += value.dump();
        return true;
      case Json::value_t::discarded:
        return false;
    }
    return false;
  }

  bool object(const Json& value, int room) {
    char before = '{';
    for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
      out_ += before;
      before = ',';
      write_json_string(out_, name);
      out_ += ':';
      if (!write(member, room)) return false;
    }
    out_ += before == '{' ? "{}" : "}";
    return true;
  }

  bool array(const Json& value, int room) {
    char before = '[';
    for (const Json& element : value.get_ref<const Json::array_t&>()) {
      out_ += before;
      before = ',';
      if (!write(element, room)) return false;
    }
    out_ += before == '[' ? "[]" : "]";
    return true;
  }

  template <class Number>
  bool number(Number value) {
    std::array<char, 32> digits{};
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.append(digits.data(), end);
    return true;
  }

  // A whole one keeps its ".0", so that it is no integer at the other end.
  bool real(double value) {
    if (!std::isfinite(value)) {
      out_ += "null";
      return true;
    }
    const std::size_t from = out_.size();
    number(value);
    if (out_.find_first_of(".e", from) == std::string::npos) out_ += ".0";
    return true;
  }

  std::string out_;
  int max_nesting_;
  bool too_deep_ = false;
};

}  // namespace pronghorn::ipc
