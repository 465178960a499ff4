// SPDX-License-Identifier: Apache-2.0
#include "ipc/json_text.h"

#include "ipc/json_reader.h"
#include "ipc/json_writer.h"

#include <cctype>

namespace pronghorn::ipc {
namespace {

using nlohmann::json;

// The beginning of a line that is no JSON, fit to be shown.
std::string excerpt(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 40)) {
    out += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
  }
  return text.size() > 40 ? out + "..." : out;
}

Error too_deep() {
  return {Errc::invalid_arg_value, "JSON nested deeper than " + std::to_string(kMaxNesting)};
}

// "line 2, column 5: "
std::string place(std::string_view before) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (char c : before) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {  // not inside a character
      ++column;
    }
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": ";
}

std::string unexpected(std::string_view rest) {
  if (rest.empty()) return "unexpected end";
  const auto byte = static_cast<unsigned char>(rest.front());
  if (std::isprint(byte) != 0) return std::string("unexpected '") + rest.front() + "'";
  constexpr std::string_view digits = "0123456789abcdef";
  return std::string("unexpected byte 0x") + digits[byte >> 4] + digits[byte & 15];
}

}  // namespace

Result<json> parse_json(std::string_view text) {
  Result<json> value;
  JsonReader reader(text, kMaxNesting);
  if (reader.read(*value)) return value;
  if (reader.is_too_deep()) return std::unexpected(too_deep());
  return std::unexpected(Error("not JSON: '" + excerpt(text) + "'"));
}

Result<json> parse_json_document(std::string_view text) {
  Result<json> value;
  JsonReader reader(text, kMaxNesting);
  if (reader.read(*value)) return value;
  const auto at = static_cast<std::size_t>(reader.position() - text.data());
  std::string why = reader.is_too_deep() ? "nested deeper than " + std::to_string(kMaxNesting)
                                         : unexpected(text.substr(at));
  return std::unexpected(Error(place(text.substr(0, at)) + why));
}

Result<std::string> dump_json(const json& value) {
  JsonWriter writer(kMaxNesting);
  if (writer.write(value)) return writer.take();
  if (writer.is_too_deep()) return std::unexpected(too_deep());
  return std::unexpected(Error(Errc::invalid_arg_value, "a discarded JSON value cannot be sent"));
}

std::shared_ptr<const json> copy_json(const json& value) {
  return std::make_shared<const json>(value);
}

std::string quote_json(std::string_view text) {
  std::string out;
  write_json_string(out, text);
  return out;
}

}  // namespace pronghorn::ipc
