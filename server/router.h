// SPDX-License-Identifier: Apache-2.0
// Finds the handler of a method and a path.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace pronghorn {

/// Answers at once, on the loop's thread; must not block. An exception becomes a 500.
using Handler = std::move_only_function<Response(const Request&)>;

/// Patterns: "/a/b", "/hello/:name" (one segment, not empty), "/files/*rest" (the rest, at the end
/// only). A literal segment wins over ":name", that over "*rest"; segments are compared
/// percent-decoded. A path that exists with other methods is a 405 with Allow; HEAD is answered by
/// GET's handler; OPTIONS by Allow unless routed. CONNECT and TRACE are never routed.
class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// `method` "*" is any method. @errors a malformed pattern, one that is already taken (also by
  /// one that differs in parameter names only), a method that the parser does not know
  Result<void> add(std::string_view method, std::string_view pattern, Handler handler);
  /// What answers when no pattern matches the path; at most one (the files, usually). With
  /// `methods`
  /// ("GET", "HEAD") others are a 405 at once, before their body is read; without, it gets any
  /// method.
  void fallback(Handler handler, std::initializer_list<std::string_view> methods = {});

  struct Impl;
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn
