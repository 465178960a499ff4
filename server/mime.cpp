// SPDX-License-Identifier: Apache-2.0
#include "server/mime.h"

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

}  // namespace

std::string_view content_type_of(std::string_view name) noexcept {
  constexpr std::string_view kUnknown = "application/octet-stream";
  name = name.substr(name.rfind('/') + 1);
  auto dot = name.rfind('.');
  if (dot == name.npos) return kUnknown;
  name.remove_prefix(dot + 1);
  if (name.empty() || name.size() > kLongest) return kUnknown;

  char lower[kLongest];
  auto end = std::ranges::transform(name, lower, [](char c) {
               return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
             }).out;
  std::string_view extension(lower, static_cast<std::size_t>(end - lower));
  auto found = std::ranges::lower_bound(kMimeTable, extension, {}, &MimeEntry::extension);
  return found != std::end(kMimeTable) && found->extension == extension ? found->type : kUnknown;
}

}  // namespace pronghorn::server
