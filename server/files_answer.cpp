// SPDX-License-Identifier: Apache-2.0
// An entry and a request to an answer, in the order of RFC 9110 §13.2.2: which form, its
// conditions, then its ranges.
#include "server/date.h"
#include "server/files_impl.h"
#include "server/serializer.h"
#include "server/syntax.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>
#include <utility>

namespace pronghorn::server {
namespace {

/// Up to this size a file that the cache does not take is read into the answer, which then leaves
/// in one write with its head and with its pipelined neighbours. Measured over loopback, CPU of the
/// sender for 1, 4, 8, 16, 64 KiB: 6.3, 6.7, 7.2, 9.5, 18.5 us read and sent, 8.6, 8.2, 7.7, 8.1,
/// 13.7 by sendfile.
constexpr std::uint64_t kReadLimit = 8 * 1024;

/// Not by the time of change, which moves as well when the file is replaced or renamed.
bool is_same_contents(int fd, const FileIdentity& identity) noexcept {
  struct stat now{};
  return ::fstat(fd, &now) == 0 && FileIdentity::of(now).stamp() == identity.stamp();
}

/// Where a 200 would have had fields that are no longer true.
Response error_of(int status, const FileEntry& entry) {
  Response response = Response::error(status);
  if (entry.has_variants()) response.header("Vary", "Accept-Encoding");
  return response;
}

std::shared_ptr<const Response::Head> make_unmodified_head(const Response::Head& whole) {
  Response::Head head;
  head.type = whole.type;  // a 304 does not send it, rules go by it
  for (const auto& field : whole.headers) {
    // RFC 9110 §15.4.5: what guides a cache, and nothing of the body.
    if (field.name == "ETag" || field.name == "Last-Modified" || field.name == "Vary") {
      head.headers.push_back(field);
    }
  }
  return std::make_shared<const Response::Head>(std::move(head));
}

bool wants_coding(const Request& request) {
  auto coding = choose_encoding(request.headers(), all_encodings());
  return coding && *coding != Encoding::identity;
}

/// "*" is as any tag: which one is known when it is compressed.
bool names_a_tag(const Request& request) {
  return request.has_header("if-none-match") && request.header("if-none-match") != "*";
}

/// Their conditions are evaluated when it is compressed (RFC 9110 §13.2.2: before the range), and
/// the date of If-Range is that of all codings.
bool hinders_range(std::span<const Field> headers) noexcept {
  return std::ranges::any_of(headers, [](const Field& field) {
    if (is_field(field.name, "if-none-match")) return true;
    return is_field(field.name, "if-range") && !field.value.contains('"');
  });
}

std::string_view view(const std::string& bytes, const ByteRange& range) {
  return std::string_view(bytes).substr(range.first, range.length);
}

}  // namespace

std::optional<std::string> read_whole(int fd, const FileIdentity& identity) {
  std::string bytes;
  auto size = static_cast<std::size_t>(identity.size);
  bytes.resize_and_overwrite(size, [fd](char* at, std::size_t room) {
    std::size_t got = 0;
    while (got < room) {
      auto n = ::pread(fd, at + got, room - got, static_cast<off_t>(got));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  });
  // Looked at after reading: a write meanwhile has moved its times by then.
  if (bytes.size() != size || !is_same_contents(fd, identity)) return std::nullopt;
  return bytes;
}

std::shared_ptr<const Response::Head> make_head(const Validators& validators, std::string_view type,
                                                Encoding encoding, bool varies) {
  Response::Head head;
  head.type = type;
  head.headers.reserve(5);
  head.headers.push_back({"ETag", std::string(validators.etag())});
  head.headers.push_back({"Last-Modified", format_http_date(validators.modified())});
  head.headers.push_back({"Accept-Ranges", "bytes"});
  if (varies) head.headers.push_back({"Vary", "Accept-Encoding"});
  if (encoding != Encoding::identity) {
    head.headers.push_back({"Content-Encoding", std::string(encoding_name(encoding))});
  }
  prepare(head);
  return std::make_shared<const Response::Head>(std::move(head));
}

bool Files::Impl::answer(const Request& request, FileEntry& entry, Response& response) {
  auto encoding = Encoding::identity;
  if (entry.has_variants()) {
    // To who refuses everything, identity included, it is still a better answer than 406 (RFC 9110
    // §15.5.7 leaves the choice).
    encoding = choose_encoding(request.headers(), entry.offered).value_or(Encoding::identity);
  }
  FileForm& form = entry.form(encoding);
  switch (evaluate_conditions(request.headers(), form.validators)) {
    case Condition::precondition_failed:
      response = error_of(412, entry);
      return true;
    case Condition::not_modified: {
      // By date or "*": its tag is known when it was compressed. Compression takes the body away
      // again.
      if (is_compressed(form, encoding) && !names_a_tag(request)) {
        if (!answer_whole(entry, encoding, response)) return false;
        response.status(304);
        return true;
      }
      if (!form.unmodified) form.unmodified = make_unmodified_head(*form.head);
      response.status(304);
      response.head(form.unmodified);
      return true;
    }
    case Condition::proceed:
      break;
  }
  // What is compressed on its way has to be read for HEAD too, to have the fields that GET has.
  if (request.method() == "GET" || is_compressed(form, encoding)) {
    return answer_body(request, entry, encoding, response);
  }
  if (entry.is_settled) served = form.identity;
  response.head(form.head);
  response.body(FileBody{{}, 0, form.identity.bytes()});
  return true;
}

/// On its way: by Compression.
bool Files::Impl::is_compressed(const FileForm& form, Encoding encoding) const {
  return encoding == Encoding::identity && options.is_compressed &&
         options.is_compressed(form.head->type, form.identity.bytes());
}

bool Files::Impl::answer_body(const Request& request, FileEntry& entry, Encoding encoding,
                              Response& response) {
  FileForm& form = entry.form(encoding);
  std::uint64_t size = form.identity.bytes();
  // A Range is for GET alone (RFC 9110 §14.2); HEAD has the length that GET has.
  auto verdict = request.method() == "GET"
                     ? evaluate_range(request.headers(), size, options.ranges, ranges)
                     : RangeVerdict::whole;
  if (verdict != RangeVerdict::whole && !if_range_holds(request.headers(), form.validators)) {
    verdict = RangeVerdict::whole;
  }
  if (verdict != RangeVerdict::whole && is_compressed(form, encoding) &&
      hinders_range(request.headers()) && wants_coding(request)) {
    verdict = RangeVerdict::whole;
  }
  if (verdict == RangeVerdict::unsatisfiable) {
    response = error_of(416, entry);
    response.header("Content-Range", unsatisfied_range(size)).header("Accept-Ranges", "bytes");
    return true;
  }
  if (verdict != RangeVerdict::partial) return answer_whole(entry, encoding, response);
  Contents contents = load(entry, encoding);
  if (contents.index() == 0) return false;
  if (entry.is_settled) served = form.identity;
  response = answer_parts(form, std::move(contents));
  return true;
}

bool Files::Impl::answer_whole(FileEntry& entry, Encoding encoding, Response& response) {
  FileForm& form = entry.form(encoding);
  Contents contents = load(entry, encoding);
  if (contents.index() == 0) return false;
  if (entry.is_settled) served = form.identity;
  response.head(form.head);
  if (auto* own = std::get_if<std::string>(&contents)) {
    response.body(std::move(*own));
  } else if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&contents)) {
    response.body(std::move(*shared));
  } else {
    response.body(FileBody{std::move(std::get<SharedFile>(contents)), 0, form.identity.bytes()});
  }
  return true;
}

/// 206 with `ranges`.
Response Files::Impl::answer_parts(const FileForm& form, Contents contents) {
  std::uint64_t size = form.identity.bytes();
  const std::string* bytes = std::get_if<std::string>(&contents);
  if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&contents)) {
    bytes = shared->get();
  }
  auto* file = std::get_if<SharedFile>(&contents);
  Response response(206);
  response.head(form.head);
  if (ranges.size() == 1) {
    response.header("Content-Range", content_range(ranges[0], size));
    if (file == nullptr) return std::move(response).body(std::string(view(*bytes, ranges[0])));
    return std::move(response).body(FileBody{std::move(*file), ranges[0].first, ranges[0].length});
  }
  std::string boundary = make_boundary();
  std::string type(response.content_type());
  response.type("multipart/byteranges; boundary=" + boundary);
  std::string text;
  FileBody body;
  for (const ByteRange& range : ranges) {
    std::string head = part_head(boundary, type, range, size, &range == ranges.data());
    if (file == nullptr) {
      text.append(head).append(view(*bytes, range));
    } else {
      body.more.push_back({std::move(head), range.first, range.length});
    }
  }
  if (file == nullptr) return std::move(response).body(text.append(part_end(boundary)));
  body.file = std::move(*file);
  body.tail = part_end(boundary);
  return std::move(response).body(std::move(body));
}

/// The bytes of a form, or a descriptor to send them from: the cache's, or new ones.
Files::Impl::Contents Files::Impl::load(FileEntry& entry, Encoding encoding) {
  FileForm& form = entry.form(encoding);
  if (form.bytes) return form.bytes;
  if (form.file.fd() >= 0) {
    // Replaced by rename(2) it is still whole; written to in place it is not what its head says.
    if (!is_same_contents(form.file.fd(), form.identity)) return {};
    return form.file;
  }
  UniqueFd fd = std::move(form.opened);
  if (!fd) {
    auto again = open(entry.path + std::string(encoding_suffix(encoding)));
    if (!again || !(FileIdentity::of(again->info) == form.identity)) return {};
    fd = std::move(again->file);
  }
  std::uint64_t size = form.identity.bytes();
  bool is_kept = &entry != &uncached;
  if (size <= (is_kept ? options.cache->options().file : kReadLimit)) {
    auto bytes = read_whole(fd.get(), form.identity);
    // Changed a moment ago, a write may be under way that moved the times before we looked: then
    // two readings differ.
    bool in_doubt = form.validators.is_weak();
    if (!bytes || (in_doubt && read_whole(fd.get(), form.identity) != bytes)) return {};
    if (!is_kept) return std::move(*bytes);
    auto shared = std::make_shared<const std::string>(std::move(*bytes));
    form.bytes = shared;
    options.cache->account(entry);
    return shared;
  }
  SharedFile file(std::move(fd), form.identity.stamp());
  if (is_kept) {
    form.file = file;
    options.cache->account(entry);
  }
  return file;
}

}  // namespace pronghorn::server
