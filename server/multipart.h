// SPDX-License-Identifier: Apache-2.0
// multipart/form-data (RFC 7578, RFC 2046 §5.1) as it arrives: bytes in, parts out. No I/O; what
// becomes of the parts is its owner's business (multipart_form.h keeps them).
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/body_error.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn {

/// The head of a part.
struct MultipartHead {
  std::string name;                      ///< of the form's field
  std::optional<std::string> file_name;  ///< as sent; set when the part is a file
  std::string type;  ///< its Content-Type as sent; empty when it has none (text/plain)
};

class MultipartParser {
 public:
  struct Limits {
    std::size_t parts = 256;      ///< of one form
    std::size_t head = 8 * 1024;  ///< bytes of one part's header fields, its delimiter included
  };
  class Owner {
   public:
    /// What they return as an error ends the parsing, and is feed()'s error.
    virtual Result<void> on_part(MultipartHead head) = 0;
    /// A piece of the part's content; where it is cut depends on how it arrived.
    virtual Result<void> on_data(std::string_view bytes) = 0;
    virtual Result<void> on_part_end() = 0;

   protected:
    ~Owner() = default;
  };

  /// The boundary of a `multipart/form-data; boundary=…`.
  /// @errors unsupported_type for another type; malformed without a boundary, or with one that is
  /// not 1 to 70 characters of RFC 2046's
  static Result<std::string> boundary_of(std::string_view content_type);

  /// `owner` must outlive the parser.
  MultipartParser(std::string_view boundary, const Limits& limits, Owner& owner);

  /// The next bytes of the body. After an error nothing more may be fed.
  /// @errors malformed, too_large, and what the owner returned
  Result<void> feed(std::string_view bytes);
  /// The body is over. @errors malformed when its final delimiter did not come
  Result<void> finish();

 private:
  enum class State : std::uint8_t {
    preamble,   // before the first delimiter: ignored
    delimiter,  // after "--boundary": what kind is it?
    dashes,     // … and one '-'
    padding,    // white space after it, up to CR
    line_feed,
    head,
    content,
    epilogue,  // after the final delimiter: ignored
  };

  Result<void> find_delimiter(std::string_view& in);
  Result<void> read_after_delimiter(char c);
  Result<void> read_head(std::string_view& in);
  Result<void> begin_part();
  Result<void> pass_on(std::string_view bytes);

  Limits limits_;
  Owner& owner_;
  std::string delimiter_;    // CR LF "--" boundary
  std::string head_;         // of the part that begins
  std::size_t matched_ = 2;  // bytes of the delimiter that are here …
  std::size_t implied_ = 2;  // … of which its CRLF was no content: a body's or a head's end
  std::size_t parts_ = 0;
  std::size_t padding_ = 0;  // bytes of white space after a delimiter
  State state_ = State::preamble;
};

}  // namespace pronghorn
