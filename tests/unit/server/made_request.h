// SPDX-License-Identifier: Apache-2.0
// A request without a connection, for what only reads one.
#pragma once

#include "server/request_builder.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pronghorn::test {

class MadeRequest {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;
  explicit MadeRequest(Headers headers = {}, std::string body = {})
      : headers_(std::move(headers)), body_(std::move(body)) {
    for (const auto& [name, value] : headers_) fields_.push_back({name, value});
    RequestBuilder{request_}.method("GET").version(11).headers(fields_).body(body_);
  }
  MadeRequest(const MadeRequest&) = delete;
  MadeRequest& operator=(const MadeRequest&) = delete;

  const Request& operator*() const noexcept { return request_; }
  MadeRequest& method(std::string_view text) {
    return RequestBuilder{request_}.method(text), *this;
  }
  MadeRequest& query(std::string_view text) { return RequestBuilder{request_}.query(text), *this; }
  MadeRequest& version(int version) { return RequestBuilder{request_}.version(version), *this; }

 private:
  Headers headers_;
  std::string body_;
  std::vector<Field> fields_;
  Request request_;
};

}  // namespace pronghorn::test
