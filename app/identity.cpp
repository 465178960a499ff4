// SPDX-License-Identifier: Apache-2.0
#include "app/identity.h"

#include "app/exit_codes.h"
#include "config/account.h"

#include <fmt/format.h>

#include <unistd.h>

namespace pronghorn::app {

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
  return master::Identity{.uid = account->uid,
                          .gid = account->gid,
                          .groups = std::move(account->groups),
                          .name = std::move(account->name),
                          .home = std::move(account->home)};
}

}  // namespace pronghorn::app
