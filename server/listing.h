// SPDX-License-Identifier: Apache-2.0
// The page of a directory that has no index file. Used by Site where listings are on.
#pragma once

#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include "server/open_beneath.h"

#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

/// What is shown of a directory: names that a request for them would not be refused.
struct Listing {
  struct Entry {
    std::string name;
    bool is_directory = false;
    std::uint64_t size = 0;  ///< 0 of a directory
    std::time_t modified = 0;
  };
  enum class Key : std::uint8_t { name, size, time };
  struct Order {
    Key key = Key::name;
    bool descending = false;
  };

  /// Of the names in a directory no more are read: it bounds how long a thread is busy with it.
  static constexpr std::size_t kMostEntries = 10'000;

  std::vector<Entry> entries;
  bool is_cut = false;  ///< there are more

  /// Reads `path` ("a/b", empty for the root), without what begins with a dot, is no regular file
  /// or directory, cannot be read, leads out of the root, or is a file of `hidden`.
  /// @returns empty when it is no directory that can be read
  static std::optional<Listing> read(const RootDirectory& root, const std::string& path,
                                     const std::vector<std::string>& hidden);
  /// "sort=size&order=desc"; what is not known is as if it were not there.
  static Order order_of(std::string_view query) noexcept;
  /// Directories first, each group by `order`, equals by name.
  void sort(Order order);

  /// @param path  as in the request, decoded and normalised: "/a b/"
  std::string html(std::string_view path, Order order) const;
  /// [{"name":"a.txt","type":"file","size":3,"mtime":"2026-11-22T12:01:40Z"}, …]
  std::string json() const;
};

/// The answer with a page of a listing.
Response listing_response(std::shared_ptr<const std::string> page, bool is_json, bool is_cut);

}  // namespace pronghorn::server
