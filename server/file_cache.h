// SPDX-License-Identifier: Apache-2.0
// The open-file cache of a worker: entries, the bytes of small files and the descriptors of large
// ones, all bounded; what was used longest ago goes first. Only what is there is kept, so no client
// can fill it. Used by the Files of all sites, from one thread.
#pragma once

#include "server/file_entry.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string_view>
#include <unordered_map>

namespace pronghorn::server {

class FileCache {
 public:
  struct Options {
    std::size_t entries = 1024;               ///< 0: nothing is kept
    std::uint64_t memory = 16 * 1024 * 1024;  ///< bytes of files and of what is known of them
    std::uint64_t file = 128 * 1024;          ///< the largest file whose bytes are kept
    std::size_t descriptors = 64;             ///< of larger files
    std::chrono::milliseconds valid{1000};    ///< then it is looked at on the disk again
    /// Changed more recently, a file may change again without its times changing: it is not kept.
    /// Where the file system keeps fractions of a second, 50 ms do, as times move with the kernel's
    /// tick.
    std::chrono::milliseconds settled{1000};
  };

  explicit FileCache(const Options& options) : options_(options) {}
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  const Options& options() const noexcept { return options_; }
  /// A number for a document root, which keeps its paths apart from those of others.
  std::uint32_t add_site() noexcept { return sites_++; }

  /// Null: not here. What is found is the last to be dropped. `now_ms` is monotonic.
  FileEntry* find(std::uint32_t site, std::string_view path, std::int64_t now_ms);
  bool is_valid(const FileEntry& entry, std::int64_t now_ms) const noexcept {
    return now_ms - entry.checked_ms < options_.valid.count();
  }
  /// Keeps it, in place of another of that name. Others may go for it; this one stays till the next
  /// put().
  FileEntry& put(FileEntry entry, std::int64_t now_ms);
  /// It got bytes or a descriptor. They may be taken from it again at once, where they do not fit.
  void account(FileEntry& entry);
  void erase(FileEntry& entry);
  /// Closes what is open; answers under way keep theirs. False: there was nothing.
  bool close_descriptors();

  std::size_t size() const noexcept { return entries_.size(); }
  std::uint64_t memory() const noexcept { return memory_; }
  std::size_t descriptors() const noexcept { return descriptors_; }

 private:
  struct Key {
    std::uint32_t site;
    std::string_view path;  // of the entry
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string_view>()(key.path) + key.site;
    }
  };
  using Entries = std::list<FileEntry>;

  void close_idle(std::int64_t now_ms);
  void close_files(FileEntry& entry);
  void drop(Entries::iterator at);

  Options options_;
  std::uint32_t sites_ = 0;
  Entries entries_;  // the last used first
  std::unordered_map<Key, Entries::iterator, Hash> index_;
  std::uint64_t memory_ = 0;
  std::size_t descriptors_ = 0;
  std::int64_t next_look_ms_ = 0;  // for idle descriptors
};

}  // namespace pronghorn::server
