// SPDX-License-Identifier: Apache-2.0
// A small document root, and questions to the Files that serve it.
#pragma once

#include "server/files.h"
#include "server/request_builder.h"
#include "temporary_tree.h"

#include <doctest/doctest.h>

#include <ctime>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <variant>
#include <vector>

namespace pronghorn::test {

constexpr std::time_t kModified = 1'704'164'645;  // 2024-01-02 03:04:05 UTC

struct Site {
  ::test::TemporaryTree tree;
  std::optional<server::Files> files;

  Site() {
    tree.file("secret.txt", "TOP-SECRET outside\n");
    tree.file("www/index.html", "INDEX\n");
    tree.file("www/hello.txt", "Hello, world!\n");
    tree.file("www/dir/index.html", "DIR\n");
    tree.file("www/dir/sub/f.txt", "sub\n");
    tree.file("www/noindex/file.txt", "x");
    tree.file("www/.env", "TOP-SECRET\n");
    tree.file("www/.well-known/probe.txt", "acme\n");
    tree.file("www/with space.txt", "space\n");
    tree.file("www/empty.txt", "");
    tree.touch("www/hello.txt", kModified);
    open();
  }
  void open(server::Files::Options options = {}) {
    options.root = tree.path("www");
    auto opened = server::Files::open(options);
    REQUIRE(opened.has_value());
    files.emplace(std::move(*opened));
  }
  Response ask(std::string_view method, std::string_view target,
               std::initializer_list<Field> headers = {}) {
    auto mark = target.find('?');
    Request request;
    RequestBuilder{request}
        .method(method)
        .target(target)
        .path(target.substr(0, mark))
        .query(mark == target.npos ? std::string_view() : target.substr(mark + 1))
        .headers({headers.begin(), headers.size()});
    return files->answer(request);
  }
  int status(std::string_view target) { return ask("GET", target).status(); }
};

inline std::string header(const Response& response, std::string_view name) {
  for (const auto& h : response.headers()) {
    if (h.name == name) return h.value;
  }
  return "(none)";
}

inline std::string read_piece(const SharedFile& file, std::uint64_t offset, std::uint64_t length) {
  std::string bytes(length, '\0');
  auto n = ::pread(file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return bytes;
}

/// As the session and the connection would send it.
inline std::string body(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body())) return *text;
  if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body())) {
    return **shared;
  }
  const auto* file = std::get_if<FileBody>(&response.body());
  if (file == nullptr) return "(none)";
  std::string bytes = read_piece(file->file, file->offset, file->length);
  for (const FilePart& part : file->more) {
    bytes += part.before + read_piece(file->file, part.offset, part.length);
  }
  return bytes + file->tail;
}

}  // namespace pronghorn::test
