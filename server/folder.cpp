// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/file_name.h>
#include <pronghorn/server/folder.h>
#include <pronghorn/server/router.h>

#include "server/file_cache.h"
#include "server/files.h"
#include "server/files_impl.h"
#include "server/path.h"
#include "server/request_builder.h"
#include "server/syntax.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace pronghorn {
namespace {

/// Beside those of the sites' cache, for which the worker's limit of descriptors is shared out.
constexpr std::size_t kKeptDescriptors = 16;

bool is_content(int status) noexcept { return status == 200 || status == 206; }

/// "a/b" of "/a/b/"; nothing when a handler's pattern could not have it.
std::optional<std::string> mount_of(std::string_view prefix) {
  if (!prefix.starts_with('/')) return std::nullopt;
  prefix.remove_prefix(1);
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  std::string path = "/" + std::string(prefix);
  std::string normal;
  bool is_directory = false;
  bool has_parameter = path.contains("/:") || path.contains("/*") || path.contains('%');
  if (has_parameter ||
      server::normalise_path(path, normal, is_directory) != server::PathVerdict::ok ||
      normal != prefix) {
    return std::nullopt;
  }
  return normal;
}

/// A request as Files is asked it.
class Asked {
 public:
  explicit Asked(const Request& request) : request_(request) {
    if (request.method() != "HEAD") return;
    // It has the fields that GET has, also where a compression on the way needs the bytes for them;
    // a Range is for GET alone (RFC 9110 §14.2).
    RequestBuilder{request_}.method("GET");
    drop_range();
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  void drop_range() {
    if (!request_.has_header("range")) return;
    fields_.clear();
    std::ranges::remove_copy_if(
        request_.headers(), std::back_inserter(fields_),
        [](const Field& field) { return server::iequals(field.name, "range"); });
    RequestBuilder{request_}.headers(fields_);
  }
  Request& operator*() noexcept { return request_; }

 private:
  Request request_;
  std::vector<Field> fields_;
};

}  // namespace

struct Folder::Impl {
  server::Files files;
  std::string cache_control;
};

Folder::Folder(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Folder::~Folder() = default;
Folder::Folder(Folder&&) noexcept = default;
Folder& Folder::operator=(Folder&&) noexcept = default;

/// What answers below a prefix.
struct FolderMount {
  static Result<Folder> open(const std::string& directory, std::string mount,
                             const FolderOptions& options) {
    server::Files::Options files{.root = directory,
                                 .mount = std::move(mount),
                                 .index = options.index,
                                 .refuse = options.refuse,
                                 .precompressed = options.precompressed};
    if (options.cache_memory != 0) {
      files.cache = std::make_shared<server::FileCache>(server::FileCache::Options{
          .memory = options.cache_memory, .descriptors = kKeptDescriptors});
    }
    auto opened = server::Files::open(files);
    if (!opened) return std::unexpected(opened.error());
    return Folder(std::make_unique<Folder::Impl>(std::move(*opened), options.cache_control));
  }
  static Response answer(Folder& folder, const Request& request) {
    Asked asked(request);
    return cached(folder.impl_->files.answer(*asked), folder.impl_->cache_control);
  }
  static Response cached(Response response, const std::string& cache_control) {
    bool is_meant = is_content(response.status()) || response.status() == 304;
    if (is_meant && !cache_control.empty()) response.header("Cache-Control", cache_control);
    return response;
  }
};

Result<Folder> Folder::open(const std::string& directory, const FolderOptions& options) {
  return FolderMount::open(directory, {}, options);
}

Response Folder::send(const Request& request, std::string_view path,
                      const SendFileOptions& options) {
  // A name and no directory: what Files answers for one, a redirect or an index, is not asked for.
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") return Response::error(404);
  std::string target = "/";
  server::append_encoded_path(target, path);
  Asked asked(request);
  if ((*asked).method() != "GET") RequestBuilder{*asked}.method("GET").headers({});
  // Parts say their type as well: the whole is as good an answer (RFC 9110 §14.2).
  if (!options.type.empty() && request.header("range").contains(',')) asked.drop_range();
  RequestBuilder{*asked}.path(target).query({});
  Response response = impl_->files.answer(*asked);
  if (response.status() == 301 || response.status() == 400) return Response::error(404);
  const std::string& cache_control =
      options.cache_control.empty() ? impl_->cache_control : options.cache_control;
  if (!is_content(response.status()))
    return FolderMount::cached(std::move(response), cache_control);
  if (!options.type.empty()) response.type(options.type);
  if (options.download) {
    response.header("Content-Disposition",
                    attachment(options.download->empty() ? path : *options.download));
  }
  return FolderMount::cached(std::move(response), cache_control);
}

Response send_file(const Request& request, std::string_view path, const SendFileOptions& options) {
  std::string root = options.root;
  if (root.empty()) {
    auto slash = path.rfind('/');
    root = slash == std::string_view::npos ? "." : std::string(path.substr(0, slash + 1));
    path.remove_prefix(slash + 1);  // npos + 1 is 0
  }
  auto folder = Folder::open(root, {.precompressed = options.precompressed, .cache_memory = 0});
  if (!folder) return Response::error(server::status_of_errno(folder.error().errno_value()));
  return folder->send(request, path, options);
}

std::string attachment(std::string_view name) {
  const std::string safe = safe_file_name(name);
  // Who does not know filename* takes this one; a '%' in it is decoded by some.
  std::string plain;
  std::string extended;
  for (char c : safe) {
    constexpr std::string_view kAttribute = "!#$&+-.^_`|~";
    constexpr std::string_view kHex = "0123456789ABCDEF";
    auto byte = static_cast<unsigned char>(c);
    bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_word || kAttribute.contains(c)) {
      extended += c;
    } else {
      extended.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
    if ((byte & 0xc0) == 0x80) continue;  // one '_' for a character
    plain += byte < 0x80 && c != '"' && c != '\\' && c != '%' ? c : '_';
  }
  std::string value = "attachment; filename=\"" + plain + '"';
  if (plain != safe) value += "; filename*=UTF-8''" + extended;
  return value;
}

Result<void> add_files(Router& router, std::string_view prefix, const std::string& directory,
                       const FolderOptions& options) {
  auto wrong = [&](const std::string& why) {
    return std::unexpected(Error("files \"" + std::string(prefix) + "\": " + why));
  };
  auto mount = mount_of(prefix);
  if (!mount) return wrong("a prefix is a path without parameters, as \"/assets\"");
  auto folder = FolderMount::open(directory, *mount, options);
  if (!folder) return wrong(folder.error().message());
  auto shared = std::make_shared<Folder>(std::move(*folder));
  auto answer = [shared](const Request& q) { return FolderMount::answer(*shared, q); };
  std::string base = mount->empty() ? "" : "/" + *mount;
  if (!base.empty()) {
    if (auto added = router.add("GET", base, answer); !added) return added;
  }
  return router.add("GET", base + "/*path", answer);
}

}  // namespace pronghorn
