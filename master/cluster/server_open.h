// SPDX-License-Identifier: Apache-2.0
// What a worker's queryServer asks for, opened in the primary as Node's does (node-ipc 2.2), but
// listening from the start. Called by Primary.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/unique_fd.h>

#include "ipc/cluster_messages.h"
#include "master/listener.h"

#include <expected>
#include <optional>
#include <string>

namespace pronghorn::master {

struct OpenedServer {
  std::optional<Listener> listener{};  ///< of a stream server
  UniqueFd datagram{};                 ///< of a UDP server
  bool is_borrowed = false;            ///< a descriptor that others have as well
};
/// TCP, a unix socket, UDP, or a descriptor of this process. Addresses are numeric. @errors an
/// errno
std::expected<OpenedServer, int> open_server(const ipc::ClusterMessage& query);

/// Node's name of the server: "ADDRESS:PORT:TYPE:FD:INDEX".
std::string server_key(const ipc::ClusterMessage& query);

/// Where a listener is, for a worker that does not see its socket; empty for a unix socket.
std::optional<Address> socket_name(const Listener& listener);

}  // namespace pronghorn::master
