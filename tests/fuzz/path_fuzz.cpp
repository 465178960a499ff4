// SPDX-License-Identifier: Apache-2.0
// No path escapes the root or names a hidden file, and what is sent back in a Location is safe.
#include "server/path.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pronghorn::server;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string relative;
  bool is_directory = false;
  if (normalise_path(input, relative, is_directory) == PathVerdict::ok) {
    if (relative.starts_with('/') || relative.ends_with('/') || relative.contains('\0'))
      std::abort();
    std::string walk = "/" + relative + "/";
    if (walk.contains("/../") || walk.contains("/./")) std::abort();
    if (relative.starts_with('.') && !relative.starts_with(".well-known")) std::abort();
    std::string location = "/";
    append_encoded_path(location, relative);
    for (char c : location) {
      if (c <= ' ' || c == 0x7f || c == '\\' || c == '"' || c == '<') std::abort();
    }
    // Decoding what was encoded gives the same name.
    std::string again;
    if (normalise_path(location, again, is_directory) != PathVerdict::ok || again != relative)
      std::abort();
  }
  return 0;
}
