// SPDX-License-Identifier: Apache-2.0
// The [types] section: content types by extension, whose names are the user's.
#include "config/apply.h"
#include "config/complaint.h"
#include "config/suggest.h"
#include "config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace pronghorn::config {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// What the built-in table has as extensions; case is folded before.
bool is_extension(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '+' || c == '-';
  });
}

constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";

/// token (RFC 9110 §5.6.2)
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || kOthers.find(c) != kOthers.npos;
  });
}

/// type "/" subtype, and what stands after a semicolon as long as it can stand in a field.
bool is_media_type(std::string_view text) {
  const auto semicolon = text.find(';');
  std::string_view essence = text.substr(0, semicolon);
  while (semicolon != text.npos && essence.ends_with(' ')) essence.remove_suffix(1);
  const auto slash = essence.find('/');
  return slash != essence.npos && is_token(essence.substr(0, slash)) &&
         is_token(essence.substr(slash + 1)) &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void report(Outcome& outcome, const Span& span, const Complaint& complaint) {
  outcome.problems.push_back(outcome.document.at(span, complaint));
}

void apply_type(Outcome& outcome, const Member& member, Node value,
                const Environment& environment) {
  const std::string subject = fmt::format("'types.{}'", member.key);
  if (!is_extension(member.key)) {
    const bool has_dot = member.key.starts_with('.') && is_extension(member.key.substr(1));
    return report(outcome, member.span,
                  {"bad-value",
                   fmt::format("{} is no extension: letters, digits, '_', '+' and '-', without the "
                               "dot",
                               subject),
                   has_dot ? member.key.substr(1) : std::string()});
  }
  if (value.kind != Node::Kind::text) {
    return report(outcome, value.span,
                  {"wrong-type",
                   fmt::format("{} must be text in quotes, not {}", subject,
                               value.text.empty() ? "a table" : value.text),
                   {}});
  }
  if (!substitute_node(outcome, value, environment)) return;
  if (!is_media_type(value.text)) {
    return report(outcome, value.span,
                  {"bad-value",
                   fmt::format("{} must be a content type such as \"text/plain; charset=utf-8\", "
                               "not {}",
                               subject, toml_quoted(value.text)),
                   {}});
  }
  const std::string extension = lower(member.key);
  if (!outcome.config.types.emplace(extension, value.text).second) {
    return report(
        outcome, member.span,
        {"duplicate-key", fmt::format("{} is here in another case already", subject), {}});
  }
  outcome.origins["types." + extension] = {
      .kind = Origin::Kind::file, .name = outcome.file, .span = value.span, .items = {}};
}

}  // namespace

void apply_types(Outcome& outcome, const Node& types, const Environment& environment) {
  if (types.kind != Node::Kind::table) {
    return report(outcome, types.span, {"wrong-type", "'types' is a section: [types]", {}});
  }
  for (const Member& member : types.members) {
    apply_type(outcome, member, member.value, environment);
  }
}

}  // namespace pronghorn::config
