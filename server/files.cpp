// SPDX-License-Identifier: Apache-2.0
#include "server/files.h"

#include "server/conditional.h"
#include "server/date.h"
#include "server/mime.h"
#include "server/open_beneath.h"
#include "server/path.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <sys/stat.h>
#include <utility>

namespace pronghorn::server {
namespace {

constexpr std::string_view kAllowed = "GET, HEAD, OPTIONS";

// Up to this size a file is read into the answer, which then leaves in one write with its head and
// with its pipelined neighbours; above it Connection sends the file in pieces. Measured over
// loopback, CPU of the sender for 1, 4, 8, 16, 64 KiB: 6.3, 6.7, 7.2, 9.5, 18.5 us read and
// sent, 8.6, 8.2, 7.7, 8.1, 13.7 by sendfile.
constexpr off_t kReadLimit = 8 * 1024;

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
      return 500;
    default:
      // ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EXDEV (would leave the root), ENXIO (a socket, a
      // device without driver), EILSEQ, EINVAL (names a file system refuses) …
      return 404;
  }
}

/// A file by its identity, whatever it is called (fstat(2)), and where it was.
struct Refused {
  Refused(std::string where, const struct stat& info)
      : path(std::move(where)), device(info.st_dev), inode(info.st_ino) {}
  bool is(const struct stat& info) const noexcept {
    return info.st_dev == device && info.st_ino == inode;
  }
  std::string path;
  dev_t device;
  ino_t inode;
};

std::string_view last_segment(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);
}

// False when the file has become shorter than fstat said.
bool read_whole(int fd, off_t size, std::string& bytes) {
  bytes.resize_and_overwrite(static_cast<std::size_t>(size), [fd](char* at, std::size_t room) {
    std::size_t got = 0;
    while (got < room) {
      auto n = ::read(fd, at + got, room - got);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  });
  return bytes.size() == static_cast<std::size_t>(size);
}

void add_validators(Response& response, const Validators& validators) {
  response.header("ETag", std::string(validators.etag()));
  response.header("Last-Modified", format_http_date(validators.modified()));
}

// 200, 304 or 412 for a regular file.
Response answer_file(const Request& request, std::string_view name, OpenedFile opened) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  Validators validators(static_cast<std::uint64_t>(opened.info.st_size), opened.info.st_mtim, now);
  auto condition = evaluate_conditions(request.headers(), validators);
  if (condition == Condition::precondition_failed) return Response::error(412);
  if (condition == Condition::not_modified) {
    Response response(304);
    add_validators(response, validators);
    return response;
  }

  Response response;
  off_t size = opened.info.st_size;
  if (request.method() == "GET" && size <= kReadLimit) {
    std::string bytes;
    if (!read_whole(opened.file.get(), size, bytes)) return Response::error(503);
    response.body(std::move(bytes));
  } else {
    response.body(FileBody{std::move(opened.file), 0, static_cast<std::uint64_t>(size)});
  }
  response.type(content_type_of(name));
  add_validators(response, validators);
  return response;
}

}  // namespace

struct Files::Impl {
  RootDirectory root;
  Options options;
  std::vector<Refused> refused;
  std::string path;  // of the request in hand; a member, so that its storage is used again

  Response answer(const Request& request);
  Response answer_index(const Request& request);
  Response redirect_to_directory(const Request& request) const;
  bool is_served(const OpenedFile& opened) const noexcept;
};

Result<Files> Files::open(const Options& options) {
  auto root = RootDirectory::open(options.root);
  if (!root) return std::unexpected(root.error());
  std::vector<Refused> refused;
  for (const auto& path : options.refuse) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) refused.emplace_back(path, info);
  }
  return Files(
      std::make_unique<Impl>(std::move(*root), options, std::move(refused), std::string()));
}

Files::Files(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Files::~Files() = default;
Files::Files(Files&&) noexcept = default;
Files& Files::operator=(Files&&) noexcept = default;

Response Files::answer(const Request& request) {
  if (request.method() == "GET" || request.method() == "HEAD") return impl_->answer(request);
  // RFC 9110 §15.5.6: a 405 says what is allowed.
  Response response = request.method() == "OPTIONS" ? Response(204) : Response::error(405);
  response.header("Allow", std::string(kAllowed));
  return response;
}

Response Files::Impl::answer(const Request& request) {
  bool is_directory = false;
  switch (normalise_path(request.path(), path, is_directory)) {
    case PathVerdict::malformed:
      return Response::error(400);
    case PathVerdict::hidden:
      return Response::error(404);
    case PathVerdict::ok:
      break;
  }
  if (is_directory) return answer_index(request);

  auto opened = root.open_file(path.c_str());
  if (!opened) return Response::error(status_of_errno(opened.error()));
  if (S_ISDIR(opened->info.st_mode)) return redirect_to_directory(request);
  if (!is_served(*opened)) return Response::error(404);
  return answer_file(request, path, std::move(*opened));
}

// "dir/": the first index file that is there. A file with a slash after it ends here too, by
// ENOTDIR.
Response Files::Impl::answer_index(const Request& request) {
  if (!path.empty()) path.push_back('/');
  std::size_t folder = path.size();
  for (const auto& index : options.index) {
    path.resize(folder);
    path.append(index);
    auto opened = root.open_file(path.c_str());
    if (opened && is_served(*opened)) return answer_file(request, path, std::move(*opened));
    if (opened) continue;
    int status = status_of_errno(opened.error());
    if (status != 404) return Response::error(status);
  }
  return Response::error(404);
}

// The Location is made from the normalised path, so it begins with exactly one slash: "//evil" as
// asked for would name another host.
Response Files::Impl::redirect_to_directory(const Request& request) const {
  std::string location = "/";
  append_encoded_path(location, path);
  location.push_back('/');
  if (!request.query().empty()) {
    location.push_back('?');
    append_encoded_query(location, request.query());
  }
  return Response::redirect(301, std::move(location));
}

// Only regular files: a FIFO or a device may wait for ever when read.
bool Files::Impl::is_served(const OpenedFile& opened) const noexcept {
  if (!S_ISREG(opened.info.st_mode)) return false;
  std::string_view name = last_segment(path);
  return std::ranges::none_of(refused, [&](const Refused& file) {
    if (file.is(opened.info)) return true;
    // It may have been replaced by rename(2) since: asked only for that name.
    struct stat now{};
    return name == last_segment(file.path) && ::stat(file.path.c_str(), &now) == 0 &&
           Refused({}, now).is(opened.info);
  });
}

}  // namespace pronghorn::server
