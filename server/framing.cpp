// SPDX-License-Identifier: Apache-2.0
#include "server/framing.h"

#include "server/syntax.h"
#include "server/target.h"

namespace pronghorn::server {
namespace {

// RFC 9112 §6.1, §6.3: the codings of all Transfer-Encoding lines, in order.
struct Codings {
  bool malformed = false;
  bool last_is_chunked = false;
  unsigned chunked = 0;
  unsigned others = 0;

  void read(std::string_view value) noexcept {
    do {
      std::string_view coding = next_element(value);
      last_is_chunked = iequals(coding, "chunked");
      if (!is_token(coding)) {
        malformed = true;  // parameters, quotes and empty elements included: ambiguous is refused
      } else if (last_is_chunked) {
        ++chunked;
      } else {
        ++others;
      }
    } while (!value.empty());
  }

  int status() const noexcept {
    if (malformed || !last_is_chunked || chunked != 1) return 400;
    return others != 0 ? 501 : 0;
  }
};

void read_connection(std::string_view value, HeadFacts& facts) noexcept {
  while (!value.empty()) {
    std::string_view option = next_element(value);
    if (iequals(option, "close")) facts.asks_close = true;
    if (iequals(option, "keep-alive")) facts.asks_keep_alive = true;
    if (iequals(option, "upgrade")) facts.asks_upgrade = true;
  }
}

void read_expect(std::string_view value, HeadFacts& facts) noexcept {
  while (!value.empty()) {
    std::string_view expectation = next_element(value);
    if (expectation.empty()) continue;
    (iequals(expectation, "100-continue") ? facts.expects_continue : facts.expects_other) = true;
  }
}

}  // namespace

int read_facts(std::span<const Field> fields, int minor_version, HeadFacts& facts) noexcept {
  Codings codings;
  unsigned hosts = 0;
  for (const Field& field : fields) {
    switch (field.name.size()) {  // most fields are none of these
      case 4:
        if (is_field(field.name, "host")) {
          facts.host = field.value;
          ++hosts;
        }
        break;
      case 6:
        if (is_field(field.name, "expect")) read_expect(field.value, facts);
        break;
      case 10:
        if (is_field(field.name, "connection")) read_connection(field.value, facts);
        break;
      case 17:
        if (is_field(field.name, "transfer-encoding")) {
          facts.has_transfer_encoding = true;
          codings.read(field.value);
        }
        break;
      default:
        break;
    }
  }
  facts.has_host = hosts == 1;
  if (hosts > 1 || (hosts == 0 && minor_version > 0)) return 400;  // RFC 9112 §3.2
  if (hosts == 1 && !is_valid_host(facts.host)) return 400;
  if (facts.has_transfer_encoding) {
    if (minor_version == 0) return 400;  // faulty framing (RFC 9112 §6.1)
    if (int status = codings.status(); status != 0) return status;
  }
  if (minor_version == 0) {  // RFC 9110 §7.8, §10.1.1
    facts.expects_continue = facts.expects_other = facts.asks_upgrade = false;
  }
  return 0;
}

}  // namespace pronghorn::server
