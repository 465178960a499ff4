// SPDX-License-Identifier: Apache-2.0
#include "server/compression.h"

#include "server/match.h"
#include "server/response_fields.h"
#include "server/status.h"
#include "server/syntax.h"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>
#include <variant>

namespace pronghorn::server {
namespace {

using SharedBytes = std::shared_ptr<const std::string>;

/// Empty: a body that is none, or in several parts.
std::uint64_t whole_size(const Response& response) noexcept {
  if (const auto* text = std::get_if<std::string>(&response.body())) return text->size();
  if (const auto* shared = std::get_if<SharedBytes>(&response.body()))
    return *shared ? (*shared)->size() : 0;
  const auto* file = std::get_if<FileBody>(&response.body());
  return file != nullptr && file->more.empty() && file->tail.empty() ? file->length : 0;
}

/// All of a file body; empty when it is not there in full, or was changed since it was opened.
std::string read_file(const FileBody& body) {
  std::string bytes(static_cast<std::size_t>(body.length), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    auto n = ::pread(body.file.fd(), bytes.data() + got, bytes.size() - got,
                     static_cast<off_t>(body.offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    got += static_cast<std::size_t>(n);
  }
  struct stat now{};
  if (const FileStamp* stamp = body.file.stamp();
      stamp != nullptr &&
      (::fstat(body.file.fd(), &now) != 0 || *stamp != FileIdentity::of(now).stamp()))
    return {};
  return bytes;
}

/// "W/"abc-gzip"" of "abc". Weak: its bytes depend on the level and on the library's version.
std::string tag_of_coding(std::string_view tag, Encoding encoding) {
  std::string_view opaque = tag.starts_with("W/") ? tag.substr(2) : tag;
  if (opaque.size() < 2 || !opaque.ends_with('"')) return {};
  std::string made = "W/";
  made.append(opaque.substr(0, opaque.size() - 1)).append("-").append(encoding_name(encoding));
  return made + '"';
}

/// Weak comparison (RFC 9110 §8.8.3.2) with each tag of If-None-Match. An opaque tag has no quotes
/// in it, so that it stands in a list nowhere but as a tag.
bool is_known(std::span<const Field> headers, std::string_view tag) noexcept {
  return std::ranges::any_of(headers, [&](const Field& header) {
    return iequals(header.name, "if-none-match") && header.value.contains(tag.substr(2));
  });
}

}  // namespace

Compression::Compression(const config::Compression& rules)
    : rules_(rules), compressor_(static_cast<int>(rules.level)), cache_(rules.cache) {}

void Compression::apply(const Request& request, Response& response, const FileIdentity* file) {
  // The usual file, as it is kept: its head says Vary where its kind is compressed.
  if (file != nullptr && response.shared_head() != nullptr && response.status() == 200 &&
      std::ranges::none_of(request.headers(), [](const Field& field) {
        return is_field(field.name, "accept-encoding");
      })) {
    return;
  }
  const bool is_unmodified = response.status() == 304 && whole_size(response) > 0;
  if (is_unmodified) response.status(200);
  encode(request, response, file);
  if (!is_unmodified) return;
  response.status(304).body(std::string());
  response.remove_header("Content-Encoding").remove_header("Accept-Ranges");
}

void Compression::encode(const Request& request, Response& response, const FileIdentity* file) {
  if (!is_eligible(response)) return;
  if (!lists(response, "vary", "accept-encoding")) response.header("Vary", "Accept-Encoding");
  auto encoding = choose_encoding(request.headers(), all_encodings());
  if (!encoding || *encoding == Encoding::identity) return;
  auto bytes = result(*encoding, response, file);
  if (!bytes) return;

  std::string tag = tag_of_coding(field(response, "etag"), *encoding);
  if (!tag.empty()) {
    response.set_header("ETag", tag);
    bool is_read = request.method() == "GET" || request.method() == "HEAD";
    if (is_read && response.status() == 200 && is_known(request.headers(), tag)) {
      response.status(304).body(std::string());
      response.remove_header("Accept-Ranges");
      return;
    }
  }
  response.header("Content-Encoding", std::string(encoding_name(*encoding)));
  response.remove_header("Accept-Ranges");  // there are none of what was compressed
  response.body(std::move(bytes));
}

bool Compression::takes(std::string_view content_type, std::uint64_t bytes) const noexcept {
  if (bytes < rules_.min_size || bytes > rules_.max_size) return false;
  auto type = media_type(content_type);
  return !type.empty() && std::ranges::any_of(rules_.types, [&](const auto& pattern) {
    return type_fits(pattern, type);
  });
}

bool Compression::is_eligible(const Response& response) const noexcept {
  std::uint64_t size = whole_size(response);
  if (size < rules_.min_size || size == 0) return false;  // first, as most that is small ends here
  int status = response.status();
  if (is_bodiless(status) || status == 205 || status == 206 || status == 416) return false;
  if (response.is_page() || !takes(response.content_type(), size)) return false;
  return !has_field(response, "content-encoding") && !has_field(response, "content-range") &&
         !lists(response, "cache-control", "no-transform");
}

/// Null: it is sent as it is.
SharedBytes Compression::result(Encoding encoding, Response& response, const FileIdentity* file) {
  if (file != nullptr) {
    if (const auto* kept = cache_.find(*file, encoding)) return kept->bytes;
  }
  std::string read;
  std::string_view bytes;
  if (const auto* text = std::get_if<std::string>(&response.body())) {
    bytes = *text;
  } else if (const auto* shared = std::get_if<SharedBytes>(&response.body())) {
    bytes = **shared;
  } else {
    read = read_file(std::get<FileBody>(response.body()));
    if (read.empty()) return nullptr;
    bytes = read;
  }
  auto compressed = compressor_.compress(encoding, bytes);
  auto kept = compressed ? std::make_shared<const std::string>(std::move(*compressed)) : nullptr;
  if (file != nullptr) cache_.insert(*file, encoding, kept);
  return kept;
}

}  // namespace pronghorn::server
