// SPDX-License-Identifier: Apache-2.0
// Compresses answers on the way (RFC 9110 §8.4, §12.5.3): what the configuration's [compression]
// says. Used by Sites for every answer, whoever gave it.
#pragma once

#include <pronghorn/config/site.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include "server/compressed_cache.h"
#include "server/compressor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pronghorn::server {

class Compression {
 public:
  explicit Compression(const config::Compression& rules);

  /// Compresses the body when the client takes it, and the answer is one that may be: of a listed
  /// type, of a fitting size, whole, not compressed already, without no-transform. Its ETag becomes
  /// a weak one of the coding's own, by which If-None-Match is then answered: 304. Vary is added
  /// also when nothing is compressed, as it would be for another client.
  /// A 304 that has the body of its 200 loses it, and has the tag that the 200 would have had (RFC
  /// 9110 §15.4.5).
  /// @param file  what the body is; its result is kept. Null: none that could be known again
  void apply(const Request& request, Response& response, const FileIdentity* file);
  /// Whether a body of that type and size is compressed, as far as these say.
  bool takes(std::string_view content_type, std::uint64_t bytes) const noexcept;

 private:
  void encode(const Request& request, Response& response, const FileIdentity* file);
  bool is_eligible(const Response& response) const noexcept;
  std::shared_ptr<const std::string> result(Encoding encoding, Response& response,
                                            const FileIdentity* file);

  config::Compression rules_;
  Compressor compressor_;
  CompressedCache cache_;
};

}  // namespace pronghorn::server
