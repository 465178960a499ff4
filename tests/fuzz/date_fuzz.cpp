// SPDX-License-Identifier: Apache-2.0
// What is taken for a date is one to glibc as well, the same one, and is read back as written.
#include "server/date.h"

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

using namespace pronghorn::server;

namespace {

std::optional<std::time_t> by_glibc(const std::string& text, const char* format) {
  std::tm tm{};
  const char* end = ::strptime(text.c_str(), format, &tm);
  if (end == nullptr || end != text.c_str() + text.size()) return std::nullopt;
  return ::timegm(&tm);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  auto time = parse_http_date(text);
  if (!time) return 0;
  auto imf = by_glibc(text, "%a, %d %b %Y %H:%M:%S GMT");
  auto asctime = by_glibc(text, "%a %b %e %H:%M:%S %Y");
  auto rfc850 = by_glibc(text, "%A, %d-%b-%y %H:%M:%S GMT");
  if (!imf && !asctime && !rfc850) std::abort();
  // A century is a matter of opinion: the years of RFC 850 are compared by their digits alone.
  if (imf && *imf != *time) std::abort();
  if (!imf && asctime && *asctime != *time) std::abort();
  if (parse_http_date(format_http_date(*time)) != time) std::abort();
  return 0;
}
