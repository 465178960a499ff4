// SPDX-License-Identifier: Apache-2.0
// A head that is read by itself (server/plain_head.h) is what the head check and llhttp make of it.
#pragma once

#include "server/head_check.h"
#include "server/parser.h"
#include "server/plain_head.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace pronghorn::test {

inline bool is_same_place(std::string_view a, std::string_view b) {
  return a.data() == b.data() && a.size() == b.size();
}

enum class Plain { no, same, differs };

/// `bytes` stand in memory that has nothing of the kind behind them.
inline Plain read_both_ways(std::string_view bytes, const config::Limits& limits) {
  using namespace server;
  std::vector<Field> fields;
  HeadFacts facts;
  Target target;
  PlainHead plain{fields, facts, target};
  const std::size_t size = can_read_plain_heads() ? read_plain_head(bytes, limits, plain) : 0;
  if (size == 0) return Plain::no;

  HeadCheck check;
  if (check.scan(bytes, limits) != HeadCheck::Verdict::complete || check.size() != size)
    return Plain::differs;
  std::string_view head = bytes.substr(0, size);
  HeadCheck plain_check;
  plain_check.set_plain(plain.method, plain.target_text.size(), size);
  auto seen = [&](const HeadCheck& c) {
    return c.size() == size && !c.needs_rewrite() && c.minor_version() == 1 &&
           c.method() == plain.method && c.is_head_request() == (plain.method == HTTP_HEAD) &&
           is_same_place(c.target(head), plain.target_text) &&
           c.method_text(head) == method_text(plain.method);
  };
  if (!seen(check) || !seen(plain_check)) return Plain::differs;

  Parser parser;
  bool whole = parser.feed(head) && parser.head_done() && parser.complete();
  if (!whole || parser.is_chunked() || parser.content_length() != 0) return Plain::differs;
  auto same_field = [](const Field& a, const Field& b) {
    return is_same_place(a.name, b.name) && a.value == b.value;
  };
  if (!std::ranges::equal(fields, parser.fields(), same_field)) return Plain::differs;

  HeadFacts f;
  Target t;
  bool good = read_facts(parser.fields(), 1, f) == 0 &&
              parse_target(plain.target_text, plain.method, t) == 0;
  bool same_facts =
      f.host == facts.host && f.has_host == facts.has_host &&
      f.has_transfer_encoding == facts.has_transfer_encoding && f.asks_close == facts.asks_close &&
      f.asks_keep_alive == facts.asks_keep_alive && f.asks_upgrade == facts.asks_upgrade &&
      f.expects_continue == facts.expects_continue && f.expects_other == facts.expects_other;
  bool same_target = is_same_place(t.path, target.path) && t.query == target.query &&
                     t.authority == target.authority;
  return good && same_facts && same_target ? Plain::same : Plain::differs;
}

}  // namespace pronghorn::test
