// SPDX-License-Identifier: Apache-2.0
// Finds a site by the name that a request asks for. Used by Sites.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

class HostTable {
 public:
  /// `name` is lower case: "example.org", or "*.example.org" for every name below it, at any depth.
  /// One that is there already keeps its site.
  void add(std::string_view name, std::size_t site);

  /// `host` as in Request::host(): any case, with or without a port and the root's dot. The name
  /// itself wins over "*.…", and of those the longest. Does not allocate.
  std::optional<std::size_t> find(std::string_view host) const noexcept;

 private:
  struct Entry {
    std::string name;
    std::size_t site;
  };
  static const Entry* look_up(const std::vector<Entry>& entries, std::string_view name) noexcept;

  std::vector<Entry> exact_, below_;  // sorted by name; below_ without "*."
};

}  // namespace pronghorn::server
