// SPDX-License-Identifier: Apache-2.0
// The grammar of chunk extensions (RFC 9112 §7.1.1), a byte at a time. Their meaning is nobody's,
// but a reader that does not know where one ends can be talked into another framing
// (CVE-2025-55315); and llhttp 8.1 refuses valid ones (a name without a value after another
// extension, a quoted pair).
#pragma once

#include "server/syntax.h"

#include <cstdint>

namespace pronghorn::server {

/// *( ";" name [ "=" ( token / quoted-string ) ] ), without the "bad" white space.
class ChunkExtension {
 public:
  /// The next byte, from the first ';' on. False: not an extension.
  constexpr bool next(char c) noexcept {
    switch (state_) {
      case State::ended:
        state_ = State::name_start;
        return c == ';';
      case State::name_start:
      case State::value_start:
        if (state_ == State::value_start && c == '"') {
          state_ = State::quoted;
          return true;
        }
        state_ = state_ == State::name_start ? State::name : State::value;
        return is_class(c, kToken);
      case State::name:
      case State::value:
        if (c == '=' && state_ == State::name) {
          state_ = State::value_start;
          return true;
        }
        if (c == ';') {
          state_ = State::name_start;
          return true;
        }
        return is_class(c, kToken);
      case State::quoted:
        if (c == '"') state_ = State::ended;
        if (c == '\\') state_ = State::quoted_pair;
        return is_class(c, kValue);
      case State::quoted_pair:
        state_ = State::quoted;
        return is_class(c, kValue);
    }
    return false;
  }
  /// The line may end here.
  constexpr bool may_end() const noexcept {
    return state_ == State::ended || state_ == State::name || state_ == State::value;
  }

 private:
  enum class State : std::uint8_t {
    ended,
    name_start,
    name,
    value_start,
    value,
    quoted,
    quoted_pair
  };
  State state_ = State::ended;
};

}  // namespace pronghorn::server
