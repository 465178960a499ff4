// SPDX-License-Identifier: Apache-2.0
// Content types by file name. The table is made from Debian's media-types when building; a
// configuration may add to it. What a name gives is not cached here: the files' cache keeps it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pronghorn::server {

/// Content type of a name by what follows its last dot, any case: "a/index.HTML" is
/// "text/html; charset=utf-8". "application/octet-stream" for an unknown extension or none:
/// contents are never looked at (the answers say nosniff as well).
std::string_view content_type_of(std::string_view name) noexcept;

class MimeTypes {
 public:
  /// Types by extension, in lower case and without the dot, which count before the table's.
  using Own = std::map<std::string, std::string, std::less<>>;

  MimeTypes() = default;
  explicit MimeTypes(Own own) : own_(std::move(own)) {}
  /// The view lives as long as this.
  std::string_view type_of(std::string_view name) const;

 private:
  Own own_;
};

}  // namespace pronghorn::server
