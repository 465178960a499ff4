// SPDX-License-Identifier: Apache-2.0
#include "process/write_queue.h"

#include <algorithm>

namespace pronghorn::process {
namespace {

constexpr std::size_t kSharedBlock = 16 * 1024;

bool has_room(const std::string& block, std::size_t count) {
  std::size_t size = block.size() + count;
  return size <= kSharedBlock || size <= block.capacity();
}

}  // namespace

void WriteQueue::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!blocks_.empty() && has_room(blocks_.back(), bytes.size())) {
    blocks_.back().append(bytes);
  } else {
    blocks_.emplace_back(bytes);
  }
  size_ += bytes.size();
}

std::span<iovec> WriteQueue::front(std::span<iovec> vectors) noexcept {
  std::size_t count = std::min(vectors.size(), blocks_.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t skip = i == 0 ? offset_ : 0;
    vectors[i] = {blocks_[i].data() + skip, blocks_[i].size() - skip};
  }
  return vectors.first(count);
}

void WriteQueue::consume(std::size_t count) noexcept {
  size_ -= count;
  offset_ += count;
  while (!blocks_.empty() && offset_ >= blocks_.front().size()) {
    offset_ -= blocks_.front().size();
    blocks_.pop_front();
  }
}

void WriteQueue::clear() noexcept {
  blocks_.clear();
  offset_ = 0;
  size_ = 0;
}

}  // namespace pronghorn::process
