// SPDX-License-Identifier: Apache-2.0
// What of an answer's body is not in the output: pieces of a file, or bytes that answers share.
// Handed out by Session, sent by Connection.
#pragma once

#include <pronghorn/server/response.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pronghorn::server {

/// Shared bytes up to this size are copied into the output, where they leave with their head and
/// their pipelined neighbours in one write.
inline constexpr std::size_t kCopiedBytes = 16 * 1024;

struct BodyPiece {
  std::variant<std::monostate, SharedFile, std::shared_ptr<const std::string>> from;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  explicit operator bool() const noexcept { return from.index() != 0; }
  const SharedFile* file() const noexcept { return std::get_if<SharedFile>(&from); }
  const std::string* bytes() const noexcept {
    const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&from);
    return shared == nullptr ? nullptr : shared->get();
  }
};

class BodySource {
 public:
  /// After the head with the answer's Content-Length: what stands before the first piece goes to
  /// `out`. False: all of the body is there.
  bool begin(Response::Body body, std::string& out);
  /// The piece to send now, null: none; once. It stays here, where who sends it counts down what is
  /// left of it, until next() or reset().
  BodyPiece* take() noexcept { return std::exchange(is_new_, false) ? &piece_ : nullptr; }
  /// The piece was sent: what stands between it and the next goes to `out`. False: that was all.
  bool next(std::string& out);
  /// There is more than what is in the output.
  bool is_open() const noexcept { return open_; }
  /// Bytes that were not handed out yet.
  std::uint64_t left() const noexcept;
  /// Lets go of a body that will not be sent.
  void reset() noexcept;

 private:
  void give(BodyPiece piece) noexcept;

  BodyPiece piece_;
  bool is_new_ = false;  // not taken yet
  SharedFile file_;      // of the parts
  std::vector<FilePart> parts_;
  std::size_t at_ = 0;  // the next of them
  std::string tail_;
  bool open_ = false;
};

}  // namespace pronghorn::server
