// SPDX-License-Identifier: Apache-2.0
// The child's end of the channel, as Node's fork leaves it: in the environment.
#include "ipc/channel.h"
#include "ipc/socket_io.h"
#include "ipc/taken_channel.h"

#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>

namespace pronghorn::ipc {
namespace {

// Takes a variable out of the environment, so that a child of ours does not think that it owns the
// channel.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

bool was_cluster_worker = false;  // of the process, as the environment is

}  // namespace

bool cluster_channel_was_taken() noexcept { return was_cluster_worker; }

Result<UniqueFd> take_inherited_channel(std::string* unique_id) {
  std::string number = take_variable("NODE_CHANNEL_FD");
  std::string mode = take_variable("NODE_CHANNEL_SERIALIZATION_MODE");
  std::string id = take_variable("NODE_UNIQUE_ID");
  if (!number.empty() && !id.empty()) was_cluster_worker = true;
  if (unique_id != nullptr) *unique_id = std::move(id);
  if (number.empty()) return UniqueFd();

  int fd = -1;
  const char* end = number.data() + number.size();
  auto parsed = std::from_chars(number.data(), end, fd);
  if (parsed.ec != std::errc() || parsed.ptr != end || !is_socket(fd)) {
    return std::unexpected(Error("NODE_CHANNEL_FD=" + number + " is no open socket"));
  }
  UniqueFd channel(fd);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (!mode.empty() && mode != "json") {
    return std::unexpected(
        Error(Errc::unsupported_serialization,
              "the parent asks for serialization '" + mode +
                  "', which only Node itself speaks; fork with serialization 'json'"));
  }
  return channel;
}

}  // namespace pronghorn::ipc
