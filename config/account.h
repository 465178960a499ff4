// SPDX-License-Identifier: Apache-2.0
// The user and group of the configuration, looked up in the system's databases (passwd(5),
// group(5)).
#pragma once

#include "config/complaint.h"

#include <expected>
#include <string>
#include <sys/types.h>
#include <vector>

namespace pronghorn::config {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones and `gid`, as initgroups(3) sets them
  std::string name;           ///< of the user; a number that has none: empty
  std::string home;           ///< empty: none is known
};

struct AccountFault {
  Complaint complaint;
  bool is_group = false;  ///< the group is what is wrong, not the user
};

/// @param user, group  names or numbers; an empty group is the user's own
std::expected<Account, AccountFault> find_account(const std::string& user,
                                                  const std::string& group);

}  // namespace pronghorn::config
