// SPDX-License-Identifier: Apache-2.0
// A multipart/form-data body of any bytes: whole and cut into pieces it is the same parts, or the
// same error; no name that is safe to use is a path. The first line is the Content-Type.
#include <pronghorn/server/file_name.h>
#include <pronghorn/server/multipart.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

using namespace pronghorn;

namespace {

struct Record final : MultipartParser::Owner {
  std::string text;
  bool in_part = false;

  Result<void> on_part(MultipartHead head) override {
    if (std::exchange(in_part, true)) std::abort();
    text += "[" + head.name + "|" + head.file_name.value_or("\x01none") + "|" + head.type + ":";
    const std::string safe = safe_file_name(head.file_name.value_or(""));
    if (safe.empty() || safe.size() > 255 || safe.front() == '.' || safe.contains('/') ||
        safe.contains('\0')) {
      std::abort();
    }
    return {};
  }
  Result<void> on_data(std::string_view bytes) override {
    if (!in_part || bytes.empty()) std::abort();
    text += bytes;
    return {};
  }
  Result<void> on_part_end() override {
    if (!std::exchange(in_part, false)) std::abort();
    text += "]";
    return {};
  }
};

std::string outcome(const std::string& boundary, std::string_view body, std::size_t step) {
  Record record;
  MultipartParser parser(boundary, {.parts = 8, .head = 256}, record);
  for (std::size_t at = 0; at < body.size(); at += step) {
    auto fed = parser.feed(body.substr(at, step));
    // What was told before an error may be one byte of content more or less, as it was cut.
    if (!fed) return fed.error().message();
  }
  auto finished = parser.finish();
  return finished ? record.text : finished.error().message();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  auto boundary = MultipartParser::boundary_of(input.substr(0, line));
  if (!boundary) boundary = "B";
  input.remove_prefix(line + 1);
  const std::string whole = outcome(*boundary, input, input.size() + 1);
  if (whole != outcome(*boundary, input, 1) || whole != outcome(*boundary, input, 7)) std::abort();
  return 0;
}
