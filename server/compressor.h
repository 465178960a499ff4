// SPDX-License-Identifier: Apache-2.0
// gzip (zlib), br and zstd for whole bodies. The libraries' memory is kept from one to the next.
#pragma once

#include "server/accept_encoding.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::server {

class Compressor {
 public:
  /// `level` 1 to 9, the same number for all three.
  explicit Compressor(int level);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  /// Empty when the result would not be smaller, or there is no memory for it.
  std::optional<std::string> compress(Encoding encoding, std::string_view bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::server
