// SPDX-License-Identifier: Apache-2.0
#include "ipc/json_text.h"

#include <nlohmann/json.hpp>

#include <cctype>
#include <optional>

namespace pronghorn::ipc {
namespace {

using nlohmann::json;

// The code unit of "\uXXXX" at `at`, if one is there.
std::optional<unsigned> escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (char c : text.substr(at + 2, 4)) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    unit = unit * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return unit;
}

bool is_high(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// One pass before nlohmann: it limits the depth, and finds the escapes that nlohmann refuses.
class Survey {
 public:
  explicit Survey(std::string_view text) : text_(text) {}

  bool is_too_deep() {
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (in_string_) {
        if (c == '"') in_string_ = false;
        if (c == '\\') escape();
        continue;
      }
      if (c == '"') in_string_ = true;
      if (c == '[' || c == '{') ++depth_;
      if (c == ']' || c == '}') --depth_;
      if (depth_ > kMaxNesting) return true;
    }
    return false;
  }
  /// The text without lone surrogates, when it had any.
  const std::optional<std::string>& mended() const { return mended_; }

 private:
  void escape() {
    auto unit = escaped_unit(text_, at_ - 1);
    if (!unit) {
      ++at_;  // \" or \\ and the like: one character
      return;
    }
    std::size_t digits = at_ + 1;
    at_ += 5;
    if (!is_high(*unit) && !is_low(*unit)) return;
    auto partner = is_high(*unit) ? escaped_unit(text_, at_) : std::nullopt;
    if (partner && is_low(*partner)) {
      at_ += 6;
      return;
    }
    if (!mended_) mended_ = std::string(text_);
    mended_->replace(digits, 4, "fffd");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  long depth_ = 0;
  bool in_string_ = false;
  std::optional<std::string> mended_;
};

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

// Why `value` cannot be dumped; recursion ends at the limit.
std::optional<Error> refusal(const json& value, int room) {
  if (value.is_discarded()) {
    return Error(Errc::invalid_arg_value, "a discarded JSON value cannot be sent");
  }
  if (!value.is_structured()) return std::nullopt;
  if (room == 0) return too_deep();
  for (const json& element : value) {
    if (!element.is_structured() && !element.is_discarded()) continue;
    if (auto error = refusal(element, room - 1)) return error;
  }
  return std::nullopt;
}

}  // namespace

Result<json> parse_json(std::string_view text) {
  Survey survey(text);
  if (survey.is_too_deep()) return std::unexpected(too_deep());
  if (survey.mended()) text = *survey.mended();
  json value = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return std::unexpected(Error("not JSON: '" + excerpt(text) + "'"));
  return value;
}

Result<std::string> dump_json(const json& value) {
  if (auto error = refusal(value, kMaxNesting)) return std::unexpected(std::move(*error));
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::shared_ptr<const json> copy_json(const json& value) {
  return std::make_shared<const json>(value);
}

std::string quote_json(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace pronghorn::ipc
