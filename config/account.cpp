// SPDX-License-Identifier: Apache-2.0
#include "config/account.h"

#include <pronghorn/base/result.h>

#include "config/toml_text.h"
#include "config/units.h"

#include <fmt/format.h>

#include <cerrno>
#include <grp.h>
#include <limits>
#include <optional>
#include <pwd.h>
#include <unistd.h>

namespace pronghorn::config {
namespace {

// (uid_t)-1 is the system calls' word for "no change" (setresuid(2)).
constexpr std::uint64_t kLargestId = std::numeric_limits<std::uint32_t>::max() - std::uint64_t{1};
// An account has some dozens at most; the kernel takes 65,536 (NGROUPS_MAX).
constexpr int kMostGroups = 65'536;
constexpr std::size_t kLargestEntry = std::size_t{1} << 20;

std::optional<std::uint32_t> as_id(const std::string& text) {
  const auto number = parse_count(text);
  if (!number || *number > kLargestId) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// Calls one of the get…_r functions with a buffer that is large enough. @returns its error
template <class Call>
int with_buffer(std::vector<char>& buffer, Call call) {
  buffer.resize(1024);
  while (true) {
    const int error = call(buffer.data(), buffer.size());
    if (error != ERANGE || buffer.size() >= kLargestEntry) return error;
    buffer.resize(buffer.size() * 4);
  }
}

AccountFault unknown(bool is_group, const std::string& text, int error) {
  const std::string_view kind = is_group ? "group" : "user";
  // What getpwnam_r(3) says of a name that it does not find, beside 0.
  const bool is_missing =
      error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
  return {.complaint = {is_missing ? "unknown-account" : "unreadable",
                        is_missing ? fmt::format("there is no {} {} here", kind, toml_quoted(text))
                                   : fmt::format("cannot look up the {} {}: {}", kind,
                                                 toml_quoted(text), errno_text(error)),
                        {}},
          .is_group = is_group};
}

std::expected<gid_t, AccountFault> find_group(const std::string& text) {
  group entry{};
  group* found = nullptr;
  std::vector<char> buffer;
  const int error = with_buffer(buffer, [&](char* memory, std::size_t size) {
    return ::getgrnam_r(text.c_str(), &entry, memory, size, &found);
  });
  if (found != nullptr) return entry.gr_gid;
  if (const auto id = as_id(text)) return *id;
  return std::unexpected(unknown(true, text, error));
}

}  // namespace

std::expected<Account, AccountFault> find_account(const std::string& user,
                                                  const std::string& group) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer;
  const auto id = as_id(user);
  int error = with_buffer(buffer, [&](char* memory, std::size_t size) {
    return ::getpwnam_r(user.c_str(), &entry, memory, size, &found);
  });
  if (found == nullptr && id) {
    error = with_buffer(buffer, [&](char* memory, std::size_t size) {
      return ::getpwuid_r(*id, &entry, memory, size, &found);
    });
  }
  if (found == nullptr && !id) return std::unexpected(unknown(false, user, error));
  if (found == nullptr && group.empty()) {
    return std::unexpected(AccountFault{
        .complaint = {"missing-key",
                      fmt::format("the user {} has no entry and so no group: say 'group'", user),
                      {}}});
  }
  Account account;
  account.uid = found != nullptr ? entry.pw_uid : *id;
  if (found != nullptr) {
    account.name = entry.pw_name;
    account.home = entry.pw_dir;
    account.gid = entry.pw_gid;
  }
  if (!group.empty()) {
    const auto gid = find_group(group);
    if (!gid) return std::unexpected(gid.error());
    account.gid = *gid;
  }
  if (account.name.empty()) {
    account.groups = {account.gid};
    return account;
  }
  int count = 64;
  account.groups.resize(static_cast<std::size_t>(count));
  while (::getgrouplist(account.name.c_str(), account.gid, account.groups.data(), &count) < 0) {
    if (count > kMostGroups) count = kMostGroups;
    if (account.groups.size() >= static_cast<std::size_t>(kMostGroups)) break;
    account.groups.resize(static_cast<std::size_t>(count));
  }
  account.groups.resize(static_cast<std::size_t>(count));
  return account;
}

}  // namespace pronghorn::config
