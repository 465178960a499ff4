// SPDX-License-Identifier: Apache-2.0
#include "master/port_holder.h"

#include <pronghorn/base/text.h>

#include <charconv>
#include <dirent.h>
#include <fstream>
#include <memory>
#include <pwd.h>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::master {
namespace {

using Inodes = std::set<std::string>;  // as "socket:[123]", the form of the links in /proc/PID/fd

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

// proc(5): "sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout
// inode".
void add_listening(const char* file, std::uint16_t port, Inodes& inodes) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string sl, local, remote, state, queues, timer, retransmit, uid, timeout, inode;
    words >> sl >> local >> remote >> state >> queues >> timer >> retransmit >> uid >> timeout >>
        inode;
    auto colon = local.find(':');
    unsigned number = 0;
    if (colon == std::string::npos || state != "0A") continue;  // TCP_LISTEN
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), number, 16);
    if (number == port) inodes.insert("socket:[" + inode + "]");
  }
}

bool holds_any(const std::string& pid, const Inodes& inodes) {
  std::string folder = "/proc/" + pid + "/fd";
  Dir dir(::opendir(folder.c_str()));
  if (!dir) return false;
  while (const dirent* entry = ::readdir(dir.get())) {
    char link[64];
    ssize_t n = ::readlinkat(::dirfd(dir.get()), entry->d_name, link, sizeof link);
    if (n > 0 && inodes.contains(std::string(link, static_cast<std::size_t>(n)))) return true;
  }
  return false;
}

Holder describe(int pid) {
  std::string folder = "/proc/" + std::to_string(pid);
  Holder holder{pid, {}, {}};
  std::ifstream comm(folder + "/comm");
  std::getline(comm, holder.name);
  holder.name = escape_control(holder.name);
  struct stat info{};
  if (::stat(folder.c_str(), &info) == 0) holder.user = user_name(info.st_uid);
  return holder;
}

// The lowest pid: of a server's processes the one that started first, as a rule its master.
std::optional<Holder> find_holder(const Inodes& inodes) {
  Dir proc(inodes.empty() ? nullptr : ::opendir("/proc"));
  int lowest = 0;
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    std::string name = entry->d_name;
    int pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 0 && (lowest == 0 || pid < lowest) && holds_any(name, inodes)) lowest = pid;
  }
  if (lowest == 0) return std::nullopt;
  return describe(lowest);
}

}  // namespace

std::optional<Holder> find_port_holder(std::uint16_t port) {
  Inodes inodes;
  add_listening("/proc/net/tcp", port, inodes);
  add_listening("/proc/net/tcp6", port, inodes);
  return find_holder(inodes);
}

std::optional<Holder> find_path_holder(const std::string& path) {
  Inodes inodes;
  std::ifstream in("/proc/net/unix");
  std::string line;
  while (std::getline(in, line)) {
    // "Num RefCount Protocol Flags Type St Inode Path"
    std::istringstream words(line);
    std::string num, refs, protocol, flags, type, state, inode, bound;
    words >> num >> refs >> protocol >> flags >> type >> state >> inode;
    std::getline(words >> std::ws, bound);
    if (bound == path) inodes.insert("socket:[" + inode + "]");
  }
  return find_holder(inodes);
}

std::string user_name(unsigned uid) {
  const passwd* user = ::getpwuid(uid);
  return user != nullptr ? std::string(user->pw_name) : std::to_string(uid);
}

}  // namespace pronghorn::master
