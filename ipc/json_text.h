// SPDX-License-Identifier: Apache-2.0
// JSON text as it travels: parse and dump that never throw and never exhaust the stack.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/json_fwd.h>

#include <memory>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

/// Nesting beyond this is refused both ways; nlohmann recurses once per level when it dumps.
inline constexpr int kMaxNesting = 512;

/// One JSON text. Everything that JSON.stringify emits is accepted; a lone surrogate ("\ud800"),
/// which no UTF-8 string can hold, becomes U+FFFD.
/// @errors no JSON, not UTF-8, nesting over 512
Result<Json> parse_json(std::string_view text);

/// As parse_json, for texts that people write: the error says where and what, such as `line 2,
/// column 5: unexpected '}'`. Lines and columns count from 1, columns in characters.
Result<Json> parse_json_document(std::string_view text);

/// One line of JSON without its line feed. Each byte that is not UTF-8 becomes U+FFFD; NaN and
/// infinities null.
/// @errors nesting over 512; a value that is none (discarded)
Result<std::string> dump_json(const Json& value);

/// A copy, for those who do not know what a Json is made of.
std::shared_ptr<const Json> copy_json(const Json& value);

/// `text` as a JSON string, quotes included.
std::string quote_json(std::string_view text);

}  // namespace pronghorn::ipc
