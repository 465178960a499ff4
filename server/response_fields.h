// SPDX-License-Identifier: Apache-2.0
// What a response's fields say.
#pragma once

#include <pronghorn/server/response.h>

#include <string_view>

namespace pronghorn::server {

bool has_field(const Response& response, std::string_view name) noexcept;
/// The first of that name; empty when there is none.
std::string_view field(const Response& response, std::string_view name) noexcept;
/// Whether the element, in any case, is in the list that all fields of that name are.
bool lists(const Response& response, std::string_view name, std::string_view element) noexcept;

}  // namespace pronghorn::server
