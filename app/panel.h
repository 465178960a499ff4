// SPDX-License-Identifier: Apache-2.0
// What a person at a terminal sees when the server is ready, and the one line that machines read.
#pragma once

#include <pronghorn/config/config.h>

#include <string>
#include <utility>
#include <vector>

namespace pronghorn::app {

struct PanelInfo {
  std::string what;  ///< the document root as typed, or the program's name
  unsigned workers = 1;
  std::vector<config::ListenAddress> listeners;  ///< with their real ports
  std::vector<std::string> opened;  ///< what programs listen on besides; their protocol is unknown
  std::vector<std::pair<std::string, std::string>>
      networks;  ///< {address, interface}, for wildcard listeners
  std::vector<std::string> notes;
};

/// The panel of standard error (user-visible text, several lines).
std::string panel_text(const PanelInfo& info);

/// "ready http://127.0.0.1:8080 workers=2 pid=4711\n": one URL per listener, http+unix:PATH for a
/// unix socket; then what programs opened, "127.0.0.1:3000".
std::string ready_line(const std::vector<config::ListenAddress>& listeners,
                       const std::vector<std::string>& opened, unsigned workers, int pid);

/// This machine's addresses on the network with their interfaces: no loopback, link-local, docker
/// or bridge ones; at most 3 (getifaddrs(3)).
std::vector<std::pair<std::string, std::string>> network_addresses();

}  // namespace pronghorn::app
