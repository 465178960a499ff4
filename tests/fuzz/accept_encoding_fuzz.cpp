// SPDX-License-Identifier: Apache-2.0
// What is chosen was offered, was not refused, and does not depend on how the list is cut into
// lines.
#include "server/accept_encoding.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pronghorn;
  using namespace pronghorn::server;
  if (size == 0) return 0;
  EncodingSet offered;
  for (std::size_t i = 0; i < kEncodings; ++i) {
    if ((data[0] >> i & 1) != 0) offered.add(static_cast<Encoding>(i));
  }
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Field whole{"Accept-Encoding", text};
  auto chosen = choose_encoding({&whole, 1}, offered);
  if (chosen && !offered.has(*chosen)) std::abort();

  std::vector<Field> lines;
  for (std::string_view rest = text;;) {
    auto comma = rest.find(',');
    lines.push_back({"accept-ENCODING", rest.substr(0, comma)});
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (choose_encoding(lines, offered) != chosen) std::abort();

  // Refused as well, it is not chosen.
  if (chosen) {
    std::string refused = std::string(text) + "," + std::string(encoding_name(*chosen)) + ";q=0";
    const Field field{"Accept-Encoding", refused};
    if (choose_encoding({&field, 1}, offered) == chosen) std::abort();
  }
  return 0;
}
