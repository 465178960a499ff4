// SPDX-License-Identifier: Apache-2.0
// Who may connect how often, as one server asks it: the table of clients that its master shares
// with it, or one of its own. Owned by Server.
#pragma once

#include <pronghorn/base/result.h>

#include "base/client_table.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <sys/socket.h>

namespace pronghorn::server {

class AccessLog;
class DateCache;

class ClientLimits {
 public:
  /// Takes `table`, which outlives it; `slot` is this process's.
  void share(ClientTable* table, std::uint32_t slot) noexcept;
  /// Where there is no table yet, makes one. @errors no memory
  Result<void> prepare(std::uint64_t clients);
  /// Null: nothing goes by the client's address.
  ClientTable* table() const noexcept { return table_; }

  /// 0: not limited, which costs nothing where nobody is.
  ClientKey key(const sockaddr_storage& address, std::uint64_t ipv6_prefix) const noexcept;
  enum class Admission : std::uint8_t { counted, uncounted, refused };
  /// @param most  connections of one client; 0: any number
  Admission admit(ClientKey client, std::uint64_t most) noexcept;
  /// Of a connection that was counted.
  void leave(ClientKey client) noexcept;
  struct Refused {
    int socket;
    std::string_view peer;
    std::uint16_t port;       ///< ours
    bool answers_id = false;  ///< X-Request-Id is put into every answer
  };
  /// Says 429 on a connection that is not taken, before it is closed: one line of the access log,
  /// which may be null.
  void turn_away(const Refused& client, DateCache& date, std::span<char> scratch,
                 AccessLog* log) noexcept;

 private:
  std::optional<ClientTable> own_;
  ClientTable* table_ = nullptr;
  std::uint32_t slot_ = 0;
  std::uint64_t turned_away_ = 0;
  std::int64_t said_ms_ = 0;
};

}  // namespace pronghorn::server
