// SPDX-License-Identifier: Apache-2.0
// A request as handlers see it.
#pragma once

#include <pronghorn/server/body_stream.h>
#include <pronghorn/server/locals.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace pronghorn {

namespace server {
class RequestId;
}

struct Field {
  std::string_view name;   ///< as sent; compare without regard to case
  std::string_view value;  ///< without surrounding white space
};

/// One request. Every view points into memory that lives until the answer is complete: of a handler
/// that answers at once, during its call; else until its answer has ended, and when that never does
/// because the client has left, as long as the coroutine or the ResponseWriter.
class Request {
 public:
  /// "GET", "HEAD" … as sent (RFC 9110 §9.1: case-sensitive).
  std::string_view method() const noexcept { return method_; }
  /// The request target as sent (RFC 9112 §3.2): "/a%20b?x=1".
  std::string_view target() const noexcept { return target_; }
  /// Path of the target, as sent, still percent-encoded: "/a%20b". "*" for OPTIONS *.
  std::string_view path() const noexcept { return path_; }
  /// After '?', as sent; empty when there is none.
  std::string_view query() const noexcept { return query_; }
  /// Value of ":name" or "*name" in the route's pattern, percent-decoded; empty when there is none.
  std::string_view param(std::string_view name) const noexcept;
  /// First field of that name, any case; empty when absent (has_header tells the difference).
  std::string_view header(std::string_view name) const noexcept;
  bool has_header(std::string_view name) const noexcept;
  std::span<const Field> headers() const noexcept { return headers_; }
  /// The whole body, decoded; at most limits.body bytes. Empty of a route with `stream_body`.
  std::string_view body() const noexcept { return body_; }
  /// The body as it comes, of a route with `stream_body`; of any other, body() in one piece.
  BodyStream body_stream() const;
  /// What middleware and handlers keep with this request for each other: set by before(), read by
  /// the handler and by after(). It is no part of what the client sent, which nobody changes, and
  /// so can be changed through a const Request, as what a pointer points to. Copies of a request
  /// have the same. All of it ends with the request; what is kept must not own the request's
  /// writer. Throws std::logic_error for a Request that no server made.
  Locals& locals() const;
  /// 10 or 11.
  int version() const noexcept { return version_; }
  /// Host of the target or of the Host field, without the port's colon removed: "localhost:8080".
  std::string_view host() const noexcept { return host_; }
  /// The client's address as text: "127.0.0.1", "::1", "unix".
  std::string_view peer() const noexcept { return peer_; }
  /// What the request is called on its error page and in the access log: 16 letters and digits that
  /// no other has, or, with request_id.trust, the client's X-Request-Id. Made at the first call.
  std::string_view id() const noexcept;

 private:
  friend struct RequestBuilder;  // server/request_builder.h: fills it from the parser's spans
  struct Param {
    std::string_view name, value;
  };
  std::string_view method_, target_, path_, query_, body_, host_, peer_;
  std::span<const Field> headers_;
  std::span<const Param> params_;
  std::shared_ptr<server::BodyState>* body_state_ = nullptr;  // where body_stream() finds its own
  server::RequestId* id_ = nullptr;                           // of the memory that this one is in
  Locals* locals_ = nullptr;
  int version_ = 11;
};

}  // namespace pronghorn
