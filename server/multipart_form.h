// SPDX-License-Identifier: Apache-2.0
// A multipart/form-data body with its parts kept: fields in memory, files in memory or, above a
// size, in a temporary file without a name.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/server/form.h>
#include <pronghorn/server/multipart.h>
#include <pronghorn/server/request.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn {

/// Every limit is BodyErrc::too_large when it is passed.
struct MultipartLimits {
  MultipartParser::Limits parser = {};     ///< parts of one form, bytes of one part's head
  std::size_t field = 64 * 1024;           ///< bytes of one field
  std::size_t fields = 1024 * 1024;        ///< bytes of all names and fields together
  std::size_t file_in_memory = 16 * 1024;  ///< a file with more goes to a temporary file
  std::uint64_t file = 100ULL << 20;       ///< bytes of one file
  std::uint64_t files = 200ULL << 20;      ///< bytes of all files of one form
  std::string directory = {};              ///< of temporary files; empty: $TMPDIR, or /tmp
};

/// A file of a form. Its temporary file, if it has one, goes with it.
class UploadedFile {
 public:
  std::string field;      ///< the name of the form's field
  std::string name;       ///< safe_file_name() of sent_name
  std::string sent_name;  ///< as the client sent it: never a path of yours
  std::string type;       ///< as the client says; empty: it said nothing
  std::uint64_t size = 0;

  /// Its bytes. Blocks while it is read, when it is not in memory. @errors errno
  Result<std::string> read() const;
  /// Makes the file `path`, mode 0600; nothing is replaced. Blocks: copies unless the temporary
  /// directory is on the same file system. @errors errno (EEXIST, ENOENT, ENOSPC …)
  Result<void> save(const std::string& path) const;
  /// Null when it is in a temporary file.
  const std::string* memory() const noexcept { return file_ ? nullptr : &bytes_; }
  /// The temporary file, open for reading and writing; -1 when it is in memory.
  int descriptor() const noexcept { return file_.get(); }

 private:
  friend class MultipartForm;
  std::string bytes_;
  UniqueFd file_;
};

class MultipartForm {
 public:
  /// Of the request's body as a whole: routes without `stream_body`.
  /// @errors malformed, unsupported_type, too_large, storage, storage_full
  static Result<MultipartForm> parse(const Request& request, const MultipartLimits& limits = {});
  /// For a body that comes in pieces: feed() each, then finish(). @errors as boundary_of()
  static Result<MultipartForm> begin(std::string_view content_type,
                                     const MultipartLimits& limits = {});
  ~MultipartForm();
  MultipartForm(MultipartForm&&) noexcept;
  MultipartForm& operator=(MultipartForm&&) noexcept;

  /// After an error nothing more may be fed. Writes of temporary files block as long as the kernel
  /// lets them. @errors as parse()
  Result<void> feed(std::string_view bytes);
  Result<void> finish();

  /// What is not a file, in order.
  std::span<const Form::Field> fields() const noexcept;
  /// The first of that name.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// Also those that were left empty: a browser sends them with no name and no bytes.
  std::span<const UploadedFile> files() const noexcept;
  /// The first of that field; null when there is none.
  const UploadedFile* file(std::string_view field) const noexcept;

 private:
  struct Impl;
  explicit MultipartForm(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn
