// SPDX-License-Identifier: Apache-2.0
// Serves a directory: the router's fallback of `pronghorn serve`.
//   files.cpp         from a path to an entry: opened, or found in the cache
//   files_answer.cpp  from an entry to an answer: conditions, codings, ranges
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

class FileCache;
class MimeTypes;
struct FileIdentity;

class Files {
 public:
  struct Options {
    std::string root;
    /// The path that the root stands for, decoded, without slashes at its ends ("assets"): what
    /// does not lie below it is not there. Empty: all paths.
    std::string mount = {};
    std::vector<std::string> index{"index.html"};
    /// Paths of files that are answered as if not there, under any name: the configuration file in
    /// use. One that is replaced later is still refused under its own name.
    std::vector<std::string> refuse;
    /// Whether name.br, name.zst and name.gz are answers for name, to who takes them.
    bool precompressed = true;
    std::size_t ranges = 16;                   ///< of one request; more are answered with the whole
    std::shared_ptr<FileCache> cache{};        ///< of the worker; none: nothing is kept
    std::shared_ptr<const MimeTypes> types{};  ///< none: the built-in ones
    /// Whether a file of that type and size is compressed on its way to who takes that: its answers
    /// have Vary then. None: no file is.
    std::function<bool(std::string_view type, std::uint64_t bytes)> is_compressed{};
  };
  /// Opens the root once (O_PATH): it may be renamed or its parents become unreadable afterwards.
  /// @errors not there, not a directory, or a kernel without openat2(2) (Linux 5.6)
  static Result<Files> open(const Options& options);
  ~Files();
  Files(Files&&) noexcept;
  Files& operator=(Files&&) noexcept;

  /// GET and HEAD answer a file, a part of it, 304, 412, 416, a redirect to "path/" or an error;
  /// where there is something, OPTIONS and other methods are told what is allowed (204, 405).
  Response answer(const Request& request);
  /// Where something is, but not for this method: a 405, to OPTIONS a 204, with Allow (RFC 9110
  /// §15.5.6).
  static Response answer_other_method(std::string_view method);
  /// Of the last answer(): what its 200 or 206 is made of; null when it was another, or the file
  /// changed so lately that it may do so again and still look the same. Valid until the next
  /// answer().
  const FileIdentity* served() const noexcept;

 private:
  struct Impl;
  explicit Files(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::server
