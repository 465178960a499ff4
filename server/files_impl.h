// SPDX-License-Identifier: Apache-2.0
// What files.cpp and files_answer.cpp share.
#pragma once

#include "server/file_cache.h"
#include "server/files.h"
#include "server/mime.h"
#include "server/open_beneath.h"
#include "server/range.h"

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pronghorn::server {

/// A file by its identity, whatever it is called (fstat(2)), and where it was.
struct RefusedFile {
  std::string path;
  dev_t device;
  ino_t inode;
};

struct Files::Impl {
  /// An entry to answer from, a directory, or neither: the status that says so.
  struct Found {
    FileEntry* entry = nullptr;
    bool is_directory = false;
    int status = 404;
  };
  using OpenedForms = std::array<std::optional<OpenedFile>, kEncodings>;
  /// Nothing: the file has changed since its entry was made.
  using Contents =
      std::variant<std::monostate, std::string, std::shared_ptr<const std::string>, SharedFile>;

  Impl(RootDirectory directory, const Options& from, std::vector<RefusedFile> files);

  // files.cpp
  Response answer(const Request& request);
  Response answer_path(const Request& request, bool is_directory, bool is_read);
  std::optional<bool> take_mount(bool is_directory);
  Response redirect_to_directory(const Request& request) const;
  Found find_index(bool afresh);
  Found find(bool afresh);
  Found find_on_disk(FileEntry* known, std::int64_t now_ms);
  std::expected<OpenedFile, int> open(const std::string& relative);
  int open_variants(OpenedForms& opened);
  FileEntry& keep(OpenedForms opened, std::int64_t now_ms);
  bool is_served(const OpenedFile& opened, std::string_view name) const noexcept;

  // files_answer.cpp: into a response that is as new; false, and nothing done to it: the file has
  // changed
  bool answer(const Request& request, FileEntry& entry, Response& response);
  bool answer_body(const Request& request, FileEntry& entry, Encoding encoding, Response& response);
  bool answer_whole(FileEntry& entry, Encoding encoding, Response& response);
  bool is_compressed(const FileForm& form, Encoding encoding) const;
  Response answer_parts(const FileForm& form, Contents contents);
  Contents load(FileEntry& entry, Encoding encoding);

  RootDirectory root;
  Options options;
  std::vector<RefusedFile> refused;
  std::uint32_t site = 0;  // in the cache
  FileEntry uncached;      // of the request in hand, where the cache does not take it
  std::optional<FileIdentity> served;
  // Members, so that their storage is used again.
  std::string path;  // of the request in hand
  std::vector<ByteRange> ranges;
};

/// The status of a file that cannot be opened (open(2), openat2(2)).
int status_of_errno(int error) noexcept;

/// The bytes of an open file; nothing when it is not, or no longer, what `identity` says.
std::optional<std::string> read_whole(int fd, const FileIdentity& identity);

/// The fields and the type of a form's 200. `varies`: its answers depend on Accept-Encoding.
std::shared_ptr<const Response::Head> make_head(const Validators& validators, std::string_view type,
                                                Encoding encoding, bool varies);

}  // namespace pronghorn::server
