// SPDX-License-Identifier: Apache-2.0
#include "server/files.h"

#include "server/files_impl.h"
#include "server/path.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

namespace pronghorn::server {
namespace {

constexpr std::string_view kAllowed = "GET, HEAD, OPTIONS";

/// A file that changes under each attempt to read it.
constexpr int kAttempts = 3;

std::string_view last_segment(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);
}

timespec clock_now(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now;
}

std::int64_t monotonic_ms() noexcept {
  timespec now = clock_now(CLOCK_MONOTONIC_COARSE);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

/// Of 10 ms at most (CONFIG_HZ=100).
constexpr std::chrono::milliseconds kFewTicks{50};

bool is_settled(const FileIdentity& identity, const timespec& now,
                std::chrono::milliseconds wanted) noexcept {
  auto since = std::chrono::seconds(now.tv_sec - identity.changed.tv_sec) +
               std::chrono::nanoseconds(now.tv_nsec - identity.changed.tv_nsec);
  // A time with a fraction is of a file system that keeps it: it moves with the kernel's tick.
  if (identity.changed.tv_nsec != 0) wanted = std::min(wanted, kFewTicks);
  return since >= wanted;
}

using OpenedForms = std::array<std::optional<OpenedFile>, kEncodings>;

bool is_same(const FileEntry& entry, const OpenedForms& opened) noexcept {
  for (std::size_t i = 0; i < kEncodings; ++i) {
    const auto& known = entry.forms[i];
    if (known.has_value() != opened[i].has_value()) return false;
    if (!known) continue;
    if (!(known->identity == FileIdentity::of(opened[i]->info))) return false;
    if (known->validators.is_weak()) return false;  // by now it may be strong
  }
  return true;
}

}  // namespace

// Nothing a client can send ends as a 500.
int status_of_errno(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM:
      return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
      return 503;
    case EIO:
    case ENOSYS:  // openat2, where a sandbox forbids it
      return 500;
    default:
      // ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV (would leave the root), ENXIO (a socket, a
      // device without driver), EILSEQ, EINVAL (names a file system refuses) …
      return 404;
  }
}

Result<Files> Files::open(const Options& options) {
  auto root = RootDirectory::open(options.root);
  if (!root) return std::unexpected(root.error());
  std::vector<RefusedFile> refused;
  for (const auto& path : options.refuse) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) refused.push_back({path, info.st_dev, info.st_ino});
  }
  return Files(std::make_unique<Impl>(std::move(*root), options, std::move(refused)));
}

Files::Files(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Files::~Files() = default;
Files::Files(Files&&) noexcept = default;
Files& Files::operator=(Files&&) noexcept = default;

const FileIdentity* Files::served() const noexcept {
  return impl_->served ? &*impl_->served : nullptr;
}

Response Files::answer(const Request& request) {
  impl_->served.reset();
  return impl_->answer(request);
}

Files::Impl::Impl(RootDirectory directory, const Options& from, std::vector<RefusedFile> files)
    : root(std::move(directory)), options(from), refused(std::move(files)) {
  if (options.cache && options.cache->options().entries == 0) options.cache.reset();
  if (options.cache) site = options.cache->add_site();
  if (!options.types) options.types = std::make_shared<const MimeTypes>();
}

Response Files::Impl::answer(const Request& request) {
  bool is_read = request.method() == "GET" || request.method() == "HEAD";
  bool is_directory = false;
  switch (normalise_path(request.path(), path, is_directory)) {
    case PathVerdict::malformed:
      return Response::error(400);
    case PathVerdict::hidden:
      return Response::error(404);
    case PathVerdict::ok:
      break;
  }
  if (!options.mount.empty()) {
    auto below = take_mount(is_directory);
    if (!below) return Response::error(404);
    if (!*below) {
      return is_read ? redirect_to_directory(request) : answer_other_method(request.method());
    }
  }
  if (is_directory && !path.empty()) path.push_back('/');
  return answer_path(request, is_directory, is_read);
}

/// What lies at `path`. It returns one object everywhere, which is then made where it stays.
Response Files::Impl::answer_path(const Request& request, bool is_directory, bool is_read) {
  std::size_t length = path.size();
  Response response;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    path.resize(length);
    bool afresh = attempt > 0;
    Found found = is_directory ? find_index(afresh) : find(afresh);
    if (!found.is_directory && found.entry == nullptr) {
      response = Response::error(found.status);
      return response;
    }
    bool is_whole = true;
    if (!is_read) {
      response = answer_other_method(request.method());
    } else if (found.is_directory) {
      response = redirect_to_directory(request);
    } else {
      is_whole = answer(request, *found.entry, response);
    }
    if (found.entry == nullptr) return response;
    for (auto& form : found.entry->forms) {
      if (form) form->opened.reset();
    }
    if (found.entry == &uncached) uncached = {};
    if (is_whole) return response;
  }
  response = Response::error(503);
  return response;
}

/// Makes `path` one below the mount. Compared as it is looked for, so that no spelling leads past
/// what guards a part of it. @returns nothing: it does not lie there; false: it is the mount
/// itself, asked for as a file
std::optional<bool> Files::Impl::take_mount(bool is_directory) {
  const std::string& mount = options.mount;
  if (!path.starts_with(mount)) return std::nullopt;
  bool is_mount = path.size() == mount.size();
  if (!is_mount && path[mount.size()] != '/') return std::nullopt;
  path.erase(0, mount.size() + (is_mount ? 0 : 1));
  return !is_mount || is_directory;
}

Response Files::answer_other_method(std::string_view method) {
  Response response = method == "OPTIONS" ? Response(204) : Response::error(405);
  response.header("Allow", std::string(kAllowed));
  return response;
}

// "dir/": the first index file that is there. A file with a slash after it ends here too, by
// ENOTDIR.
Files::Impl::Found Files::Impl::find_index(bool afresh) {
  std::size_t folder = path.size();
  for (const auto& index : options.index) {
    path.resize(folder);
    path.append(index);
    Found found = find(afresh);
    if (found.entry != nullptr) return found;
    if (!found.is_directory && found.status != 404) return found;
  }
  return {};
}

// The Location is made from the normalised path, so it begins with exactly one slash: "//evil" as
// asked for would name another host.
Response Files::Impl::redirect_to_directory(const Request& request) const {
  std::string location = "/";
  append_encoded_path(location, options.mount);
  if (!options.mount.empty()) location.push_back('/');
  append_encoded_path(location, path);
  if (!path.empty()) location.push_back('/');
  if (!request.query().empty()) {
    location.push_back('?');
    append_encoded_query(location, request.query());
  }
  return Response::redirect(301, std::move(location));
}

/// The file at `path`.
Files::Impl::Found Files::Impl::find(bool afresh) {
  if (!options.cache) return find_on_disk(nullptr, 0);
  std::int64_t now_ms = monotonic_ms();
  FileEntry* known = options.cache->find(site, path, now_ms);
  if (known != nullptr && !afresh && options.cache->is_valid(*known, now_ms)) return {known};
  return find_on_disk(known, now_ms);
}

Files::Impl::Found Files::Impl::find_on_disk(FileEntry* known, std::int64_t now_ms) {
  auto gone = [&](Found found) {
    if (known != nullptr) options.cache->erase(*known);
    return found;
  };
  OpenedForms opened;
  auto file = open(path);
  if (!file) return gone({.status = status_of_errno(file.error())});
  if (S_ISDIR(file->info.st_mode)) return gone({.is_directory = true});
  if (!is_served(*file, path)) return gone({});
  opened[0] = std::move(*file);
  if (options.precompressed) {
    if (int status = open_variants(opened); status != 0) return gone({.status = status});
  }
  if (known != nullptr && is_same(*known, opened)) {
    known->checked_ms = now_ms;
    return {known};
  }
  return {&keep(std::move(opened), now_ms)};
}

/// Descriptors that are only kept for the next request give way.
std::expected<OpenedFile, int> Files::Impl::open(const std::string& relative) {
  auto opened = root.open_file(relative.c_str());
  if (opened || (opened.error() != EMFILE && opened.error() != ENFILE)) return opened;
  if (!options.cache || !options.cache->close_descriptors()) return opened;
  return root.open_file(relative.c_str());
}

/// What there is beside the file at `path`. A variant that is older than its original was made of
/// another; in whole seconds, as some of the compressors set times. @returns 0, or a status
int Files::Impl::open_variants(OpenedForms& opened) {
  std::size_t length = path.size();
  std::time_t modified = opened[0]->info.st_mtim.tv_sec;
  int status = 0;
  for (std::size_t i = 1; i < kEncodings && status == 0; ++i) {
    path.append(encoding_suffix(static_cast<Encoding>(i)));
    auto variant = open(path);
    if (!variant && status_of_errno(variant.error()) == 503) status = 503;
    // An empty one is none: no coding makes nothing of something, nor of nothing.
    if (variant && is_served(*variant, path) && variant->info.st_size > 0 &&
        variant->info.st_mtim.tv_sec >= modified) {
      opened[i] = std::move(*variant);
    }
    path.resize(length);
  }
  return status;
}

FileEntry& Files::Impl::keep(OpenedForms opened, std::int64_t now_ms) {
  timespec now = clock_now(CLOCK_REALTIME);
  FileEntry entry;
  entry.site = site;
  entry.path = path;
  entry.checked_ms = now_ms;
  std::string_view type = options.types->type_of(path);
  bool varies = std::ranges::count_if(opened, [](auto& o) { return o.has_value(); }) > 1 ||
                (options.is_compressed && opened[0] &&
                 options.is_compressed(type, static_cast<std::uint64_t>(opened[0]->info.st_size)));
  auto wanted = options.cache ? options.cache->options().settled : FileCache::Options{}.settled;
  bool settled = true;
  for (std::size_t i = 0; i < kEncodings; ++i) {
    if (!opened[i]) continue;
    auto encoding = static_cast<Encoding>(i);
    auto identity = FileIdentity::of(opened[i]->info);
    std::string_view suffix = encoding_suffix(encoding);
    Validators validators(identity.bytes(), identity.modified, now,
                          suffix.empty() ? suffix : suffix.substr(1));
    settled = settled && is_settled(identity, now, wanted);
    entry.offered.add(encoding);
    entry.forms[i].emplace(FileForm{.identity = identity,
                                    .validators = validators,
                                    .head = make_head(validators, type, encoding, varies),
                                    .unmodified = {},
                                    .bytes = {},
                                    .file = {},
                                    .opened = std::move(opened[i]->file)});
  }
  entry.is_settled = settled;
  if (settled && options.cache) return options.cache->put(std::move(entry), now_ms);
  if (options.cache) {
    // What was known of it is not so any more.
    if (FileEntry* old = options.cache->find(site, path, now_ms)) options.cache->erase(*old);
  }
  return uncached = std::move(entry);
}

// Only regular files: a FIFO or a device may wait for ever when read.
bool Files::Impl::is_served(const OpenedFile& opened, std::string_view name) const noexcept {
  if (!S_ISREG(opened.info.st_mode)) return false;
  name = last_segment(name);
  auto is = [&](dev_t device, ino_t inode) {
    return opened.info.st_dev == device && opened.info.st_ino == inode;
  };
  return std::ranges::none_of(refused, [&](const RefusedFile& file) {
    if (is(file.device, file.inode)) return true;
    // It may have been replaced by rename(2) since: asked only for that name.
    struct stat now{};
    return name == last_segment(file.path) && ::stat(file.path.c_str(), &now) == 0 &&
           is(now.st_dev, now.st_ino);
  });
}

}  // namespace pronghorn::server
