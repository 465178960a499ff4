// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/response.h>

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn {

std::uint64_t FileBody::total() const noexcept {
  std::uint64_t bytes = length + tail.size();
  for (const FilePart& part : more) bytes += part.before.size() + part.length;
  return bytes;
}

Response Response::text(std::string body) { return {"text/plain; charset=utf-8", std::move(body)}; }

Response Response::html(std::string body) { return {"text/html; charset=utf-8", std::move(body)}; }

Response Response::error(int status) {
  Response response(status);
  response.page_ = true;
  return response;
}

Response Response::redirect(int status, std::string location) {
  Response response = error(status);
  response.header("Location", std::move(location));
  return response;
}

Response& Response::status(int status) & {
  status_ = status;
  return *this;
}

Response& Response::header(std::string name, std::string value) & {
  if (server::iequals(name, "content-type")) return type(value);
  own_head();
  headers_.push_back({std::move(name), std::move(value)});
  return *this;
}

/// From now on the fields are ours to change.
void Response::own_head() {
  if (!head_) return;
  headers_ = head_->headers;
  if (own_type_.empty()) own_type_ = head_->type;
  head_.reset();
}

Response& Response::set_header(std::string name, std::string value) & {
  return remove_header(name).header(std::move(name), std::move(value));
}

Response& Response::remove_header(std::string_view name) & {
  auto is_meant = [&](const Header& field) { return server::iequals(field.name, name); };
  if (std::ranges::none_of(headers(), is_meant)) return *this;
  own_head();
  std::erase_if(headers_, is_meant);
  return *this;
}

Response& Response::type(std::string_view content_type) & {
  own_type_ = content_type;
  return *this;
}

Response& Response::body(std::string bytes) & {
  body_ = std::move(bytes);
  page_ = site_file_ = false;
  return *this;
}

Response& Response::body(FileBody file) & {
  body_ = std::move(file);
  page_ = site_file_ = false;
  return *this;
}

Response& Response::body(std::shared_ptr<const std::string> bytes) & {
  body_ = std::move(bytes);
  page_ = site_file_ = false;
  return *this;
}

Response& Response::head(std::shared_ptr<const Head> head) & {
  headers_.clear();
  own_type_.clear();
  known_type_ = {};
  head_ = std::move(head);
  return *this;
}

}  // namespace pronghorn
