// SPDX-License-Identifier: Apache-2.0
// An answer as handlers give it. Framing (Content-Length, Connection, Date) is the server's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <pronghorn/base/unique_fd.h>

namespace pronghorn {

/// A piece of an open regular file as a body.
struct FileBody {
  UniqueFd file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

class Response {
 public:
  Response() = default;
  explicit Response(int status) : status_(status) {}

  /// 200 with text/plain; charset=utf-8.
  static Response text(std::string body);
  static Response html(std::string body);
  /// A status with a small page that says it (errors, redirects): no version, nothing of the request.
  static Response error(int status);
  /// 301, 302, 303, 307 or 308 to `location`, which must be a valid URI reference.
  static Response redirect(int status, std::string location);

  int status() const noexcept { return status_; }
  Response& status(int status) { status_ = status; return *this; }
  /// Adds a field. Names must be tokens, values free of CR, LF and NUL (RFC 9110 §5.5): else the whole
  /// response becomes a 500 when sent. Content-Length, Transfer-Encoding, Connection and Date are the
  /// server's own and are ignored here.
  Response& header(std::string name, std::string value);
  /// Replaces the Content-Type.
  Response& type(std::string_view content_type);
  Response& body(std::string bytes);
  Response& body(FileBody file);

  struct Header { std::string name, value; };
  const std::vector<Header>& headers() const noexcept { return headers_; }
  std::string_view content_type() const noexcept { return content_type_; }
  using Body = std::variant<std::monostate, std::string, FileBody>;
  const Body& body() const noexcept { return body_; }
  Body take_body() noexcept { return std::move(body_); }

 private:
  int status_ = 200;
  std::string content_type_;
  std::vector<Header> headers_;
  Body body_;
};

}  // namespace pronghorn
