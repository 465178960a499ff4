// SPDX-License-Identifier: Apache-2.0
// Opens files below one directory, and nothing outside of it. Used by Files.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>

#include <expected>
#include <string>
#include <sys/stat.h>

namespace pronghorn::server {

struct OpenedFile {
  UniqueFd file;
  struct stat info;
};

/// A directory, held by descriptor: renaming it or its parents changes nothing.
class RootDirectory {
 public:
  /// @errors not there, not a directory, or a kernel without openat2(2)
  static Result<RootDirectory> open(const std::string& path);

  /// Opens `relative` for reading; never waits for the other end of a FIFO, never leaves the root:
  /// neither by "..", nor by a symbolic link, nor when directories are moved meanwhile (openat2(2),
  /// RESOLVE_BENEATH). What was opened may be anything: look at `info`. The error is an errno
  /// value.
  std::expected<OpenedFile, int> open_file(const char* relative) const noexcept;

 private:
  explicit RootDirectory(UniqueFd directory) : directory_(std::move(directory)) {}
  UniqueFd directory_;
};

}  // namespace pronghorn::server
