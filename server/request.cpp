// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/request.h>

#include "server/request_id.h"
#include "server/syntax.h"

#include <stdexcept>

namespace pronghorn {

std::string_view Request::param(std::string_view name) const noexcept {
  for (const Param& param : params_) {
    if (param.name == name) return param.value;
  }
  return {};
}

// A head has few fields: looking through them costs less than any index would.
std::string_view Request::header(std::string_view name) const noexcept {
  for (const Field& field : headers_) {
    if (server::iequals(field.name, name)) return field.value;
  }
  return {};
}

bool Request::has_header(std::string_view name) const noexcept {
  for (const Field& field : headers_) {
    if (server::iequals(field.name, name)) return true;
  }
  return false;
}

std::string_view Request::id() const noexcept {
  return id_ == nullptr ? std::string_view() : id_->get(headers_);
}

Locals& Request::locals() const {
  if (locals_ == nullptr) throw std::logic_error("locals() of a Request that no server made");
  return *locals_;
}

}  // namespace pronghorn
