// SPDX-License-Identifier: Apache-2.0
#include "server/file_cache.h"

#include <utility>

namespace pronghorn::server {
namespace {

/// A deleted file's space is not free while it is open: nobody keeps one that is not asked for.
constexpr std::int64_t kIdleDescriptorMs = 10'000;

/// A form's validators and heads, and the allocations' own share of the index.
constexpr std::uint64_t kFormCost = 512;

struct Held {
  std::uint64_t memory = sizeof(FileEntry) + 128;
  std::size_t descriptors = 0;
};

Held held(const FileEntry& entry) noexcept {
  Held all;
  all.memory += entry.path.size();
  for (const auto& form : entry.forms) {
    if (!form) continue;
    all.memory += kFormCost + (form->bytes ? form->bytes->size() : 0);
    if (form->file.fd() >= 0) ++all.descriptors;
  }
  return all;
}

}  // namespace

FileEntry* FileCache::find(std::uint32_t site, std::string_view path, std::int64_t now_ms) {
  if (now_ms >= next_look_ms_) close_idle(now_ms);
  auto found = index_.find({site, path});
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  FileEntry& entry = *found->second;
  entry.used_ms = now_ms;
  return &entry;
}

FileEntry& FileCache::put(FileEntry entry, std::int64_t now_ms) {
  if (auto old = index_.find({entry.site, entry.path}); old != index_.end()) drop(old->second);
  entry.cost = 0;
  entry.descriptors = 0;
  entry.used_ms = now_ms;
  entries_.push_front(std::move(entry));
  FileEntry& kept = entries_.front();
  index_.emplace(Key{kept.site, kept.path}, entries_.begin());
  while (entries_.size() > 1 && entries_.size() > options_.entries) drop(std::prev(entries_.end()));
  account(kept);
  return kept;
}

void FileCache::account(FileEntry& entry) {
  auto count = [&] {
    auto [memory, descriptors] = held(entry);
    memory_ += memory - entry.cost;
    descriptors_ += descriptors - entry.descriptors;
    entry.cost = memory;
    entry.descriptors = descriptors;
  };
  count();
  while (memory_ > options_.memory && &entries_.back() != &entry) drop(std::prev(entries_.end()));
  for (auto at = entries_.rbegin();
       descriptors_ > options_.descriptors && at != entries_.rend() && &*at != &entry; ++at) {
    close_files(*at);
  }
  if (memory_ > options_.memory) {
    for (auto& form : entry.forms) {
      if (form) form->bytes.reset();
    }
    count();
  }
  if (descriptors_ > options_.descriptors) close_files(entry);
}

void FileCache::erase(FileEntry& entry) {
  if (auto found = index_.find({entry.site, entry.path}); found != index_.end()) {
    drop(found->second);
  }
}

bool FileCache::close_descriptors() {
  bool had = descriptors_ > 0;
  for (FileEntry& entry : entries_) close_files(entry);
  return had;
}

void FileCache::close_idle(std::int64_t now_ms) {
  next_look_ms_ = now_ms + 1000;
  for (auto at = entries_.rbegin(); descriptors_ > 0 && at != entries_.rend(); ++at) {
    if (now_ms - at->used_ms < kIdleDescriptorMs) break;
    close_files(*at);
  }
}

void FileCache::close_files(FileEntry& entry) {
  if (entry.descriptors == 0) return;
  for (auto& form : entry.forms) {
    if (form) form->file = {};
  }
  descriptors_ -= std::exchange(entry.descriptors, 0);
}

void FileCache::drop(Entries::iterator at) {
  memory_ -= at->cost;
  descriptors_ -= at->descriptors;
  index_.erase({at->site, at->path});
  entries_.erase(at);
}

}  // namespace pronghorn::server
