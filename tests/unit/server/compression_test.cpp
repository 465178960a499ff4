// SPDX-License-Identifier: Apache-2.0
#include "server/compression.h"

#include "server/request_builder.h"
#include "temporary_tree.h"

#include <doctest/doctest.h>

#include <brotli/decode.h>
#include <fcntl.h>
#include <initializer_list>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>
#include <zlib.h>
#include <zstd.h>

using namespace pronghorn;
using pronghorn::server::CompressedCache;
using pronghorn::server::Compression;
using pronghorn::server::Compressor;
using pronghorn::server::Encoding;
using pronghorn::server::FileIdentity;

namespace {

std::string text_of(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(text.size() % 977) + " of a page\n";
  text.resize(size);
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string gunzip(const std::string& bytes, std::size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(size);
  CHECK(::inflate(&stream, Z_FINISH) == Z_STREAM_END);
  ::inflateEnd(&stream);
  return out;
}

std::string decompressed(Encoding encoding, const std::string& bytes, std::size_t size) {
  std::string out(size, '\0');
  if (encoding == Encoding::gzip) return gunzip(bytes, size);
  if (encoding == Encoding::zstd) {
    CHECK(::ZSTD_decompress(out.data(), size, bytes.data(), bytes.size()) == size);
    return out;
  }
  std::size_t length = size;
  CHECK(::BrotliDecoderDecompress(bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                  &length, reinterpret_cast<std::uint8_t*>(out.data())) ==
        BROTLI_DECODER_RESULT_SUCCESS);
  CHECK(length == size);
  return out;
}

std::string header(const Response& response, std::string_view name) {
  std::string all;
  for (const auto& field : response.headers()) {
    if (field.name == name) all += (all.empty() ? "" : " | ") + field.value;
  }
  return all;
}

std::string bytes_of(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body())) return *text;
  const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body());
  return shared != nullptr && *shared ? **shared : "";
}

struct Rig {
  config::Compression rules;
  std::optional<Compression> compression;

  void apply(Response& response, std::string_view accept, std::initializer_list<Field> more = {},
             const FileIdentity* file = nullptr, std::string_view method = "GET") {
    if (!compression) compression.emplace(rules);
    std::vector<Field> fields(more);
    if (!accept.empty()) fields.push_back({"Accept-Encoding", accept});
    Request request;
    RequestBuilder{request}.method(method).path("/").headers(fields);
    compression->apply(request, response, file);
  }

  /// Whether it was compressed.
  bool does(Response response, std::string_view accept = "gzip",
            std::initializer_list<Field> more = {}) {
    apply(response, accept, more);
    return !header(response, "Content-Encoding").empty();
  }
};

}  // namespace

TEST_CASE("compressor: each coding is read back by its library, one after another") {
  for (int level : {1, 5, 9}) {
    Compressor compressor(level);
    for (int round = 0; round < 2; ++round) {
      for (Encoding encoding : {Encoding::gzip, Encoding::br, Encoding::zstd}) {
        for (std::size_t size : {100, 10'000, 300'000}) {
          const std::string text = text_of(size);
          auto bytes = compressor.compress(encoding, text);
          REQUIRE(bytes);
          CHECK(bytes->size() < text.size());
          CHECK(decompressed(encoding, *bytes, size) == text);
        }
      }
    }
  }
}

TEST_CASE("compressor: nothing for what would not become smaller") {
  Compressor compressor(5);
  for (Encoding encoding : {Encoding::gzip, Encoding::br, Encoding::zstd}) {
    CHECK_FALSE(compressor.compress(encoding, noise(5'000)));
    CHECK_FALSE(compressor.compress(encoding, ""));
    CHECK_FALSE(compressor.compress(encoding, "a"));
    CHECK(compressor.compress(encoding, text_of(5'000)));  // and goes on after that
  }
  CHECK_FALSE(compressor.compress(Encoding::identity, text_of(5'000)));
}

TEST_CASE("compression: by the coding that the client likes best") {
  Rig rig;
  const std::string text = text_of(4'000);
  struct Row {
    std::string_view accept, coding;
  };
  for (const Row& row : {Row{"gzip", "gzip"},
                         {"br;q=0.5, gzip;q=0.4", "br"},
                         {"gzip, br, zstd", "zstd"},
                         {"*", "zstd"},
                         {"identity, gzip;q=0", ""},
                         {"", ""},
                         {"deflate", ""}}) {
    CAPTURE(row.accept);
    Response response = Response::html(text);
    rig.apply(response, row.accept);
    CHECK(header(response, "Content-Encoding") == row.coding);
    CHECK(header(response, "Vary") == "Accept-Encoding");
    if (row.coding.empty()) CHECK(bytes_of(response) == text);
  }
  Response response = Response::html(text);
  rig.apply(response, "gzip");
  CHECK(gunzip(bytes_of(response), text.size()) == text);
  CHECK(response.content_type() == "text/html; charset=utf-8");
}

TEST_CASE("compression: only of listed types and fitting sizes") {
  Rig rig;
  rig.rules.min_size = 1'000;
  rig.rules.max_size = 5'000;
  rig.rules.types = {"text/*", "application/*+json"};
  CHECK_FALSE(rig.does(Response::text(text_of(999))));
  CHECK(rig.does(Response::text(text_of(1'000))));
  CHECK(rig.does(Response::text(text_of(5'000))));
  CHECK_FALSE(rig.does(Response::text(text_of(5'001))));
  CHECK(rig.does(Response::text(text_of(2'000)).type("Application/LD+JSON;x=y")));
  CHECK_FALSE(rig.does(Response::text(text_of(2'000)).type("image/png")));
  CHECK_FALSE(rig.does(Response().body(text_of(2'000))));
  CHECK_FALSE(rig.does(Response::text(noise(2'000))));
}

TEST_CASE("compression: not of parts, of what is compressed, of what may not be changed") {
  Rig rig;
  const std::string text = text_of(4'000);
  CHECK_FALSE(rig.does(Response::text(text).status(206).header("Content-Range", "bytes 0-1/2")));
  CHECK_FALSE(rig.does(Response::text(text).header("cache-control", "public, No-Transform")));
  CHECK_FALSE(rig.does(Response::text(text).status(204)));
  CHECK_FALSE(rig.does(Response::text(text).status(205)));
  CHECK_FALSE(rig.does(Response::error(404)));
  CHECK(rig.does(Response::text(text).status(404)));
  Response encoded = Response::text(text).header("Content-Encoding", "br");
  rig.apply(encoded, "gzip");
  CHECK(bytes_of(encoded) == text);
  CHECK(header(encoded, "Content-Encoding") == "br");
}

TEST_CASE("compression: the entity-tag is the coding's own, and answers If-None-Match") {
  Rig rig;
  auto answer = [&](std::initializer_list<Field> fields, std::string_view method = "GET") {
    Response response = Response::text(text_of(4'000));
    response.header("ETag", "\"1-2\"").header("Accept-Ranges", "bytes");
    rig.apply(response, "gzip", fields, nullptr, method);
    return response;
  };
  Response fresh = answer({});
  CHECK(header(fresh, "ETag") == "W/\"1-2-gzip\"");
  CHECK(header(fresh, "Accept-Ranges").empty());
  for (const char* tags : {"W/\"1-2-gzip\"", "\"1-2-gzip\"", "\"x\", W/\"1-2-gzip\""}) {
    CAPTURE(tags);
    Response known = answer({{"If-None-Match", tags}});
    CHECK(known.status() == 304);
    CHECK(header(known, "ETag") == "W/\"1-2-gzip\"");
    CHECK(header(known, "Vary") == "Accept-Encoding");
    CHECK(header(known, "Content-Encoding").empty());
    CHECK(bytes_of(known).empty());
  }
  for (const char* tags : {"\"1-2\"", "W/\"1-2-br\"", "\"1-2-gzip", "1-2-gzip"}) {
    CAPTURE(tags);
    CHECK(answer({{"If-None-Match", tags}}).status() == 200);
  }
  CHECK(answer({{"If-None-Match", "\"1-2-gzip\""}}, "POST").status() == 200);
}

TEST_CASE("compression: a file is compressed once, and again when it is another") {
  test::TemporaryTree tree;
  tree.file("a.txt", text_of(20'000));
  Rig rig;
  auto answer = [&](const FileIdentity& identity) {
    Response response;
    response.type("text/plain")
        .body(FileBody{UniqueFd(::open(tree.path("a.txt").c_str(), O_RDONLY | O_CLOEXEC)), 0,
                       20'000});
    rig.apply(response, "gzip", {}, &identity);
    const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body());
    REQUIRE(shared != nullptr);
    return *shared;
  };
  FileIdentity identity{};
  identity.inode = 1;
  identity.size = 20'000;
  auto first = answer(identity);
  CHECK(gunzip(*first, 20'000) == text_of(20'000));
  CHECK(answer(identity) == first);  // the same bytes, not equal ones
  identity.inode = 2;
  CHECK(answer(identity) != first);
}

TEST_CASE("compression: a file that is shorter than it was is not compressed") {
  test::TemporaryTree tree;
  tree.file("a.txt", text_of(2'000));
  Rig rig;
  Response response;
  response.type("text/plain")
      .body(
          FileBody{UniqueFd(::open(tree.path("a.txt").c_str(), O_RDONLY | O_CLOEXEC)), 0, 20'000});
  rig.apply(response, "gzip");
  CHECK(std::holds_alternative<FileBody>(response.body()));
}

TEST_CASE("compressed cache: holds what fits, and lets the least recently used go") {
  CompressedCache cache(10'000);
  auto identity = [](ino_t inode) {
    FileIdentity file{};
    file.inode = inode;
    return file;
  };
  auto bytes = [](std::size_t size) { return std::make_shared<const std::string>(size, 'x'); };
  cache.insert(identity(1), Encoding::gzip, bytes(4'000));
  cache.insert(identity(2), Encoding::gzip, bytes(4'000));
  REQUIRE(cache.find(identity(1), Encoding::gzip) != nullptr);  // used after the other
  CHECK(cache.find(identity(1), Encoding::br) == nullptr);
  cache.insert(identity(3), Encoding::gzip, bytes(4'000));
  CHECK(cache.find(identity(1), Encoding::gzip) != nullptr);
  CHECK(cache.find(identity(2), Encoding::gzip) == nullptr);
  CHECK(cache.size_bytes() <= 10'000);
  cache.insert(identity(4), Encoding::gzip, bytes(10'000));  // with what it costs it does not fit
  CHECK(cache.find(identity(4), Encoding::gzip) == nullptr);
  cache.insert(identity(1), Encoding::gzip, nullptr);  // no use
  REQUIRE(cache.find(identity(1), Encoding::gzip) != nullptr);
  CHECK(cache.find(identity(1), Encoding::gzip)->bytes == nullptr);
  for (ino_t i = 10; i < 1'000; ++i) cache.insert(identity(i), Encoding::br, nullptr);
  CHECK(cache.size_bytes() <= 10'000);
}
