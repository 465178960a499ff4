// SPDX-License-Identifier: Apache-2.0
#include "server/site_pages.h"

#include "base/log.h"
#include "server/mime.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace pronghorn::server {
namespace {

constexpr std::int64_t kLookEvery_ms = 1000;

bool is_same(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

bool read_all(int fd, std::string& bytes) {
  std::size_t got = 0;
  while (got < bytes.size()) {
    auto n = ::read(fd, bytes.data() + got, bytes.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    got += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

SitePages::SitePages(const RootDirectory& root, const std::vector<config::ErrorPage>& pages)
    : root_(&root) {
  for (const auto& page : pages) {
    Kept kept;
    kept.file = page.file;
    for (auto status : page.status) kept.statuses.push_back(static_cast<int>(status));
    kept_.push_back(std::move(kept));
  }
}

SitePages::Page SitePages::find(int status, std::int64_t now_ms) {
  for (Kept& kept : kept_) {
    if (std::ranges::find(kept.statuses, status) == kept.statuses.end()) continue;
    if (kept.looked_ms < 0 || now_ms - kept.looked_ms >= kLookEvery_ms) {
      kept.looked_ms = now_ms;
      refresh(kept);
    }
    return {kept.bytes, content_type_of(kept.file)};
  }
  return {};
}

void SitePages::refresh(Kept& kept) const {
  auto failed = [&](const char* why) {
    if (!std::exchange(kept.is_missing, true)) {
      log::warn("error page cannot be read", {{"file", kept.file}, {"why", why}});
    }
  };
  auto opened = root_->open_file(kept.file.c_str());
  if (!opened) return failed(std::strerror(opened.error()));
  if (!S_ISREG(opened->info.st_mode)) return failed("not a regular file");
  if (kept.bytes && is_same(opened->info, kept.info)) return;
  if (static_cast<std::size_t>(opened->info.st_size) > kLargest)
    return failed("larger than 256 KiB");
  std::string bytes(static_cast<std::size_t>(opened->info.st_size), '\0');
  if (!read_all(opened->file.get(), bytes)) return failed("became shorter");
  kept.bytes = std::make_shared<const std::string>(std::move(bytes));
  kept.info = opened->info;
  kept.is_missing = false;
}

}  // namespace pronghorn::server
