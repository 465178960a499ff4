// SPDX-License-Identifier: Apache-2.0
// llhttp for one request at a time: it splits the fields and decides the framing. It is started
// anew for each request, so its own ideas of keep-alive and upgrade never matter.
#pragma once

#include <pronghorn/server/request.h>

#include <llhttp.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

class Parser {
 public:
  Parser() noexcept;
  Parser(const Parser&) = delete;  // llhttp points back here
  Parser& operator=(const Parser&) = delete;

  void reset() noexcept;
  /// Feeds the next bytes; a whole head must come in one piece, so that each span does. False:
  /// refused.
  bool feed(std::string_view bytes) noexcept;

  /// Of the head; views into the bytes that were fed.
  std::vector<Field>& fields() noexcept { return fields_; }
  bool head_done() const noexcept { return head_done_; }
  /// fields() are those of a head that was read elsewhere (plain_head.h), and that is all of it.
  void set_complete() noexcept { head_done_ = complete_ = true; }
  bool is_chunked() const noexcept { return chunked_; }
  std::uint64_t content_length() const noexcept { return content_length_; }

  /// The request, body included, has ended exactly with the last byte fed.
  bool complete() const noexcept { return complete_; }
  /// A chunk's size line has ended since the last call; its size is then chunk_size().
  bool take_chunk_header() noexcept;
  std::uint64_t chunk_size() const noexcept { return chunk_size_; }

  /// Off: a body is parsed and dropped.
  void store_body(bool on) noexcept { store_ = on; }
  /// The decoded body: in the fed bytes when it came whole in one call, else in store().
  std::string_view body() const noexcept {
    return whole_.data() ? whole_ : std::string_view(store);
  }
  std::uint64_t decoded() const noexcept { return decoded_; }
  /// Copies body() out of the bytes that were fed.
  void keep_body() {
    if (whole_.data() == nullptr) return;
    store.assign(whole_);
    whole_ = {};
  }
  /// Forgets body(): what comes next is all of it.
  void drop_body() noexcept {
    store.clear();
    whole_ = {};
  }

  std::string store;  // its capacity is reused

 private:
  static const llhttp_settings_t& settings() noexcept;
  static Parser& self(llhttp_t* raw) noexcept { return *static_cast<Parser*>(raw->data); }
  static int on_header_field(llhttp_t* raw, const char* at, std::size_t size) noexcept;
  static int on_header_value(llhttp_t* raw, const char* at, std::size_t size) noexcept;
  static int on_headers_complete(llhttp_t* raw) noexcept;
  static int on_chunk_header(llhttp_t* raw) noexcept;
  static int on_body(llhttp_t* raw, const char* at, std::size_t size) noexcept;
  static int on_message_complete(llhttp_t* raw) noexcept;

  llhttp_t raw_;
  std::vector<Field> fields_;
  std::string_view whole_;
  std::uint64_t content_length_ = 0;
  std::uint64_t chunk_size_ = 0;
  std::uint64_t decoded_ = 0;
  bool head_done_ = false;
  bool chunked_ = false;
  bool chunk_header_ = false;
  bool complete_ = false;
  bool store_ = true;
  bool fed_ = false;  // raw_ is not as new
};

}  // namespace pronghorn::server
