// SPDX-License-Identifier: Apache-2.0
// "did you mean": the word that was probably meant. Used for keys, commands, options and variables.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

/// ASCII only, whatever the locale.
std::string lower(std::string_view text);

/// Damerau-Levenshtein (adjacent transpositions count one) of the words in lower case without _ and
/// -.
std::size_t word_distance(std::string_view a, std::string_view b);

/// The closest candidate within max(1, length / 3), else one that the word begins with or that
/// begins with the word (at least 4 characters: "keepalive_timeout" -> "keepalive"). Empty: none.
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

/// Words of other servers' configurations, which no distance can reach.
struct Alias {
  std::string_view word;  ///< "worker_processes"
  std::string_view key;   ///< "workers"; empty: we have nothing like it
  std::string_view note;  ///< said when there is no key
};
/// Null when the word is none of theirs.
const Alias* find_alias(std::string_view word);

}  // namespace pronghorn::config
