// SPDX-License-Identifier: Apache-2.0
#include "server/body_source.h"

#include <utility>

namespace pronghorn::server {

bool BodySource::begin(Response::Body body, std::string& out) {
  if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) {
    std::uint64_t size = *shared ? (*shared)->size() : 0;
    if (size <= kCopiedBytes) return false;
    give({.from = std::move(*shared), .offset = 0, .length = size});
    open_ = true;
    return true;
  }
  auto* file = std::get_if<FileBody>(&body);
  if (file == nullptr) return false;
  file_ = std::move(file->file);
  parts_ = std::move(file->more);
  tail_ = std::move(file->tail);
  at_ = 0;
  open_ = true;
  if (file->length == 0) return next(out);
  give({.from = file_, .offset = file->offset, .length = file->length});
  return true;
}

void BodySource::give(BodyPiece piece) noexcept {
  piece_ = std::move(piece);
  is_new_ = true;
}

bool BodySource::next(std::string& out) {
  while (at_ < parts_.size()) {
    const FilePart& part = parts_[at_++];
    out.append(part.before);
    if (part.length == 0) continue;
    give({.from = file_, .offset = part.offset, .length = part.length});
    return true;
  }
  out.append(tail_);
  reset();
  return false;
}

std::uint64_t BodySource::left() const noexcept {
  std::uint64_t bytes = tail_.size() + (is_new_ ? piece_.length : 0);
  for (std::size_t i = at_; i < parts_.size(); ++i) {
    bytes += parts_[i].before.size() + parts_[i].length;
  }
  return bytes;
}

void BodySource::reset() noexcept {
  if (!open_) return;
  piece_ = {};
  is_new_ = false;
  file_ = {};
  parts_ = {};
  tail_ = {};
  at_ = 0;
  open_ = false;
}

}  // namespace pronghorn::server
