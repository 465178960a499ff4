// SPDX-License-Identifier: Apache-2.0
// Serves a directory: the router's fallback of `pronghorn serve`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

namespace pronghorn::server {

class Files {
 public:
  struct Options {
    std::string root;
    std::vector<std::string> index{"index.html"};
  };
  /// Opens the root once (O_PATH): it may be renamed or its parents become unreadable afterwards.
  /// @errors not there, not a directory
  static Result<Files> open(const Options& options);
  ~Files();
  Files(Files&&) noexcept;
  Files& operator=(Files&&) noexcept;

  /// GET and HEAD answer a file, 304, a redirect to "path/" or an error; other methods 405 with Allow.
  Response answer(const Request& request);

 private:
  struct Impl;
  explicit Files(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::server
