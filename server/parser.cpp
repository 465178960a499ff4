// SPDX-License-Identifier: Apache-2.0
#include "server/parser.h"

#include "server/syntax.h"

#include <utility>

// Loose mode is exploitable (a tab or a bare CR in the wrong place ends a head).
static_assert(LLHTTP_STRICT_MODE == 1);

#ifdef PRONGHORN_LLHTTP_SSE42
// llhttp.c compiled a second time (cmake/PronghornDependencies.cmake): it looks for the end of a
// value 16 bytes at a time, a third less instructions for a browser's head.
extern "C" int pronghorn_sse42_llhttp__internal_execute(llhttp__internal_t*, const char*,
                                                        const char*);
#endif

namespace pronghorn::server {
namespace {

using Execute = int (*)(llhttp__internal_t*, const char*, const char*);

/// What llhttp_execute() calls, as this machine can best.
Execute choose_execute() noexcept {
#ifdef PRONGHORN_LLHTTP_SSE42
  if (__builtin_cpu_supports("sse4.2")) return pronghorn_sse42_llhttp__internal_execute;
#endif
  return llhttp__internal_execute;
}

const Execute execute = choose_execute();

}  // namespace

Parser::Parser() noexcept {
  llhttp_init(&raw_, HTTP_REQUEST, &settings());
  raw_.data = this;
}

const llhttp_settings_t& Parser::settings() noexcept {
  static const llhttp_settings_t callbacks = [] {
    llhttp_settings_t s;
    llhttp_settings_init(&s);
    s.on_header_field = on_header_field;
    s.on_header_value = on_header_value;
    s.on_headers_complete = on_headers_complete;
    s.on_chunk_header = on_chunk_header;
    s.on_body = on_body;
    s.on_message_complete = on_message_complete;
    return s;
  }();
  return callbacks;
}

void Parser::reset() noexcept {
  if (std::exchange(fed_, false)) llhttp_reset(&raw_);
  fields_.clear();
  store.clear();
  whole_ = {};
  content_length_ = chunk_size_ = decoded_ = 0;
  head_done_ = chunked_ = chunk_header_ = complete_ = false;
  store_ = true;
}

bool Parser::feed(std::string_view bytes) noexcept {
  fed_ = true;
  return execute(&raw_, bytes.data(), bytes.data() + bytes.size()) == HPE_OK;
}

bool Parser::take_chunk_header() noexcept { return std::exchange(chunk_header_, false); }

int Parser::on_header_field(llhttp_t* raw, const char* at, std::size_t size) noexcept {
  if (Parser& p = self(raw); !p.head_done_)
    p.fields_.emplace_back(std::string_view{at, size}, std::string_view{});
  return 0;  // trailers are checked and dropped (RFC 9110 §6.5.1)
}

int Parser::on_header_value(llhttp_t* raw, const char* at, std::size_t size) noexcept {
  if (Parser& p = self(raw); !p.head_done_) p.fields_.back().value = trim_ows({at, size});
  return 0;
}

int Parser::on_headers_complete(llhttp_t* raw) noexcept {
  Parser& p = self(raw);
  raw->upgrade = 0;  // an Upgrade that nobody takes is ignored (RFC 9110 §7.8): parsing goes on
  p.head_done_ = true;
  p.chunked_ = (raw->flags & F_CHUNKED) != 0;
  p.content_length_ = raw->content_length;
  return 0;
}

int Parser::on_chunk_header(llhttp_t* raw) noexcept {
  Parser& p = self(raw);
  p.chunk_header_ = true;
  p.chunk_size_ = raw->content_length;
  return 0;
}

int Parser::on_body(llhttp_t* raw, const char* at, std::size_t size) noexcept {
  Parser& p = self(raw);
  p.decoded_ += size;
  if (!p.store_) return 0;
  if (!p.chunked_ && size == p.content_length_) {
    p.whole_ = {at, size};
  } else {
    p.store.append(at, size);
  }
  return 0;
}

int Parser::on_message_complete(llhttp_t* raw) noexcept {
  self(raw).complete_ = true;
  return 0;
}

}  // namespace pronghorn::server
