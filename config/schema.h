// SPDX-License-Identifier: Apache-2.0
// The one table of keys: the parser, `check`, the defaults, the printed configuration and
// docs/reference/configuration.md are all made from it, so they cannot disagree.
#pragma once

#include <pronghorn/config/config.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pronghorn::config {

using Value = std::variant<bool, std::uint64_t, std::chrono::milliseconds, std::string,
                           std::vector<std::string>, std::vector<ListenAddress>>;

enum class Type {
  size,         ///< "1MiB"
  count,        ///< 4, or the key's word for 0
  duration,     ///< "30s"
  path,         ///< text without NUL
  choice,       ///< one of the key's words
  flag,         ///< true or false
  file_names,   ///< text or array of text, without '/'
  media_types,  ///< text or array of text: "text/html", "image/*"
  addresses,    ///< text or array of text
};

struct Key {
  std::string_view name;  ///< "limits.body"
  Type type;
  std::uint64_t min = 0;  ///< of size (bytes), count and duration (milliseconds)
  std::uint64_t max = 0;
  std::string_view zero;  ///< the word that stands for 0 ("auto"); empty: 0 is an ordinary number
  std::string_view example;  ///< a value as the file writes it
  std::string_view doc;      ///< one sentence
  Value (*read)(const Config&);
  void (*write)(Config&, const Value&);
  std::span<const std::string_view> (*words)() = nullptr;  ///< of a choice

  std::string_view section() const;      ///< "limits"; empty for a key of the top level
  std::string_view leaf() const;         ///< "body"
  std::string environment_name() const;  ///< "PRONGHORN_LIMITS_BODY"
};

/// In the order in which they are printed; the keys of a section stand together, the top level
/// first.
std::span<const Key> schema();
/// Null when there is no such key.
const Key* find_key(std::string_view name);
/// Whether it is the name of a [section] with keys of its own ("limits").
bool is_section(std::string_view name);

}  // namespace pronghorn::config
