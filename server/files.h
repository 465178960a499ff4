// SPDX-License-Identifier: Apache-2.0
// Serves a directory: the router's fallback of `pronghorn serve`.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include <memory>
#include <string>
#include <vector>

namespace pronghorn::server {

class Files {
 public:
  struct Options {
    std::string root;
    std::vector<std::string> index{"index.html"};
    /// Paths of files that are answered as if not there, under any name: the configuration file in
    /// use. One that is replaced later is still refused under its own name.
    std::vector<std::string> refuse;
  };
  /// Opens the root once (O_PATH): it may be renamed or its parents become unreadable afterwards.
  /// @errors not there, not a directory, or a kernel without openat2(2) (Linux 5.6)
  static Result<Files> open(const Options& options);
  ~Files();
  Files(Files&&) noexcept;
  Files& operator=(Files&&) noexcept;

  /// GET and HEAD answer a file, 304, a redirect to "path/" or an error; OPTIONS and other methods
  /// say what is allowed (204, 405).
  Response answer(const Request& request);

 private:
  struct Impl;
  explicit Files(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::server
