// SPDX-License-Identifier: Apache-2.0
#include "server/accept.h"

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn::server {
namespace {

constexpr int kFull = 1000;

/// How much a type is wanted: by the most specific range that has it.
struct Weight {
  int specificity = 0;  // 0: in no range
  int q = 0;            // thousandths

  void consider(int specific, int weight) noexcept {
    if (specific < specificity) return;
    // Of equals, "application/json, application/problem+json;q=0": either form will do.
    q = specific == specificity ? std::max(q, weight) : weight;
    specificity = specific;
  }
};

std::string_view next_parameter(std::string_view& text) noexcept {
  auto at = text.find(';');
  auto part = trim_ows(text.substr(0, at));
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return part;
}

/// qvalue (RFC 9110 §12.4.2) in thousandths; what is none counts as not given.
int parse_q(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || text[0] < '0' || text[0] > '1') return kFull;
  if (text.size() > 1 && text[1] != '.') return kFull;
  int value = (text[0] - '0') * kFull;
  int unit = kFull;
  for (char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c < '0' || c > '9') return kFull;
    unit /= 10;
    value += (c - '0') * unit;
  }
  return std::min(value, kFull);
}

int q_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    auto parameter = next_parameter(parameters);
    if (parameter.size() > 2 && to_lower(parameter[0]) == 'q' && parameter[1] == '=') {
      return parse_q(parameter.substr(2));
    }
  }
  return kFull;
}

void consider(std::string_view range, Weight& html, Weight& json) noexcept {
  auto type = next_parameter(range);
  int q = q_of(range);
  if (iequals(type, "*/*")) {
    html.consider(1, q);
    json.consider(1, q);
  } else if (iequals(type, "text/*")) {
    html.consider(2, q);
  } else if (iequals(type, "application/*")) {
    json.consider(2, q);
  } else if (iequals(type, "text/html") || iequals(type, "application/xhtml+xml")) {
    html.consider(3, q);
  } else if (iequals(type, "application/json") || iequals(type, "application/problem+json")) {
    json.consider(3, q);
  }
}

}  // namespace

TextForm choose_text_form(std::span<const Field> headers) noexcept {
  Weight html, json;
  bool asked = false;
  for (const auto& [name, value] : headers) {
    if (!iequals(name, "accept")) continue;
    std::string_view list = value;
    while (!list.empty()) {
      auto range = next_element(list);
      asked = asked || !range.empty();
      if (!range.empty()) consider(range, html, json);
    }
  }
  if (!asked) return TextForm::html;
  if (json.q > html.q || (json.q > 0 && json.q == html.q && json.specificity > html.specificity)) {
    return TextForm::json;
  }
  return html.q > 0 ? TextForm::html : TextForm::plain;
}

}  // namespace pronghorn::server
