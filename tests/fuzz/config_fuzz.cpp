// SPDX-License-Identifier: Apache-2.0
// A configuration file of any bytes: problems are reported with a place inside the file, nothing
// throws, and what loads prints and loads again as the same values.
#include "config/load.h"
#include "config/print.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pronghorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  auto config = config::from_toml(text);
  if (config) {
    std::string printed = config::to_toml(*config);
    auto again = config::from_toml(printed);
    if (!again || config::to_toml(*again) != printed) std::abort();
  }
  return 0;
}
