// SPDX-License-Identifier: Apache-2.0
// Preconditions of any bytes: whatever the fields hold, RFC 9110 §13.2.2 decides who is heard. The
// input's lines are the values of the four fields; '%' in them stands for the file's tag.
#include "server/conditional.h"
#include "server/date.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::server;

namespace {

constexpr std::array kNames{"If-Match", "If-Unmodified-Since", "If-None-Match",
                            "If-Modified-Since"};
enum Name : std::size_t { match, unmodified, none_match, modified };

void must(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string> values_of(std::string_view input, std::string_view tag) {
  std::vector<std::string> values(1);
  for (char c : input) {
    if (c == '\n' && values.size() < kNames.size()) {
      values.emplace_back();
    } else if (c == '%') {
      values.back() += tag;
    } else {
      values.back() += c;
    }
  }
  values.resize(kNames.size());
  return values;
}

struct Asked {
  std::vector<std::string> values;
  const Validators& file;
  bool has(Name name) const { return values[name] != "-"; }
  /// Of these fields alone.
  Condition of(std::initializer_list<Name> names) const {
    std::vector<Field> fields;
    for (Name name : names) {
      if (has(name)) fields.push_back({kNames[name], values[name]});
    }
    return evaluate_conditions(fields, file);
  }
};

void check(std::string_view input, const Validators& file) {
  Asked asked{values_of(input, file.etag()), file};
  Condition all = asked.of({match, unmodified, none_match, modified});
  must(all ==
       asked.of({modified, none_match, unmodified, match}));  // the order of lines is nobody's
  if (asked.has(match)) must(all == asked.of({match, none_match, modified}));
  if (asked.has(none_match)) must(all == asked.of({match, unmodified, none_match}));
  Condition first = asked.has(match) ? asked.of({match}) : asked.of({unmodified});
  must(first != Condition::not_modified);
  Condition second = asked.has(none_match) ? asked.of({none_match}) : asked.of({modified});
  must(second != Condition::precondition_failed);
  must(all == (first == Condition::proceed ? second : first));
  for (Name date : {unmodified, modified}) {
    if (!parse_http_date(asked.values[date])) must(asked.of({date}) == Condition::proceed);
  }
  if (file.is_weak() && asked.has(match) && asked.values[match] != "*") {
    must(asked.of({match}) == Condition::precondition_failed);  // a weak tag never matches strongly
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input, Validators(14, {1'704'164'645, 5}, {1'800'000'000, 0}));
  check(input, Validators(14, {1'704'164'645, 5}, {1'704'164'645, 6}));
  return 0;
}
