// SPDX-License-Identifier: Apache-2.0
#include "server/mime.h"

#include "server/syntax.h"

#include <algorithm>
#include <iterator>

namespace pronghorn::server {
namespace {

struct MimeEntry {
  std::string_view extension, type;
};

constexpr MimeEntry kMimeTable[] = {
#include "server/mime_table.inc"
};
static_assert(std::ranges::is_sorted(kMimeTable, {}, &MimeEntry::extension));

constexpr std::size_t kLongest = std::ranges::max(kMimeTable, {}, [](const MimeEntry& e) {
                                   return e.extension.size();
                                 }).extension.size();

constexpr std::string_view kUnknown = "application/octet-stream";

/// What follows the last dot of a path's last name; empty when there is none.
std::string_view extension_of(std::string_view name) noexcept {
  name = name.substr(name.rfind('/') + 1);
  auto dot = name.rfind('.');
  return dot == name.npos ? std::string_view() : name.substr(dot + 1);
}

std::string_view find_in_table(std::string_view extension) noexcept {
  if (extension.empty() || extension.size() > kLongest) return kUnknown;
  char lower[kLongest];
  auto end = std::ranges::transform(extension, lower, to_lower).out;
  extension = {lower, static_cast<std::size_t>(end - lower)};
  auto found = std::ranges::lower_bound(kMimeTable, extension, {}, &MimeEntry::extension);
  return found != std::end(kMimeTable) && found->extension == extension ? found->type : kUnknown;
}

}  // namespace

std::string_view content_type_of(std::string_view name) noexcept {
  return find_in_table(extension_of(name));
}

std::string_view MimeTypes::type_of(std::string_view name) const {
  std::string_view extension = extension_of(name);
  if (!own_.empty() && !extension.empty()) {
    std::string lower(extension.size(), '\0');
    std::ranges::transform(extension, lower.begin(), to_lower);
    if (auto found = own_.find(lower); found != own_.end()) return found->second;
  }
  return find_in_table(extension);
}

}  // namespace pronghorn::server
