// SPDX-License-Identifier: Apache-2.0
#include "worker/privileges.h"

#include <linux/capability.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pronghorn::worker {
namespace {

std::unexpected<Error> kept(const std::string& what) {
  return std::unexpected(Error("privileges were not dropped: " + what));
}

bool has_capability() noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return true;
  for (const auto& set : sets) {
    if ((set.effective | set.permitted | set.inheritable) != 0) return true;
  }
  return false;
}

}  // namespace

Result<void> check_privileges_dropped(uid_t uid) {
  uid_t real = 0, effective = 0, saved = 0;
  gid_t real_group = 0, effective_group = 0, saved_group = 0;
  if (::getresuid(&real, &effective, &saved) != 0 ||
      ::getresgid(&real_group, &effective_group, &saved_group) != 0) {
    return kept("unknown who this is");
  }
  if (real != uid || effective != uid || saved != uid) {
    return kept("this is user " + std::to_string(effective) + ", not " + std::to_string(uid));
  }
  if (real_group != effective_group || saved_group != effective_group) return kept("two groups");
  if (has_capability()) return kept("a capability is left");
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return kept("new ones can be got");
  // The kernel's word is better than ours.
  if (uid != 0 && (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setresuid(0, 0, 0) == 0)) {
    return kept("root could be got back");
  }
  return {};
}

}  // namespace pronghorn::worker
