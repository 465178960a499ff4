// SPDX-License-Identifier: Apache-2.0
#include "config/site_text.h"

#include "config/suggest.h"
#include "config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pronghorn::config {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035 §3.1, as text

std::unexpected<Complaint> bad(std::string message, std::string suggestion = {}) {
  return std::unexpected(Complaint{"bad-value", std::move(message), std::move(suggestion)});
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// RFC 9110 §5.6.2
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

/// RFC 3986 §2, without the fragment's '#'.
bool is_uri_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || std::string_view("-._~:/?[]@!$&'()*+,;=%").contains(c);
  });
}

/// True when a segment is empty (the last apart), "." or "..".
bool has_odd_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = path.find('/');
    const std::string_view segment = path.substr(0, end);
    if (segment == "." || segment == ".." || (segment.empty() && end != path.npos)) return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

/// Nothing, or a '*' that is no last segment of its own.
bool has_stray_star(std::string_view text) {
  const auto star = text.find('*');
  return star != text.npos && (star + 1 != text.size() || star == 0 || text[star - 1] != '/');
}

}  // namespace

Checked<void> check_match(std::string_view text) {
  if (text.starts_with('/') || (text.starts_with('*') && !text.contains('/'))) return {};
  if (text.contains('/')) return check_media_type(text);
  const std::string guess =
      text.starts_with('.') && text.size() > 1 ? fmt::format("*{}", text) : std::string();
  return bad(fmt::format("{} is no path (\"/a/*\"), end of a name (\"*.css\") or media type "
                         "(\"text/*\")",
                         toml_quoted(text)),
             guess);
}

Checked<void> check_media_type(std::string_view text) {
  const auto slash = text.find('/');
  if (slash != text.npos && is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1))) {
    return {};
  }
  return bad(
      fmt::format("{} is no media type such as \"text/css\" or \"image/*\"", toml_quoted(text)));
}

Checked<void> check_field_name(std::string_view name) {
  if (!is_token(name)) return bad(fmt::format("{} is no name of a field", toml_quoted(name)));
  // They say how the bytes travel, and what they are: a rule would make the answer unreadable.
  constexpr std::array<std::string_view, 11> kOwn = {"connection",
                                                     "content-encoding",
                                                     "content-length",
                                                     "content-range",
                                                     "date",
                                                     "keep-alive",
                                                     "location",
                                                     "trailer",
                                                     "transfer-encoding",
                                                     "upgrade",
                                                     "x-content-type-options"};
  if (std::ranges::find(kOwn, std::string_view(lower(name))) == kOwn.end()) return {};
  return bad(fmt::format("the field {} is the server's own", toml_quoted(name)));
}

Checked<void> check_field_value(std::string_view value) {
  const bool has_control = std::ranges::any_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
  if (has_control) return bad("the value of a field has no control characters, such as line ends");
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!value.empty() && (is_blank(value.front()) || is_blank(value.back()))) {
    return bad("the value of a field begins and ends without white space");
  }
  return {};
}

Checked<void> check_site_file(std::string_view path) {
  if (path.starts_with('/')) {
    return bad(
        fmt::format("{} must be below the root, without '/' at its beginning", toml_quoted(path)),
        std::string(path.substr(std::min(path.find_first_not_of('/'), path.size()))));
  }
  const std::string rooted = fmt::format("/{}", path);
  if (path.empty() || path.ends_with('/') || has_odd_segment(rooted)) {
    return bad(fmt::format("{} is no file below the root", toml_quoted(path)));
  }
  if (rooted.contains("/.")) {
    return bad(
        fmt::format("{} begins with a dot, and such files are never served", toml_quoted(path)));
  }
  return {};
}

Checked<void> check_redirect_from(std::string_view from) {
  if (!from.starts_with('/')) {
    return bad(fmt::format("{} must begin with '/'", toml_quoted(from)), fmt::format("/{}", from));
  }
  if (from.find_first_of("?#") != from.npos) {
    return bad(
        fmt::format("{} is compared with paths, which have no '?' and no '#'", toml_quoted(from)));
  }
  if (has_odd_segment(from)) {
    return bad(
        fmt::format("{} is never a path: empty and dot segments are taken out of those "
                    "that are asked for",
                    toml_quoted(from)));
  }
  if (has_stray_star(from)) {
    return bad(fmt::format("{} has a '*' elsewhere than in \"/…/*\"", toml_quoted(from)));
  }
  return {};
}

Checked<void> check_redirect_to(std::string_view to, std::string_view from) {
  const bool is_url = to.starts_with("http://") || to.starts_with("https://");
  const std::string_view path = is_url ? to.substr(to.find("://") + 3) : to;
  const bool has_place = is_url ? !path.empty() && !path.starts_with('/') && !path.starts_with('*')
                                : to.starts_with('/') && !to.starts_with("//");
  if (!has_place) {
    return bad(fmt::format("{} must be a path that begins with one '/', or an http or https URL",
                           toml_quoted(to)));
  }
  if (!is_uri_text(to)) {
    return bad(fmt::format("{} has characters that are written %XX in a URL", toml_quoted(to)));
  }
  if (has_stray_star(to)) {
    return bad(fmt::format("{} has a '*' elsewhere than in \"/…/*\"", toml_quoted(to)));
  }
  if (to.ends_with('*') && to.contains('?')) {
    return bad(fmt::format("{} has a '*' in its query", toml_quoted(to)));
  }
  if (to.ends_with('*') && !from.ends_with('*')) {
    return bad(
        fmt::format("{} has a '*', and 'from' has none that it could stand for", toml_quoted(to)));
  }
  const bool leads_back =
      from.ends_with('*') ? to.starts_with(from.substr(0, from.size() - 1)) : to == from;
  if (leads_back) {
    return bad(fmt::format("{} is redirected to itself: 'from' fits it too", toml_quoted(to)));
  }
  return {};
}

Checked<std::string> host_name(std::string_view text) {
  std::string name = lower(text);
  if (const auto scheme = name.find("://"); scheme != name.npos) {
    const std::string rest = name.substr(scheme + 3);
    return bad(fmt::format("{} is a URL, and the name of a host is wanted", toml_quoted(text)),
               rest.substr(0, rest.find_first_of(":/")));
  }
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  if (name.starts_with('[') && name.ends_with(']') && name.size() > 2) return name;
  const std::string_view labels = std::string_view(name).substr(name.starts_with("*.") ? 2 : 0);
  if (const auto colon = labels.find(':'); colon != labels.npos) {
    return bad(fmt::format("the name {} has no port: it is for every listener", toml_quoted(text)),
               name.substr(0, name.find(':')));
  }
  const bool good = !labels.empty() && name.size() <= kLongestName && !labels.starts_with('.') &&
                    !labels.contains("..") && std::ranges::all_of(labels, [](char c) {
                      return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
                    });
  if (good) return name;
  return bad(
      fmt::format("{} is no name such as \"example.org\" or \"*.example.org\"", toml_quoted(text)));
}

}  // namespace pronghorn::config
