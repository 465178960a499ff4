// SPDX-License-Identifier: Apache-2.0
// An answer as handlers give it. Framing (Content-Length, Connection, Date) is the server's.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pronghorn {

namespace server {
struct SiteFile;  // server/site.cpp
}

/// By what a change of a file's contents shows (stat(2)).
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_s = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

/// An open regular file, which several answers may be sending. Closed after the last of them.
class SharedFile {
 public:
  SharedFile() = default;
  SharedFile(UniqueFd file) : SharedFile(std::move(file), std::nullopt) {}
  /// With a stamp: a file that has another one before its last bytes are sent was changed
  /// meanwhile, so the connection is cut instead of ending an answer that is mixed from two.
  SharedFile(UniqueFd file, std::optional<FileStamp> stamp)
      : open_(std::make_shared<const Open>(std::move(file), stamp)) {}

  int fd() const noexcept { return open_ ? open_->file.get() : -1; }
  const FileStamp* stamp() const noexcept {
    return open_ && open_->stamp ? &*open_->stamp : nullptr;
  }

 private:
  struct Open {
    Open(UniqueFd f, std::optional<FileStamp> s) : file(std::move(f)), stamp(s) {}
    UniqueFd file;
    std::optional<FileStamp> stamp;
  };
  std::shared_ptr<const Open> open_;
};

/// Text, and a piece of the body's file after it.
struct FilePart {
  std::string before;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// A piece of an open regular file as a body; then, for multipart/byteranges, further parts and
/// what stands after the last.
struct FileBody {
  SharedFile file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::vector<FilePart> more{};
  std::string tail{};

  /// Bytes of the whole body.
  std::uint64_t total() const noexcept;
};

/// Move-only. What changes it can be chained: return Response::text("made").status(201);
class Response {
 public:
  Response() = default;
  explicit Response(int status) : status_(status) {}

  /// 200 with text/plain; charset=utf-8.
  static Response text(std::string body);
  static Response html(std::string body);
  /// A status with a small page that says it (errors, redirects): no version, nothing of the
  /// request.
  static Response error(int status);
  /// 301, 302, 303, 307 or 308 to `location`, which must be a valid URI reference.
  static Response redirect(int status, std::string location);

  int status() const noexcept { return status_; }
  /// 200 to 599; anything else becomes a 500 when sent.
  Response& status(int status) &;
  Response&& status(int status) && { return std::move(this->status(status)); }
  /// Adds a field. Names must be tokens, values free of control bytes but the tab (RFC 9110 §5.5):
  /// else the whole response becomes a 500 when sent. Content-Type replaces the type.
  /// Content-Length, Transfer-Encoding, Connection, Keep-Alive, Date and X-Content-Type-Options are
  /// the server's own and are ignored here.
  Response& header(std::string name, std::string value) &;
  Response&& header(std::string name, std::string value) && {
    return std::move(this->header(std::move(name), std::move(value)));
  }
  /// Replaces every field of that name, in any case; adds it when there is none.
  Response& set_header(std::string name, std::string value) &;
  /// Takes away every field of that name, in any case.
  Response& remove_header(std::string_view name) &;
  /// Replaces the Content-Type.
  Response& type(std::string_view content_type) &;
  Response&& type(std::string_view content_type) && { return std::move(this->type(content_type)); }
  Response& body(std::string bytes) &;
  Response&& body(std::string bytes) && { return std::move(this->body(std::move(bytes))); }
  Response& body(FileBody file) &;
  Response&& body(FileBody file) && { return std::move(this->body(std::move(file))); }

  /// Bytes that several answers share: they are sent from where they are.
  Response& body(std::shared_ptr<const std::string> bytes) &;
  Response&& body(std::shared_ptr<const std::string> bytes) && {
    return std::move(this->body(std::move(bytes)));
  }

  struct Header {
    std::string name, value;
  };
  /// Fields and a type that were made before, for answers that are given often: nothing is copied
  /// until one is added.
  struct Head {
    std::vector<Header> headers;
    std::string type;
    /// All of it as it goes out, checked; empty: made each time. The server's, and not copied: a
    /// copy is there to be changed.
    struct Text {
      std::string bytes;
      Text() = default;
      Text(const Text&) noexcept {}
      Text(Text&&) = default;
      Text& operator=(const Text&) = delete;
    };
    Text text{};
  };
  /// Replaces all fields and the type.
  Response& head(std::shared_ptr<const Head> head) &;
  const std::vector<Header>& headers() const noexcept { return head_ ? head_->headers : headers_; }
  std::string_view content_type() const noexcept {
    if (!own_type_.empty()) return own_type_;
    return head_ ? std::string_view(head_->type) : known_type_;
  }
  /// Null: there is none, or something was changed since.
  const Head* shared_head() const noexcept { return own_type_.empty() ? head_.get() : nullptr; }
  /// The type was given by type() or header(), not one of the usual ones.
  bool has_own_type() const noexcept { return !own_type_.empty() || head_ != nullptr; }
  using Body =
      std::variant<std::monostate, std::string, FileBody, std::shared_ptr<const std::string>>;
  const Body& body() const noexcept { return body_; }
  Body take_body() noexcept { return std::move(body_); }
  /// Its body is the page of its status: error() or redirect(), and no body() since.
  bool is_page() const noexcept { return page_; }

 private:
  Response(std::string_view known_type, std::string&& body) noexcept
      : known_type_(known_type), body_(std::move(body)) {}
  friend struct server::SiteFile;
  void own_head();

  int status_ = 200;
  bool page_ = false;
  bool site_file_ = false;       // the body is a site's file, as the site gave it
  std::string_view known_type_;  // a literal, so that the usual types cost no allocation
  std::string own_type_;
  std::vector<Header> headers_;       // empty while there is a head_
  std::shared_ptr<const Head> head_;  // until a field is added
  Body body_;
};

}  // namespace pronghorn
