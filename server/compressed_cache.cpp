// SPDX-License-Identifier: Apache-2.0
#include "server/compressed_cache.h"

#include <functional>

namespace pronghorn::server {
namespace {

constexpr std::size_t kEntryCost = 256;  // a node of the list, one of the index, the string

}  // namespace

std::size_t CompressedCache::Hash::operator()(const Key& key) const noexcept {
  std::uint64_t value = static_cast<std::uint64_t>(key.encoding);
  for (std::uint64_t part :
       {static_cast<std::uint64_t>(key.file.device), static_cast<std::uint64_t>(key.file.inode),
        key.file.bytes(), static_cast<std::uint64_t>(key.file.modified.tv_sec),
        static_cast<std::uint64_t>(key.file.modified.tv_nsec)}) {
    value = (value ^ part) * 0x9E3779B97F4A7C15;  // the golden ratio's multiplier (Knuth 6.4)
    value ^= value >> 32;
  }
  return value;
}

std::size_t CompressedCache::cost_of(const Kept& kept) noexcept {
  return kEntryCost + (kept.entry.bytes ? kept.entry.bytes->size() : 0);
}

const CompressedCache::Entry* CompressedCache::find(const FileIdentity& file, Encoding encoding) {
  auto found = index_.find({file, encoding});
  if (found == index_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return &found->second->entry;
}

void CompressedCache::insert(const FileIdentity& file, Encoding encoding,
                             std::shared_ptr<const std::string> bytes) {
  Kept kept{.key = {file, encoding}, .entry = {std::move(bytes)}};
  std::size_t cost = cost_of(kept);
  if (auto found = index_.find(kept.key); found != index_.end()) erase(found->second);
  if (cost > limit_) return;
  while (used_ + cost > limit_) erase(std::prev(order_.end()));
  order_.push_front(std::move(kept));
  index_.emplace(order_.front().key, order_.begin());
  used_ += cost;
}

void CompressedCache::erase(Order::iterator at) {
  used_ -= cost_of(*at);
  index_.erase(at->key);
  order_.erase(at);
}

}  // namespace pronghorn::server
