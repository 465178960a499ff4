// SPDX-License-Identifier: Apache-2.0
// The channel's decoder: however the bytes are cut, the lines are the same; what parses can be
// dumped and parsed again; nothing throws.
#include "ipc/cluster_messages.h"
#include "ipc/frame_reader.h"
#include "ipc/json_text.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace pronghorn::ipc;

namespace {

std::vector<std::string> lines_of(std::string_view input, std::size_t step) {
  FrameReader reader(512);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < input.size() && !reader.is_too_long(); at += step) {
    reader.feed(input.substr(at, step));
    while (auto line = reader.next()) lines.emplace_back(*line);
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  auto lines = lines_of(input, input.size() + 1);
  if (lines != lines_of(input, 1) || lines != lines_of(input, 7)) std::abort();
  for (const auto& line : lines) {
    auto json = parse_json(line);
    if (!json) continue;
    auto text = dump_json(*json);
    if (!text || text->contains('\n')) std::abort();
    if (!parse_json(*text)) std::abort();
    static_cast<void>(decode_cluster_message(*json));
    static_cast<void>(decode_pronghorn(*json));
  }
  return 0;
}
