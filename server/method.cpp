// SPDX-License-Identifier: Apache-2.0
#include "server/method.h"

#include <array>

namespace pronghorn::server {
namespace {

#define PRONGHORN_METHOD_NAME(number, name, text) #text,
constexpr std::array<std::string_view, 34> kNames{HTTP_METHOD_MAP(PRONGHORN_METHOD_NAME)};
#undef PRONGHORN_METHOD_NAME

}  // namespace

int find_method(std::string_view token) noexcept {
  if (token == "GET") return HTTP_GET;  // nearly always
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == token) return static_cast<int>(i);
  }
  return -1;
}

std::string_view method_text(Method method) noexcept { return kNames[method]; }

std::string MethodSet::text() const {
  std::string list;
  auto append = [&](Method method) {
    if (!has(method)) return;
    if (!list.empty()) list += ", ";
    list += method_text(method);
  };
  append(HTTP_GET);  // people look for these two first
  append(HTTP_HEAD);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (i != HTTP_GET && i != HTTP_HEAD) append(static_cast<Method>(i));
  }
  return list;
}

MethodSet MethodSet::common() noexcept {
  MethodSet set;
  for (Method m :
       {HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS}) {
    set.add(m);
  }
  return set;
}

}  // namespace pronghorn::server
