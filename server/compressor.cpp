// SPDX-License-Identifier: Apache-2.0
#include "server/compressor.h"

#include <brotli/encode.h>
#include <cstdint>
#include <zlib.h>
#include <zstd.h>

namespace pronghorn::server {
namespace {

constexpr int kGzipWindow = 15 + 16;  // 32 KiB, and gzip's frame around it (zlib.h, deflateInit2)
constexpr int kZlibMemory = 8;        // zlib's own default: 256 KiB in all

}  // namespace

struct Compressor::Impl {
  explicit Impl(int chosen) : level(chosen) {}
  ~Impl() {
    if (has_gzip) ::deflateEnd(&gzip);
    ::ZSTD_freeCCtx(zstd);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Each fills `out`, which has room for one byte less than `bytes`; 0: it does not fit.
  std::size_t with_gzip(std::string_view bytes, char* out, std::size_t room);
  std::size_t with_brotli(std::string_view bytes, char* out, std::size_t room) const;
  std::size_t with_zstd(std::string_view bytes, char* out, std::size_t room);

  int level;
  z_stream gzip{};
  bool has_gzip = false;
  ZSTD_CCtx* zstd = nullptr;
};

Compressor::Compressor(int level) : impl_(std::make_unique<Impl>(level)) {}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

std::optional<std::string> Compressor::compress(Encoding encoding, std::string_view bytes) {
  if (bytes.size() < 2 || bytes.size() > UINT32_MAX) return std::nullopt;
  std::string out;
  out.resize_and_overwrite(bytes.size() - 1, [&](char* at, std::size_t room) -> std::size_t {
    switch (encoding) {
      case Encoding::gzip:
        return impl_->with_gzip(bytes, at, room);
      case Encoding::br:
        return impl_->with_brotli(bytes, at, room);
      case Encoding::zstd:
        return impl_->with_zstd(bytes, at, room);
      case Encoding::identity:
        break;
    }
    return 0;
  });
  if (out.empty()) return std::nullopt;
  out.shrink_to_fit();  // results are kept
  return out;
}

std::size_t Compressor::Impl::with_gzip(std::string_view bytes, char* out, std::size_t room) {
  if (!has_gzip) {
    if (::deflateInit2(&gzip, level, Z_DEFLATED, kGzipWindow, kZlibMemory, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      return 0;
    has_gzip = true;
  } else if (::deflateReset(&gzip) != Z_OK) {
    return 0;
  }
  // zlib reads from what it takes as not const.
  gzip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  gzip.avail_in = static_cast<uInt>(bytes.size());
  gzip.next_out = reinterpret_cast<Bytef*>(out);
  gzip.avail_out = static_cast<uInt>(room);
  return ::deflate(&gzip, Z_FINISH) == Z_STREAM_END ? room - gzip.avail_out : 0;
}

std::size_t Compressor::Impl::with_brotli(std::string_view bytes, char* out,
                                          std::size_t room) const {
  std::size_t size = room;
  auto done =
      ::BrotliEncoderCompress(level, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, bytes.size(),
                              reinterpret_cast<const std::uint8_t*>(bytes.data()), &size,
                              reinterpret_cast<std::uint8_t*>(out));
  return done == BROTLI_TRUE ? size : 0;
}

std::size_t Compressor::Impl::with_zstd(std::string_view bytes, char* out, std::size_t room) {
  if (zstd == nullptr) {
    zstd = ::ZSTD_createCCtx();
    if (zstd == nullptr) return 0;
    // Up to level 9 its window is 4 MiB, less than what receivers must have (RFC 9659: 8 MiB).
    ::ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
  }
  std::size_t size = ::ZSTD_compress2(zstd, out, room, bytes.data(), bytes.size());
  return ::ZSTD_isError(size) != 0 ? 0 : size;
}

}  // namespace pronghorn::server
