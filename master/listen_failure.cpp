// SPDX-License-Identifier: Apache-2.0
#include "master/listen_failure.h"

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>

#include "master/port_holder.h"

#include <fmt/format.h>

#include <cerrno>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pronghorn::master {
namespace {

constexpr int kTemporary = 75;  // sysexits.h EX_TEMPFAIL
constexpr int kNoPermission = 77;
constexpr int kConfig = 78;

bool is_free(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  // Nobody has to listen: bind(2) alone tells, and frees the port again when the socket is closed.
  return fd && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0;
}

std::string with_port(config::ListenAddress address, std::uint16_t port) {
  address.port = port;
  return address.text();
}

std::string in_use_hints(const config::ListenAddress& address) {
  auto holder = address.is_unix() ? find_path_holder(address.path) : find_port_holder(address.port);
  std::string text;
  if (holder)
    text +=
        fmt::format("\n  held by pid {} ({}, user {})", holder->pid, holder->name, holder->user);
  if (address.is_unix()) return text + "\n  try: another path, or stop that server";
  for (unsigned port = address.port + 1U; port < address.port + 20U && port <= 65535; ++port) {
    auto number = static_cast<std::uint16_t>(port);
    if (!is_free(number)) continue;
    return text + fmt::format("\n  try: --listen {}, or {} for any free port",
                              with_port(address, number), with_port(address, 0));
  }
  return text + fmt::format("\n  try: --listen {} for any free port", with_port(address, 0));
}

std::string permission_hints(const config::ListenAddress& address) {
  if (address.is_unix()) {
    return fmt::format("\n  the folder must be writable for user {}", user_name(::geteuid()));
  }
  std::uint16_t above = address.port == 443 ? 8443 : address.port == 80 ? 8080 : 0;
  return fmt::format(
      "\n  ports below 1024 need root or CAP_NET_BIND_SERVICE; this is user {}"
      "\n  try: --listen {}, or the systemd unit in packaging/, which has the capability",
      user_name(::geteuid()), with_port(address, above));
}

}  // namespace

StartFailure listen_failure(const config::ListenAddress& address, int errno_value) {
  StartFailure failure{
      1, fmt::format("cannot listen on {}: {}", address.text(), errno_text(errno_value))};
  switch (errno_value) {
    case EADDRINUSE:
      failure.exit_code = kTemporary;
      failure.text += in_use_hints(address);
      break;
    case EACCES:
    case EPERM:
      failure.exit_code = kNoPermission;
      failure.text += permission_hints(address);
      break;
    case EADDRNOTAVAIL:
      failure.exit_code = kTemporary;  // an interface may come up later
      failure.text += "\n  no interface of this machine has that address";
      break;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      failure.exit_code = kTemporary;
      break;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EEXIST:
      failure.exit_code = kConfig;
      break;
    default:
      break;
  }
  return failure;
}

StartFailure resolve_failure(const config::ListenAddress& address, int eai_value) {
  bool temporary = eai_value == EAI_AGAIN || eai_value == EAI_MEMORY || eai_value == EAI_SYSTEM;
  std::string why = eai_value == EAI_NONAME ? "no such host" : ::gai_strerror(eai_value);
  if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z')
    why[0] = static_cast<char>(why[0] - 'A' + 'a');
  return {temporary ? kTemporary : kConfig,
          fmt::format("cannot listen on {}: {}", address.text(), why)};
}

}  // namespace pronghorn::master
