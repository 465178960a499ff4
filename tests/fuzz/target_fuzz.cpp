// SPDX-License-Identifier: Apache-2.0
// A request target of any bytes: what is taken is made of the bytes that were sent, in order, and
// holds nothing that a later reader could take for something else. The same for Host.
#include "server/path.h"
#include "server/syntax.h"
#include "server/target.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pronghorn::server;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check_host(std::string_view host) {
  std::string upper(host), lower(host);
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  std::ranges::transform(lower, lower.begin(), to_lower);
  bool valid = is_valid_host(host);
  must(valid == is_valid_host(upper) && valid == is_valid_host(lower));
  if (!valid) return;
  must(!host.empty() && host.find_first_of(" \t\r\n/?#@\\<>\"%,") == host.npos);
  if (!host.starts_with('[')) must(std::ranges::count(host, ':') <= 1);
}

void check_parts(std::string_view text, Method method) {
  Target target;
  if (parse_target(text, method, target) != 0) return;
  if (target.path == "*") return must(method == HTTP_OPTIONS && !target.query.data());
  must(target.path.starts_with('/') && all_class(target.path, kPath));
  must(all_class(target.query, kQuery));
  bool is_absolute = !target.authority.empty();
  must(is_absolute != text.starts_with('/'));
  if (is_absolute) must(is_valid_host(target.authority) && target.authority.contains('@') == false);
  // Put together again it is what was sent, but for a path that was left out.
  std::string again(text.substr(0, is_absolute ? text.find("://") + 3 : 0));
  again += target.authority;
  if (text.substr(again.size()).starts_with('/')) again += target.path;
  if (again.size() < text.size()) again += '?';
  must(again + std::string(target.query) == text);

  std::string decoded;
  percent_decode(target.path, decoded);
  must(!decoded.contains('\0') && decoded.size() <= target.path.size());
  std::string relative;
  bool is_directory = false;
  if (normalise_path(target.path, relative, is_directory) == PathVerdict::ok) {
    must(!("/" + relative + "/").contains("/../"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  for (Method method : {HTTP_GET, HTTP_OPTIONS}) check_parts(input, method);
  check_host(input);
  return 0;
}
