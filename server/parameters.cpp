// SPDX-License-Identifier: Apache-2.0
#include "server/parameters.h"

#include "base/utf8.h"
#include "server/percent.h"
#include "server/syntax.h"

#include <algorithm>

namespace pronghorn::server {
namespace {

constexpr std::size_t kMostParameters = 16;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

/// Takes a quoted string off the front of `text`, which begins after its first quote.
bool take_quoted(std::string_view& text, std::string& value, Backslash backslash) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (c == '\\' && i + 1 < text.size() &&
        (backslash == Backslash::escapes_any || text[i + 1] == '"' || text[i + 1] == '\\')) {
      c = text[++i];
    }
    value.push_back(c);
  }
  return false;
}

bool take_parameter(std::string_view& text, Parameter& out, Backslash backslash) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || !is_token(text.substr(0, equals))) return false;
  out.name = lower(text.substr(0, equals));
  text.remove_prefix(equals + 1);
  if (text.starts_with('"')) {
    text.remove_prefix(1);
    return take_quoted(text, out.value, backslash);
  }
  std::size_t size = 0;
  while (size < text.size() && is_class(text[size], kToken)) ++size;
  out.value = text.substr(0, size);
  text.remove_prefix(size);
  return size > 0;
}

}  // namespace

const std::string* ParameterizedValue::find(std::string_view name) const noexcept {
  for (const Parameter& parameter : parameters) {
    if (parameter.name == name) return &parameter.value;
  }
  return nullptr;
}

std::optional<ParameterizedValue> parse_parameters(std::string_view text, Backslash backslash) {
  ParameterizedValue out;
  text = trim_ows(text);
  const std::string_view value = trim_ows(text.substr(0, text.find(';')));
  if (value.empty()) return std::nullopt;
  out.value = lower(value);
  text.remove_prefix(std::min(text.find(';'), text.size()));
  // *( OWS ";" OWS [ parameter ] ): a lone ';' is allowed.
  while (!(text = trim_ows(text)).empty()) {
    if (text.front() != ';') return std::nullopt;
    text.remove_prefix(1);
    text = trim_ows(text);
    if (text.empty() || text.front() == ';') continue;
    Parameter parameter;
    if (out.parameters.size() == kMostParameters || !take_parameter(text, parameter, backslash) ||
        out.find(parameter.name) != nullptr) {
      return std::nullopt;
    }
    out.parameters.push_back(std::move(parameter));
  }
  return out;
}

std::optional<std::string> decode_extended(std::string_view text) {
  const auto language = text.find('\'');
  if (language == std::string_view::npos || !iequals(text.substr(0, language), "utf-8")) return {};
  const auto value = text.find('\'', language + 1);
  std::string out;
  if (value == std::string_view::npos ||
      !append_percent_decoded(out, text.substr(value + 1), false) || !is_utf8(out)) {
    return {};
  }
  return out;
}

bool is_media_type(std::string_view content_type, std::string_view type) noexcept {
  return iequals(trim_ows(content_type.substr(0, content_type.find(';'))), type);
}

}  // namespace pronghorn::server
