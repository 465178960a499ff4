// SPDX-License-Identifier: Apache-2.0
#include "server/match.h"

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn::server {
namespace {

template <class Same>
bool fits_by(std::string_view pattern, std::string_view text, Same same) noexcept {
  std::size_t p = 0, t = 0;
  std::size_t star = pattern.npos, after = 0;  // the last '*', and what it stands for so far
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && same(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) noexcept {
  return fits_by(pattern, text, [](char a, char b) { return a == b; });
}

bool type_fits(std::string_view pattern, std::string_view type) noexcept {
  return fits_by(pattern, type, [](char a, char b) { return to_lower(a) == to_lower(b); });
}

std::string_view media_type(std::string_view content_type) noexcept {
  return trim_ows(content_type.substr(0, content_type.find(';')));
}

Match::Match(const std::vector<std::string>& elements) {
  for (const std::string& element : elements) {
    (element.starts_with('/')            ? paths_
     : element.find('/') == element.npos ? names_
                                         : types_)
        .push_back(element);
  }
}

bool Match::has(const Subject& subject) const noexcept {
  if (paths_.empty() && names_.empty() && types_.empty()) return true;
  auto name = subject.path.substr(subject.path.rfind('/') + 1);
  auto type = media_type(subject.type);
  return std::ranges::any_of(paths_, [&](const auto& p) { return fits(p, subject.path); }) ||
         std::ranges::any_of(names_, [&](const auto& p) { return fits(p, name); }) ||
         std::ranges::any_of(types_, [&](const auto& p) { return type_fits(p, type); });
}

}  // namespace pronghorn::server
