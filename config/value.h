// SPDX-License-Identifier: Apache-2.0
// Values of keys: from text (a file's string, an environment variable, an option) and back to TOML.
#pragma once

#include "config/complaint.h"
#include "config/schema.h"

#include <string>
#include <string_view>

namespace pronghorn::config {

/// @param subject  what the message calls the value: "'workers'", "PRONGHORN_WORKERS", "--workers"
Checked<Value> value_from_text(const Key& key, std::string_view text, std::string_view subject);
/// For keys of type count.
Checked<Value> value_from_number(const Key& key, std::int64_t number, std::string_view subject);
/// "'drain_timeout' must be a duration such as "30s" or "2m", not 30"
Complaint wrong_type(const Key& key, std::string_view shown, std::string_view subject);

/// One element of a list; appends to it.
Checked<void> append_element(const Key& key, Value& list, std::string_view text,
                             std::string_view subject);
/// The list that append_element begins with.
Value empty_list(const Key& key);
bool is_list(const Key& key);

/// As the file writes it: `"1MiB"`, `4`, `["a", "b"]`; "${" escaped as "$${".
std::string value_to_toml(const Key& key, const Value& value);
/// A quoted string in which "${" is written "$${", so that reading the file gives the same text
/// again.
std::string literal(std::string_view text);

}  // namespace pronghorn::config
