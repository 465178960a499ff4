// SPDX-License-Identifier: Apache-2.0
// Compressed files that a worker keeps, so that each is compressed once. Used by Compression.
#pragma once

#include "server/accept_encoding.h"
#include "server/file_entry.h"

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace pronghorn::server {

/// The least recently used go when there is no room for another.
class CompressedCache {
 public:
  /// `bytes` of results and of what an entry costs beside them.
  explicit CompressedCache(std::size_t bytes) : limit_(bytes) {}

  /// Null bytes: it is known that compressing has no use. Null: nothing is known.
  struct Entry {
    std::shared_ptr<const std::string> bytes;
  };
  const Entry* find(const FileIdentity& file, Encoding encoding);
  void insert(const FileIdentity& file, Encoding encoding,
              std::shared_ptr<const std::string> bytes);

  std::size_t size_bytes() const noexcept { return used_; }

 private:
  struct Key {
    FileIdentity file;
    Encoding encoding;
    bool operator==(const Key&) const = default;
  };
  // Files are not named by clients: a plain hash has no attacker.
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Kept {
    Key key;
    Entry entry;
  };
  using Order = std::list<Kept>;  // the last used first
  static std::size_t cost_of(const Kept& kept) noexcept;
  void erase(Order::iterator at);

  std::size_t limit_;
  std::size_t used_ = 0;
  Order order_;
  std::unordered_map<Key, Order::iterator, Hash> index_;
};

}  // namespace pronghorn::server
