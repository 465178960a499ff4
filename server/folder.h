// SPDX-License-Identifier: Apache-2.0
// Files as answers of handlers, and folders below a path: what `pronghorn serve` does for a
// directory, for routes.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn {

/// Of a folder. All of its files are answered as a site's are (docs/reference/files.md): regular
/// files below it only, whatever links say; none whose name, or whose folder's, begins with a dot.
struct FolderOptions {
  /// Of server.files(): what answers "dir/"; the first that is there.
  std::vector<std::string> index{"index.html"};
  /// Whether name.br, name.zst and name.gz are answers for name, to who takes them.
  bool precompressed = true;
  /// The Cache-Control field of what is answered (200, 206, 304); empty: none.
  std::string cache_control = {};
  /// Bytes of small files, and of what is known of them, that are kept for a second before they are
  /// looked at again; 0: nothing is kept.
  std::uint64_t cache_memory = 16 * 1024 * 1024;
  /// Paths of files that are answered as if not there, under any name.
  std::vector<std::string> refuse = {};
};

/// Of one file.
struct SendFileOptions {
  /// The path is below this folder, and nothing outside of it is answered, whatever the path or
  /// links say: give it wherever the path is made of what a client sent. Empty: that of the path's
  /// own directory: a name that begins with a dot, or is a link out of there, is a 404.
  std::string root = {};
  /// Content-Disposition: attachment, with this name (attachment()), or the file's own where it is
  /// empty: browsers save it.
  std::optional<std::string> download = {};
  /// Content-Type, instead of the one that the file's name has.
  std::string type = {};
  /// As of FolderOptions.
  std::string cache_control = {};
  bool precompressed = false;
};

/// A directory, opened once. Only from the loop's thread.
class Folder {
 public:
  /// @errors not there, not a directory, or a kernel without openat2(2) (Linux 5.6)
  static Result<Folder> open(const std::string& directory, const FolderOptions& options = {});
  ~Folder();
  Folder(Folder&&) noexcept;
  Folder& operator=(Folder&&) noexcept;

  /// The file at `path`, a name as the file system has it ("a b/c.txt", not "a%20b"), below the
  /// folder: 200, 206, 304, 412 or 416 by what the request asks, to GET and HEAD; to other methods
  /// the whole of it. 404: there is none, it is a directory or no regular file, it lies outside;
  /// 403, 503: it cannot be opened. `options.root` and `.precompressed` do not count.
  Response send(const Request& request, std::string_view path, const SendFileOptions& options = {});

 private:
  friend struct FolderMount;
  struct Impl;
  explicit Folder(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// As Folder::send, of a file that is looked for anew each time. Blocks as long as opening it, and
/// reading 8 KiB at most, takes; what is larger is sent by sendfile(2).
Response send_file(const Request& request, std::string_view path,
                   const SendFileOptions& options = {});

/// `attachment; filename="…"; filename*=UTF-8''…` (RFC 6266, RFC 8187), a value of
/// Content-Disposition, for the last component of `name` as safe_file_name() makes it: of 255 bytes
/// at most, and nothing in it ends the field or its quotes.
std::string attachment(std::string_view name);

class Router;
/// GET and HEAD of `prefix` ("/assets") and all below it, from the files of `directory`: "dir" is
/// redirected to "dir/", which is answered by an index file. There is no way from it to other
/// routes' patterns: what is not there is a 404.
/// @errors those of Folder::open; `prefix` is no path, or has parameters; a route that is taken
Result<void> add_files(Router& router, std::string_view prefix, const std::string& directory,
                       const FolderOptions& options = {});

}  // namespace pronghorn
