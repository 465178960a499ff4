// SPDX-License-Identifier: Apache-2.0
// Finds the handler of a method and a path.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/handler.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn {

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
  Result<void> add(std::string_view method, std::string_view pattern, const RouteOptions& options,
                   Handler handler);
  /// What answers when no pattern matches the path; at most one (the files, usually). With
  /// `methods` ("GET", "HEAD") the body of others is read and dropped, or not awaited where the
  /// client asks first: the handler says 404 or 405, as only it knows what is there.
  void fallback(Handler handler, std::initializer_list<std::string_view> methods = {});

  /// An answer, instead of the handler's; nothing: go on.
  using Before = std::move_only_function<std::optional<Response>(const Request&)>;
  using After = std::move_only_function<void(const Request&, Response&)>;
  /// Middleware for "/admin", "/admin/" and all below: each in the order in which it was added.
  /// before() is asked when a request's head is here, before its body is read and whether or not it
  /// has a handler; after() sees every answer to such a request, errors of ours and the head of an
  /// answer in pieces included (not those to heads that are refused: 400, 408, 431 …). The
  /// path is compared as a file's is found, decoded and without dot segments, so that no spelling
  /// goes round it; "/" is all. What they throw becomes a 500.
  /// @errors `prefix` does not begin with '/'
  Result<void> before(std::string_view prefix, Before call);
  Result<void> after(std::string_view prefix, After call);

  struct Impl;
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn
