// SPDX-License-Identifier: Apache-2.0
#include "app/identity.h"

#include "app/exit_codes.h"
#include "config/account.h"

#include <fmt/format.h>

#include <cstdint>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pronghorn::app {
namespace {

/// A container's root may have fewer than all. Who may not kill(2) could not end a worker that
/// hangs.
bool may_change_user() noexcept {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  constexpr std::uint32_t kNeeded = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL;
  return ::syscall(SYS_capget, &header, sets) == 0 && (sets[0].effective & kNeeded) == kNeeded;
}

}  // namespace

std::expected<std::optional<master::Identity>, IdentityFailure> worker_identity(
    const config::Config& config) {
  if (config.user.empty()) return std::nullopt;
  auto account = config::find_account(config.user, config.group);
  if (!account) {
    return std::unexpected(IdentityFailure{kBadConfiguration, account.error().complaint.text()});
  }
  const bool is_us = account->uid == ::geteuid() && account->gid == ::getegid();
  if (is_us) return std::nullopt;
  if (::geteuid() != 0) {
    return std::unexpected(IdentityFailure{
        kNoPermission,
        fmt::format("workers cannot run as user '{}', group {}: only root may do that, and this is "
                    "user {}, group {}\n  start it as root, or without 'user'",
                    config.user, account->gid, ::geteuid(), ::getegid())});
  }
  if (!may_change_user()) {
    return std::unexpected(IdentityFailure{
        kNoPermission,
        fmt::format("workers cannot run as user '{}': this is root without one of the capabilities "
                    "SETUID, SETGID and KILL\n  give the container or the unit all three, or start "
                    "it as that user",
                    config.user)});
  }
  return master::Identity{.uid = account->uid,
                          .gid = account->gid,
                          .groups = std::move(account->groups),
                          .name = std::move(account->name),
                          .home = std::move(account->home)};
}

}  // namespace pronghorn::app
