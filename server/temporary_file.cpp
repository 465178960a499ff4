// SPDX-License-Identifier: Apache-2.0
#include "server/temporary_file.h"

#include <pronghorn/server/body_error.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::server {
namespace {

std::unexpected<Error> failed(int error, std::string_view what, const std::string& path) {
  return std::unexpected(Error::system(error, std::string(what) + " '" + path + "'"));
}

std::unexpected<Error> storage_error(int error) {
  const bool is_full = error == ENOSPC || error == EDQUOT;
  return std::unexpected(body_error(is_full ? BodyErrc::storage_full : BodyErrc::storage,
                                    "cannot write a temporary file: " + errno_text(error)));
}

/// errno, or 0.
int write_all(int file, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int copy_all(int from, int to) noexcept {
  off_t offset = 0;
  for (;;) {
    const auto sent = ::sendfile(to, from, &offset, 1 << 20);
    if (sent == 0) return 0;
    if (sent < 0 && errno != EINTR) return errno;
  }
}

/// Makes `path` with what `fill` writes; removes it again when that fails.
template <class Fill>
Result<void> create(const std::string& path, Fill fill) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed(errno, "create", path);
  if (const int error = fill(file.get()); error != 0) {
    ::unlink(path.c_str());
    return failed(error, "write", path);
  }
  return {};
}

}  // namespace

Result<UniqueFd> open_temporary(const std::string& directory) {
  std::string folder = directory;
  if (folder.empty()) {
    const char* set = ::getenv("TMPDIR");
    folder = set != nullptr && *set != '\0' ? set : "/tmp";
  }
  UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  if (errno != EOPNOTSUPP && errno != EISDIR) return storage_error(errno);
  // Not every file system has O_TMPFILE (NFS, some overlays).
  folder += "/pronghorn-XXXXXX";
  file.reset(::mkostemp(folder.data(), O_CLOEXEC));
  if (!file) return storage_error(errno);
  ::unlink(folder.c_str());
  return file;
}

Result<void> append_to(int file, std::string_view bytes) {
  if (const int error = write_all(file, bytes); error != 0) return storage_error(error);
  return {};
}

Result<void> save_temporary(int file, const std::string& path) {
  // open(2), O_TMPFILE: needs no privilege through /proc.
  const std::string self = "/proc/self/fd/" + std::to_string(file);
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  if (errno == EEXIST) return failed(errno, "create", path);
  return create(path, [file](int to) { return copy_all(file, to); });
}

Result<void> save_bytes(std::string_view bytes, const std::string& path) {
  return create(path, [bytes](int to) { return write_all(to, bytes); });
}

Result<std::string> read_all(int file) {
  struct stat facts{};
  if (::fstat(file, &facts) != 0) return std::unexpected(Error::system(errno, "fstat"));
  std::string out(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t at = 0;
  while (at < out.size()) {
    const auto read = ::pread(file, out.data() + at, out.size() - at, static_cast<off_t>(at));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return std::unexpected(Error::system(errno, "read"));
    if (read == 0) break;
    at += static_cast<std::size_t>(read);
  }
  out.resize(at);
  return out;
}

}  // namespace pronghorn::server
