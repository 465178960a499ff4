// SPDX-License-Identifier: Apache-2.0
// Whom workers run as when the master is root. They give up every privilege for good; the master
// stays root, as it has to replace them.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace pronghorn::master {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones
  std::string name;           ///< empty: none is known
  std::string home;
};

}  // namespace pronghorn::master
