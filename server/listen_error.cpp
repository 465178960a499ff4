// SPDX-License-Identifier: Apache-2.0
#include "server/listen_error.h"

#include <netdb.h>

namespace pronghorn::server {
namespace {

std::string where(const config::ListenAddress& address, const char* any) {
  if (address.is_unix()) return address.path;
  std::string host = address.host.empty() ? any : address.host;
  return address.port == 0 ? host : host + ":" + std::to_string(address.port);
}

Error make(int errno_value, const char* call, const std::string& text, std::string where) {
  std::error_code code(errno_value, std::generic_category());
  std::string message = std::string(call) + " " + error_name(code) + text + " " + where;
  return Error(code, std::move(message)).with_call({.syscall = call, .path = std::move(where)});
}

}  // namespace

Error refused_by_primary(int errno_value, const config::ListenAddress& address) {
  return make(errno_value, "bind", "", where(address, "null"));
}

Error listen_error(int errno_value, const config::ListenAddress& address) {
  return make(errno_value, "listen", ": " + errno_text(errno_value), where(address, "::"));
}

Error resolve_error(int eai, const config::ListenAddress& address) {
  return Error("getaddrinfo " + address.host + ": " + ::gai_strerror(eai))
      .with_call({.syscall = "getaddrinfo", .path = address.host});
}

}  // namespace pronghorn::server
