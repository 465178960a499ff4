// SPDX-License-Identifier: Apache-2.0
// Where control sockets are: agreed between a master and `pronghorn status`.
#pragma once

#include <pronghorn/base/result.h>

#include <string>
#include <vector>

namespace pronghorn::master {

/// /run/pronghorn for root, else $XDG_RUNTIME_DIR/pronghorn, else /tmp/pronghorn-UID.
std::string control_folder();
/// Makes the folder, for this user alone. @errors it is another user's, or no folder
Result<void> make_control_folder(const std::string& folder);
/// FOLDER/PID.sock
std::string control_path(const std::string& folder, int pid);

struct ControlSocket {
  int pid = 0;
  std::string path;
};
/// The sockets in a folder, by pid; those of dead servers are removed on the way.
std::vector<ControlSocket> find_control_sockets(const std::string& folder);

}  // namespace pronghorn::master
