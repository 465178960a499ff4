// SPDX-License-Identifier: Apache-2.0
// The head check and the parser behind it: the verdict is the same however the bytes are cut, and
// of a head that both take, the fields are those that a reader sees who only splits at CRLF and at
// the first colon. A head that is read by itself is the same to both.
#include "server/head_check.h"
#include "server/parser.h"
#include "server/syntax.h"
#include "tests/fuzz/same_head.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::server;

namespace {

config::Limits small_limits() {
  config::Limits limits;
  limits.head = 1024;
  limits.header_line = 256;
  limits.header_fields = 16;
  limits.uri = 128;
  return limits;
}

struct Seen {
  HeadCheck check;
  HeadCheck::Verdict verdict = HeadCheck::Verdict::more;
  std::size_t fed = 0;
};

// As the session feeds it: what came so far, again and again, no more than a head may have.
Seen scan(std::string_view input, std::size_t step) {
  static const config::Limits limits = small_limits();
  Seen seen;
  while (seen.verdict == HeadCheck::Verdict::more && seen.fed < input.size()) {
    seen.fed = std::min(input.size(), seen.fed + step);
    // At a place of its own each time, so that a view kept from before is found.
    std::string moved(input.substr(0, seen.fed));
    seen.verdict = seen.check.scan(moved, limits);
  }
  return seen;
}

void must(bool holds) {
  if (!holds) std::abort();
}

void compare(const Seen& a, const Seen& b) {
  must(a.verdict == b.verdict);
  if (a.verdict == HeadCheck::Verdict::refused) must(a.check.status() == b.check.status());
  must(a.check.is_head_request() == b.check.is_head_request());
  if (a.verdict != HeadCheck::Verdict::complete) return;
  must(a.check.size() == b.check.size() && a.check.method() == b.check.method());
  must(a.check.minor_version() == b.check.minor_version());
  must(a.check.needs_rewrite() == b.check.needs_rewrite());
}

void check_fields(std::string_view head, Parser& parser) {
  must(head.ends_with("\r\n\r\n"));
  head.remove_suffix(2);
  head.remove_prefix(head.find("\r\n") + 2);
  std::size_t n = 0;
  for (; !head.empty(); ++n) {
    std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    auto colon = line.find(':');
    must(colon != line.npos && n < std::size(parser.fields()));
    const Field& field = parser.fields()[n];
    must(is_token(field.name) && field.name == line.substr(0, colon));
    must(all_class(field.value, kValue) && field.value == trim_ows(line.substr(colon + 1)));
  }
  must(n == std::size(parser.fields()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Seen whole = scan(input, input.size() + 1);
  compare(whole, scan(input, 1));
  compare(whole, scan(input, 7));
  // At a place of its own, so that a look behind its end is found.
  const std::vector<char> moved(input.begin(), input.end());
  must(test::read_both_ways({moved.data(), moved.size()}, small_limits()) != test::Plain::differs);
  if (whole.verdict != HeadCheck::Verdict::complete) return 0;
  std::string head(input.substr(0, whole.check.size()));
  must(is_token(whole.check.method_text(head)) && !whole.check.target(head).contains(' '));
  std::string fed = whole.check.needs_rewrite() ? whole.check.rewritten(head) : head;
  Parser parser;
  if (!parser.feed(fed) || !parser.head_done()) return 0;
  must(whole.check.target(fed) == whole.check.target(head));
  check_fields(head, parser);
  return 0;
}
