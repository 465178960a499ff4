// SPDX-License-Identifier: Apache-2.0
// The environment that a child gets, as spawn's `env` and `env_merge`.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pronghorn::process {

/// Variables in order. As `env` it replaces the parent's environment, as `env_merge` it changes it;
/// a default-constructed one says nothing (inherit), empty() is an environment without variables.
class Environment {
 public:
  /// nullopt: the variable is not there (Node's `undefined`).
  using Entry = std::pair<std::string, std::optional<std::string>>;

  Environment() = default;
  Environment(std::initializer_list<Entry> entries);
  static Environment empty();
  /// This process's own, to be changed.
  static Environment current();

  /// A later one replaces an earlier one of its name.
  Environment& set(std::string name, std::string value);
  Environment& unset(std::string name);
  bool is_given() const noexcept { return given_; }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// Null when it is not there.
  const std::string* find(std::string_view name) const noexcept;

 private:
  void put(Entry entry);
  /// entries_.size() when it is not there.
  std::size_t place_of(std::string_view name) const noexcept;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> places_;  // by name, once there are many
  bool given_ = false;
};

/// The "NAME=value" strings that a child gets: `env` or else this process's, changed by `merge`.
std::vector<std::string> child_environment(const Environment& env, const Environment& merge);

}  // namespace pronghorn::process
