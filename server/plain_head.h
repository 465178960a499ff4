// SPDX-License-Identifier: Apache-2.0
// Most heads are plain: GET or HEAD of a path by HTTP/1.1, and fields none of which says anything
// of a body or of the connection's use. They are taken apart here in one walk, 32 bytes at a time.
// This refuses nothing: whatever is out of the ordinary in any way is left to the head check and
// llhttp, which decide. What is taken they would take as well, and make the same of it (the fuzz
// target `head` compares).
#pragma once

#include <pronghorn/config/config.h>
#include <pronghorn/server/request.h>

#include "server/framing.h"
#include "server/method.h"
#include "server/target.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace pronghorn::server {

/// What a plain head says; views into its bytes. It has no body (RFC 9112 §6.3: neither
/// Content-Length nor Transfer-Encoding).
struct PlainHead {
  std::vector<Field>& fields;  ///< empty before; of a head that is not taken, some may be here
  HeadFacts& facts;
  Target& target;
  Method method = HTTP_GET;
  std::string_view target_text = {};
};

/// Whether this processor can (AVX2).
bool can_read_plain_heads() noexcept;

/// The head at the front of `bytes`, which can_read_plain_heads().
/// @returns its size with the empty line; 0: not taken, and `head` says nothing
std::size_t read_plain_head(std::string_view bytes, const config::Limits& limits, PlainHead& head);

}  // namespace pronghorn::server
