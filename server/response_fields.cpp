// SPDX-License-Identifier: Apache-2.0
#include "server/response_fields.h"

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn::server {
namespace {

bool has_element(std::string_view list, std::string_view wanted) noexcept {
  while (!list.empty()) {
    if (iequals(next_element(list), wanted)) return true;
  }
  return false;
}

}  // namespace

bool has_field(const Response& response, std::string_view name) noexcept {
  return std::ranges::any_of(response.headers(),
                             [&](const auto& header) { return iequals(header.name, name); });
}

std::string_view field(const Response& response, std::string_view name) noexcept {
  for (const auto& header : response.headers()) {
    if (iequals(header.name, name)) return header.value;
  }
  return {};
}

bool lists(const Response& response, std::string_view name, std::string_view element) noexcept {
  return std::ranges::any_of(response.headers(), [&](const auto& header) {
    return iequals(header.name, name) && has_element(header.value, element);
  });
}

}  // namespace pronghorn::server
