// SPDX-License-Identifier: Apache-2.0
// Whether a rule of the configuration is for an answer. Pure; used by Site.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

/// Whether `text` fits `pattern`, in which '*' stands for any bytes, none and '/' included.
/// Takes time in proportion to the product of their lengths at most.
bool fits(std::string_view pattern, std::string_view text) noexcept;

/// What an answer is about.
struct Subject {
  std::string_view path;  ///< decoded and normalised: "/a b/c.css"
  std::string_view type;  ///< Content-Type, parameters and all
};

/// A configured `match` (config/site.h), sorted by what each element is compared with.
class Match {
 public:
  explicit Match(const std::vector<std::string>& elements);
  bool has(const Subject& subject) const noexcept;

 private:
  std::vector<std::string> paths_, names_, types_;
};

/// "text/html" of "Text/HTML; charset=utf-8", in any case.
std::string_view media_type(std::string_view content_type) noexcept;
/// fits() without regard to case.
bool type_fits(std::string_view pattern, std::string_view type) noexcept;

}  // namespace pronghorn::server
