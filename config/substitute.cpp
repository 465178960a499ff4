// SPDX-License-Identifier: Apache-2.0
#include "config/substitute.h"

#include "config/suggest.h"

#include <fmt/format.h>

namespace pronghorn::config {
namespace {

constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

std::unexpected<Complaint> complain(std::string_view code, std::string message) {
  return std::unexpected(Complaint{std::string(code), std::move(message), {}});
}

std::string closest_variable(std::string_view name, const Environment& environment) {
  std::vector<std::string_view> names;
  for (const auto& [variable, value] : environment) names.push_back(variable);
  const std::string_view found = closest(name, names);
  return found.empty() ? std::string() : fmt::format("${{{}}}", found);
}

Checked<std::string> expand(std::string_view inside, const Environment& environment) {
  const auto name_end = inside.find_first_not_of(kNameCharacters);
  const std::string_view name = inside.substr(0, name_end);
  const std::string_view rest =
      name_end == std::string_view::npos ? std::string_view() : inside.substr(name_end);
  const bool starts_with_digit = !name.empty() && name[0] >= '0' && name[0] <= '9';
  const bool known_form = rest.empty() || rest.starts_with(":-") || rest.starts_with(":?");
  if (name.empty() || starts_with_digit || !known_form) {
    return complain(
        "bad-variable",
        fmt::format("'${{{}}}' is not ${{VAR}}, ${{VAR:-default}} or ${{VAR:?message}}; "
                    "a literal ${{ is written $${{",
                    inside));
  }
  const std::string* value = find_variable(environment, name);
  if (value != nullptr && (rest.empty() || !value->empty())) return *value;
  if (rest.starts_with(":-")) return std::string(rest.substr(2));
  if (rest.starts_with(":?")) {
    const std::string_view why = rest.substr(2);
    return complain("undefined-variable",
                    fmt::format("variable '{}' is {}: {}", name, value ? "empty" : "not set",
                                why.empty() ? "it is needed here" : why));
  }
  return std::unexpected(
      Complaint{"undefined-variable",
                fmt::format("variable '{}' is not set; with a default: ${{{}:-text}}", name, name),
                closest_variable(name, environment)});
}

}  // namespace

const std::string* find_variable(const Environment& environment, std::string_view name) {
  for (const auto& [variable, value] : environment) {
    if (variable == name) return &value;
  }
  return nullptr;
}

Checked<Substituted> substitute(std::string_view text, const Environment& environment) {
  Substituted result;
  while (!text.empty()) {
    if (text.starts_with("$${")) {
      result.text += "${";
      text.remove_prefix(3);
      continue;
    }
    if (!text.starts_with("${")) {
      result.text += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto end = text.find('}');
    if (end == std::string_view::npos) {
      return complain("bad-variable", "'${' without its '}'; a literal ${ is written $${");
    }
    auto value = expand(text.substr(2, end - 2), environment);
    if (!value) return std::unexpected(value.error());
    result.text += *value;
    result.changed = true;
    text.remove_prefix(end + 1);
  }
  return result;
}

}  // namespace pronghorn::config
