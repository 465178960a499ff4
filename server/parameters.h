// SPDX-License-Identifier: Apache-2.0
// Field values with parameters: `form-data; name="a"; filename="b.txt"` (RFC 9110 §5.6.6).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

struct Parameter {
  std::string name;   ///< in lower case
  std::string value;  ///< without its quotes
};

struct ParameterizedValue {
  std::string value;  ///< before the first ';', in lower case
  std::vector<Parameter> parameters;
  /// Null when there is none of that (lower-case) name.
  const std::string* find(std::string_view name) const noexcept;
};

/// How `\` in a quoted string is read.
enum class Backslash : unsigned char {
  escapes_any,    ///< quoted-pair, as the grammar has it
  escapes_quote,  ///< before '"' and '\' only: browsers send `filename="C:\x.txt"` as it is
};

/// Empty when it breaks the grammar: no value, a parameter without '=', an open quote, one name
/// twice, over 16 parameters.
std::optional<ParameterizedValue> parse_parameters(std::string_view text,
                                                   Backslash backslash = Backslash::escapes_any);

/// The charset'language'text of RFC 8187, with its text decoded; empty unless it is UTF-8.
std::optional<std::string> decode_extended(std::string_view text);

/// Whether `content_type` is `type` (lower case, without parameters).
bool is_media_type(std::string_view content_type, std::string_view type) noexcept;

}  // namespace pronghorn::server
