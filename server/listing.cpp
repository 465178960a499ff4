// SPDX-License-Identifier: Apache-2.0
#include "server/listing.h"

#include <algorithm>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace pronghorn::server {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

bool same_file(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Files that are refused wherever they lie; asked once for a listing.
std::vector<struct stat> stats_of(const std::vector<std::string>& paths) {
  std::vector<struct stat> found;
  for (const auto& path : paths) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) found.push_back(info);
  }
  return found;
}

/// What a request for the name would find. A symbolic link is followed as a request follows it,
/// beneath the root. @returns false when it would be refused
bool look_at(int directory, const RootDirectory& root, const std::string& path,
             struct stat& info) noexcept {
  const char* name = path.c_str() + (path.rfind('/') + 1);
  if (::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (S_ISLNK(info.st_mode)) {
    auto opened = root.open_file(path.c_str());
    if (!opened) return false;
    info = opened->info;
    return S_ISREG(info.st_mode) || S_ISDIR(info.st_mode);
  }
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return false;
  return ::faccessat(directory, name, S_ISDIR(info.st_mode) ? X_OK : R_OK, AT_EACCESS) == 0;
}

}  // namespace

std::optional<Listing> Listing::read(const RootDirectory& root, const std::string& path,
                                     const std::vector<std::string>& hidden) {
  auto opened = root.open_file(path.empty() ? "." : path.c_str());
  if (!opened || !S_ISDIR(opened->info.st_mode)) return std::nullopt;
  std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(opened->file.get()));
  if (!directory) return std::nullopt;
  static_cast<void>(opened->file.release());  // the stream's now
  int fd = ::dirfd(directory.get());

  auto refused = stats_of(hidden);
  Listing listing;
  std::string below = path.empty() ? path : path + '/';
  std::size_t prefix = below.size();
  std::size_t seen = 0;
  while (const dirent* found = ::readdir(directory.get())) {
    if (found->d_name[0] == '.') continue;
    if (++seen > kMostEntries) {
      listing.is_cut = true;
      break;
    }
    below.resize(prefix);
    below.append(found->d_name);
    struct stat info{};
    if (!look_at(fd, root, below, info)) continue;
    bool is_refused =
        std::ranges::any_of(refused, [&](const auto& file) { return same_file(file, info); });
    if (is_refused) continue;
    bool is_directory = S_ISDIR(info.st_mode);
    listing.entries.push_back({.name = found->d_name,
                               .is_directory = is_directory,
                               .size = is_directory ? 0 : static_cast<std::uint64_t>(info.st_size),
                               .modified = info.st_mtim.tv_sec});
  }
  return listing;
}

Listing::Order Listing::order_of(std::string_view query) noexcept {
  Order order;
  while (!query.empty()) {
    auto end = query.find('&');
    auto pair = query.substr(0, end);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
    if (pair == "sort=name") order.key = Key::name;
    if (pair == "sort=size") order.key = Key::size;
    if (pair == "sort=time") order.key = Key::time;
    if (pair == "order=asc") order.descending = false;
    if (pair == "order=desc") order.descending = true;
  }
  return order;
}

void Listing::sort(Order order) {
  std::ranges::sort(entries, [order](const Entry& a, const Entry& b) {
    if (a.is_directory != b.is_directory) return a.is_directory;
    const Entry& first = order.descending ? b : a;
    const Entry& second = order.descending ? a : b;
    if (order.key == Key::size && a.size != b.size) return first.size < second.size;
    if (order.key == Key::time && a.modified != b.modified) return first.modified < second.modified;
    return order.key == Key::name ? first.name < second.name : a.name < b.name;
  });
}

}  // namespace pronghorn::server
