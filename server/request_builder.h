// SPDX-License-Identifier: Apache-2.0
// The only writer of a Request: the session fills it, and tests do.
#pragma once

#include <pronghorn/server/request.h>

#include <span>
#include <string_view>

namespace pronghorn {

struct RequestBuilder {
  using Param = Request::Param;

  Request& request;

  RequestBuilder& method(std::string_view v) {
    request.method_ = v;
    return *this;
  }
  RequestBuilder& target(std::string_view v) {
    request.target_ = v;
    return *this;
  }
  RequestBuilder& path(std::string_view v) {
    request.path_ = v;
    return *this;
  }
  RequestBuilder& query(std::string_view v) {
    request.query_ = v;
    return *this;
  }
  RequestBuilder& host(std::string_view v) {
    request.host_ = v;
    return *this;
  }
  RequestBuilder& peer(std::string_view v) {
    request.peer_ = v;
    return *this;
  }
  RequestBuilder& body(std::string_view v) {
    request.body_ = v;
    return *this;
  }
  /// Where the request's body_stream() is kept.
  RequestBuilder& body_state(std::shared_ptr<server::BodyState>* v) {
    request.body_state_ = v;
    return *this;
  }
  RequestBuilder& id(server::RequestId* v) {
    request.id_ = v;
    return *this;
  }
  /// Where what is kept with the request is.
  RequestBuilder& locals(Locals* v) {
    request.locals_ = v;
    return *this;
  }
  /// The request is over.
  static void end(Locals& locals) noexcept { locals.clear(); }
  RequestBuilder& version(int v) {
    request.version_ = v;
    return *this;
  }
  RequestBuilder& headers(std::span<const Field> v) {
    request.headers_ = v;
    return *this;
  }
  RequestBuilder& params(std::span<const Param> v) {
    request.params_ = v;
    return *this;
  }
};

}  // namespace pronghorn
