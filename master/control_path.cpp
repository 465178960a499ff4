// SPDX-License-Identifier: Apache-2.0
#include "master/control_path.h"

#include <pronghorn/base/unique_fd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace pronghorn::master {
namespace {

constexpr std::string_view kSuffix = ".sock";

bool is_dead(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd &&
         ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

std::string control_folder() {
  if (::geteuid() == 0) return "/run/pronghorn";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + "/pronghorn";
  return "/tmp/pronghorn-" + std::to_string(::geteuid());
}

Result<void> make_control_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) < 0 && errno != EEXIST) {
    return std::unexpected(Error::system(errno, "cannot make '" + folder + "'"));
  }
  // /tmp is everyone's: a folder or link that another user laid there is not used.
  struct stat info{};
  if (::lstat(folder.c_str(), &info) < 0)
    return std::unexpected(Error::system(errno, "cannot use '" + folder + "'"));
  if (!S_ISDIR(info.st_mode))
    return std::unexpected(Error("cannot use '" + folder + "': not a folder"));
  if (info.st_uid != ::geteuid())
    return std::unexpected(Error("cannot use '" + folder + "': it belongs to another user"));
  return {};
}

std::string control_path(const std::string& folder, int pid) {
  return folder + "/" + std::to_string(pid) + std::string(kSuffix);
}

std::vector<ControlSocket> find_control_sockets(const std::string& folder) {
  std::vector<ControlSocket> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    int pid = 0;
    auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || std::string_view(parsed.ptr) != kSuffix) continue;
    std::string path = it->path().string();
    if (is_dead(path)) {
      ::unlink(path.c_str());
    } else {
      found.push_back({pid, path});
    }
  }
  std::ranges::sort(found, {}, &ControlSocket::pid);
  return found;
}

}  // namespace pronghorn::master
