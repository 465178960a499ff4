// SPDX-License-Identifier: Apache-2.0
// What is known of a file that is served: its forms, their validators and heads, and, in the cache,
// their bytes. Made by Files, kept by FileCache.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/server/response.h>

#include "server/accept_encoding.h"
#include "server/conditional.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/stat.h>

namespace pronghorn::server {

/// Equal for the same file with the same contents (stat(2)). The time of change moves with every
/// write, also when the time of modification was set back.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec modified{};
  timespec changed{};

  static FileIdentity of(const struct stat& info) noexcept {
    return {info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
  }
  std::uint64_t bytes() const noexcept { return static_cast<std::uint64_t>(size); }
  FileStamp stamp() const noexcept { return {bytes(), modified.tv_sec, modified.tv_nsec}; }
  bool operator==(const FileIdentity& other) const noexcept {
    auto same = [](const timespec& a, const timespec& b) {
      return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
    };
    return device == other.device && inode == other.inode && size == other.size &&
           same(modified, other.modified) && same(changed, other.changed);
  }
};

/// A file itself, or a precompressed variant of it.
struct FileForm {
  FileIdentity identity;
  Validators validators;
  std::shared_ptr<const Response::Head> head;        // of 200 and 206
  std::shared_ptr<const Response::Head> unmodified;  // of 304, once one was needed
  std::shared_ptr<const std::string> bytes;          // of a small one in the cache, once read
  SharedFile file;                                   // of a large one in the cache, kept open
  UniqueFd opened;                                   // while the first answer is made
};

struct FileEntry {
  std::uint32_t site = 0;
  std::string path;  // below the site's root
  std::array<std::optional<FileForm>, kEncodings> forms;
  EncodingSet offered;
  bool is_settled = false;      // any change from now on shows in the identities
  std::int64_t checked_ms = 0;  // when it was last looked at on the disk
  std::int64_t used_ms = 0;
  std::uint64_t cost = 0;       // as the cache counts it
  std::size_t descriptors = 0;  // likewise

  FileForm& form(Encoding encoding) { return *forms[static_cast<std::size_t>(encoding)]; }
  bool has_variants() const noexcept {
    return forms[1].has_value() || forms[2].has_value() || forms[3].has_value();
  }
};

}  // namespace pronghorn::server
