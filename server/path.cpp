// SPDX-License-Identifier: Apache-2.0
#include "server/path.h"

#include "server/syntax.h"

namespace pronghorn::server {
namespace {

// Appends one decoded segment; a slash in it can only come from %2f.
PathVerdict append_decoded(std::string& out, std::string_view segment) {
  auto verdict = PathVerdict::ok;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    char c = segment[i];
    if (c == '%') {
      if (segment.size() - i < 3) return PathVerdict::malformed;
      int high = hex_value(segment[i + 1]), low = hex_value(segment[i + 2]);
      if (high < 0 || low < 0) return PathVerdict::malformed;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return PathVerdict::malformed;
    if (c == '/') verdict = PathVerdict::hidden;
    out.push_back(c);
  }
  return verdict;
}

/// Whether there is nothing to decode, to leave out or to hide: most paths, read in one walk.
bool is_plain(std::string_view path) noexcept {
  char before = '\0';
  for (char c : path) {
    if (c == '%' || c == '\0' || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

bool has_hidden_segment(std::string_view relative) noexcept {
  constexpr std::string_view kWellKnown = ".well-known";
  if (relative.starts_with(kWellKnown) &&
      (relative.size() == kWellKnown.size() || relative[kWellKnown.size()] == '/')) {
    relative.remove_prefix(kWellKnown.size());
  }
  return relative.starts_with('.') || relative.find("/.") != relative.npos;
}

bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void append_encoded(std::string& out, std::string_view text, std::string_view plain) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (char c : text) {
    if (is_unreserved(c) || plain.find(c) != plain.npos) {
      out.push_back(c);
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
}

}  // namespace

PathVerdict normalise_path(std::string_view encoded, std::string& relative, bool& is_directory) {
  relative.clear();
  is_directory = true;
  if (!encoded.starts_with('/')) return PathVerdict::malformed;
  if (is_plain(encoded)) {
    encoded.remove_prefix(1);
    is_directory = encoded.empty() || encoded.back() == '/';
    if (encoded.ends_with('/')) encoded.remove_suffix(1);
    relative.assign(encoded);
    return PathVerdict::ok;
  }
  auto verdict = PathVerdict::ok;
  while (!encoded.empty()) {
    encoded.remove_prefix(1);
    std::string_view segment = encoded.substr(0, encoded.find('/'));
    encoded.remove_prefix(segment.size());

    std::size_t before = relative.size();
    if (before > 0) relative.push_back('/');
    std::size_t start = relative.size();
    auto decoded = append_decoded(relative, segment);
    if (decoded == PathVerdict::malformed) return decoded;
    if (decoded == PathVerdict::hidden) verdict = decoded;

    std::string_view name = std::string_view(relative).substr(start);
    is_directory = name.empty() || name == "." || name == "..";
    if (!is_directory) continue;
    bool is_parent = name == "..";
    relative.resize(before);
    if (!is_parent) continue;
    if (before == 0) return PathVerdict::malformed;
    auto slash = relative.rfind('/');
    relative.resize(slash == std::string::npos ? 0 : slash);
  }
  return verdict == PathVerdict::ok && has_hidden_segment(relative) ? PathVerdict::hidden : verdict;
}

void append_encoded_path(std::string& out, std::string_view path) {
  append_encoded(out, path, "/-._~!$&'()*+,;=@");
}

void append_encoded_query(std::string& out, std::string_view query) {
  append_encoded(out, query, "/-._~!$&'()*+,;=@?:%");
}

}  // namespace pronghorn::server
