// SPDX-License-Identifier: Apache-2.0
// Precompressed variants beside a file.
#include "files_support.h"

#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

struct VariantSite : Site {
  VariantSite() {
    tree.file("www/pre.js", std::string(2000, 'x'));
    tree.file("www/pre.js.gz", "GZ");
    tree.file("www/pre.js.br", "BR");
    tree.file("www/pre.js.zst", "ZS");
    for (auto name : {"www/pre.js", "www/pre.js.gz", "www/pre.js.br", "www/pre.js.zst"}) {
      tree.touch(name, kModified);
    }
  }
  Response accept(std::string_view value, std::string_view target = "/pre.js") {
    return ask("GET", target, {{"Accept-Encoding", value}});
  }
};

}  // namespace

TEST_CASE("files: the variant that the client likes best, with the type of its original") {
  VariantSite site;
  struct Row {
    std::string_view accept, encoding, bytes;
  };
  for (const auto& [accept, encoding, bytes] :
       {Row{"gzip", "gzip", "GZ"}, Row{"gzip, br", "br", "BR"}, Row{"gzip, br, zstd", "zstd", "ZS"},
        Row{"GZIP;q=0.9, br;q=0.1", "gzip", "GZ"}}) {
    CAPTURE(accept);
    auto response = site.accept(accept);
    CHECK(response.status() == 200);
    CHECK(header(response, "Content-Encoding") == encoding);
    CHECK(header(response, "Vary") == "Accept-Encoding");
    CHECK(response.content_type() == "text/javascript; charset=utf-8");
    CHECK(body(response) == bytes);
    auto head = site.ask("HEAD", "/pre.js", {{"Accept-Encoding", accept}});
    CHECK(head.headers().size() == response.headers().size());
    CHECK(header(head, "Content-Encoding") == encoding);
    CHECK(std::get<FileBody>(head.body()).total() == bytes.size());
  }
}

TEST_CASE("files: identity varies too where there are variants, whoever refuses whatever") {
  VariantSite site;
  for (auto value : {"identity", "gzip;q=0", "nogzip", "*;q=0", "identity;q=0, *;q=0",
                     "identity;q=1, gzip;q=0.5"}) {
    CAPTURE(value);
    auto response = site.accept(value);
    CHECK(response.status() == 200);
    CHECK(header(response, "Content-Encoding") == "(none)");
    CHECK(header(response, "Vary") == "Accept-Encoding");
    CHECK(body(response).size() == 2000);
  }
  CHECK(header(site.ask("GET", "/pre.js"), "Vary") == "Accept-Encoding");
  CHECK(header(site.accept("gzip", "/hello.txt"), "Vary") == "(none)");
}

TEST_CASE("files: each variant has a strong tag of its own, whatever its size and time") {
  VariantSite site;
  site.tree.file("www/pre.js", "ID");
  site.tree.touch("www/pre.js", kModified);
  std::vector<std::string> tags;
  for (auto value : {"identity", "gzip", "br", "zstd"}) {
    tags.push_back(header(site.accept(value), "ETag"));
    CHECK(tags.back().starts_with('"'));
    for (std::size_t i = 0; i + 1 < tags.size(); ++i) CHECK(tags[i] != tags.back());
  }
  auto same = site.ask("GET", "/pre.js", {{"Accept-Encoding", "gzip"}, {"If-None-Match", tags[1]}});
  CHECK(same.status() == 304);
  CHECK(header(same, "ETag") == tags[1]);
  CHECK(header(same, "Vary") == "Accept-Encoding");
  CHECK(header(same, "Content-Encoding") == "(none)");
  CHECK(header(same, "Accept-Ranges") == "(none)");
  CHECK(site.ask("GET", "/pre.js", {{"Accept-Encoding", "br"}, {"If-None-Match", tags[1]}})
            .status() == 200);
  CHECK(site.ask("GET", "/pre.js", {{"Accept-Encoding", "br"}, {"If-Match", tags[1]}}).status() ==
        412);
}

TEST_CASE("files: a range is one of the variant") {
  VariantSite site;
  auto ask = [&](std::string_view range) {
    return site.ask("GET", "/pre.js", {{"Accept-Encoding", "gzip"}, {"Range", range}});
  };
  auto part = ask("bytes=1-");
  CHECK(part.status() == 206);
  CHECK(body(part) == "Z");
  CHECK(header(part, "Content-Range") == "bytes 1-1/2");
  CHECK(header(part, "Content-Encoding") == "gzip");
  auto none = ask("bytes=2-");
  CHECK(none.status() == 416);
  CHECK(header(none, "Content-Range") == "bytes */2");
  CHECK(header(none, "Vary") == "Accept-Encoding");
  CHECK(header(none, "Content-Encoding") == "(none)");
}

TEST_CASE("files: a variant that is older than its original is not there") {
  VariantSite site;
  site.tree.touch("www/pre.js", kModified, 500);
  CHECK(header(site.accept("gzip"), "Content-Encoding") == "gzip");  // of the same second
  site.tree.touch("www/pre.js", kModified + 1);
  auto response = site.accept("gzip, br, zstd");
  CHECK(header(response, "Content-Encoding") == "(none)");
  CHECK(header(response, "Vary") == "(none)");
  site.tree.touch("www/pre.js.br", kModified + 2);
  CHECK(header(site.accept("gzip, br, zstd"), "Content-Encoding") == "br");
}

TEST_CASE("files: what is no regular file below the root is no variant") {
  VariantSite site;
  for (auto name : {"hello.txt.gz", "hello.txt.br", "hello.txt.zst"}) {
    REQUIRE(::mkfifo(site.tree.path("www/" + std::string(name)).c_str(), 0600) == 0);
  }
  site.tree.link("www/index.html.gz", "../secret.txt");
  site.tree.file("www/dir/index.html.gz/x", "a directory");
  for (auto target : {"/hello.txt", "/index.html", "/dir/"}) {
    CAPTURE(target);
    auto response = site.accept("gzip, br, zstd", target);
    CHECK(response.status() == 200);
    CHECK(header(response, "Content-Encoding") == "(none)");
  }
}

TEST_CASE("files: an index has variants, and a variant has no original but itself") {
  VariantSite site;
  site.tree.file("www/dir/index.html.gz", "GZ-INDEX");
  CHECK(body(site.accept("gzip", "/dir/")) == "GZ-INDEX");
  site.tree.file("www/only.css.gz", "x");
  CHECK(site.accept("gzip", "/only.css").status() == 404);
}

TEST_CASE("files: a variant that is asked for by its own name is what it is") {
  VariantSite site;
  auto response = site.accept("gzip", "/pre.js.gz");
  CHECK(body(response) == "GZ");
  CHECK(response.content_type() == "application/gzip");
  CHECK(header(response, "Content-Encoding") == "(none)");
  CHECK(header(response, "Vary") == "(none)");
}

TEST_CASE("files: variants can be switched off") {
  VariantSite site;
  site.open({.root = {}, .refuse = {}, .precompressed = false});
  auto response = site.accept("gzip, br, zstd");
  CHECK(header(response, "Content-Encoding") == "(none)");
  CHECK(header(response, "Vary") == "(none)");
}

TEST_CASE("files: an empty variant is what a compressor left behind, and none") {
  VariantSite site;
  site.tree.file("www/pre.js.br", "");
  site.tree.touch("www/pre.js.br", kModified);
  auto response = site.accept("br;q=1, gzip;q=0.5");
  CHECK(header(response, "Content-Encoding") == "gzip");
  CHECK(body(response) == "GZ");
}
