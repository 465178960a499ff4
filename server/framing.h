// SPDX-License-Identifier: Apache-2.0
// What the fields of a head say about this message and this connection. llhttp decides the framing;
// this refuses what it should have refused, and reads Connection and Expect itself.
#pragma once

#include <pronghorn/server/request.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace pronghorn::server {

struct HeadFacts {
  std::string_view host;  ///< value of Host; its validity is checked
  bool has_host = false;
  bool has_transfer_encoding = false;
  bool asks_close = false;       ///< Connection: close, in any line, any case
  bool asks_keep_alive = false;  ///< Connection: keep-alive
  bool asks_upgrade = false;     ///< Connection: upgrade, and HTTP/1.1
  bool expects_continue = false;
  bool expects_other = false;  ///< an expectation nobody knows
};

/// @param minor_version of HTTP/1.x
/// @returns 0, or the status that refuses the head: 400, 501 (a transfer coding beside chunked)
int read_facts(std::span<const Field> fields, int minor_version, HeadFacts& facts) noexcept;

}  // namespace pronghorn::server
