// SPDX-License-Identifier: Apache-2.0
// Sites whose answers are compressed on the way.
#include "site_support.h"

using namespace pronghorn;
using pronghorn::test::site::body;
using pronghorn::test::site::header;
using Rig = pronghorn::test::site::SiteRig;

TEST_CASE("sites: HEAD has the length, the coding and the tag of what GET would be compressed to") {
  for (std::size_t size : {4'000, 200'000}) {  // kept in memory; and sent from its descriptor
    Rig head, get;
    for (Rig* rig : {&head, &get}) {
      rig->config.compression.on = true;
      rig->tree.file("www/big.css", std::string(size, 'c'));
    }
    CAPTURE(size);
    const Field accept{"Accept-Encoding", "gzip"};
    Response asked = head.ask("/big.css", {accept}, "localhost", "HEAD");
    Response got = get.ask("/big.css", {accept}, "localhost");
    CHECK(header(asked, "Content-Encoding") == "gzip");
    CHECK(body(asked) == body(got));
    CHECK(header(asked, "ETag").ends_with("-gzip\""));
    CHECK(header(asked, "Vary") == header(got, "Vary"));
    CHECK(header(head.ask("/big.css", {}, "localhost", "HEAD"), "Content-Encoding").empty());
  }
}

TEST_CASE("sites: what middleware puts in a file's place is nobody else's") {
  Rig rig;
  rig.config.compression.on = true;
  rig.options.cache = std::make_shared<server::FileCache>(rig.cache);
  rig.tree.file("www/big.css", std::string(4'000, 'c'));
  const Field accept{"Accept-Encoding", "gzip"};
  std::string file;
  {
    Rig fresh;
    fresh.config.compression.on = true;
    fresh.tree.file("www/big.css", std::string(4'000, 'c'));
    file = body(fresh.ask("/big.css", {accept}));
  }
  // Another body, for one client.
  rig.middleware = [](Response& r) { r.body(std::string(4'000, 'p')).type("text/css"); };
  CHECK(body(rig.ask("/big.css", {accept})) != file);
  rig.middleware = nullptr;
  CHECK(body(rig.ask("/big.css", {accept})) == file);
  // Middleware that throws: the rules are not asked for the answer. The next one is a program's
  // own.
  struct Stop {};
  rig.middleware = [](Response&) { throw Stop(); };
  CHECK_THROWS_AS(rig.ask("/big.css", {accept}), Stop);
  rig.middleware = [](Response& r) { r = Response::text(std::string(4'000, 'q')); };
  const std::string own = body(rig.ask("/nope", {accept}));
  CHECK(own != file);
  rig.middleware = nullptr;
  CHECK(body(rig.ask("/big.css", {accept})) == file);
}

TEST_CASE("sites: HEAD has the fields of GET for what is compressed, with and without a cache") {
  for (bool is_cached : {false, true}) {
    CAPTURE(is_cached);
    Rig rig;
    rig.config.compression.on = true;
    rig.tree.file("www/long.html", std::string(20'000, 'x'));
    if (is_cached) rig.options.cache = std::make_shared<server::FileCache>(rig.cache);
    for (std::string_view range : {"", "bytes=0-1"}) {
      auto fields = [&](std::string_view method) {
        std::string all;
        Response response = rig.ask("/long.html", {{"Accept-Encoding", "br"}, {"Range", range}},
                                    "localhost", method);
        for (const auto& [name, value] : response.headers()) all += name + ": " + value + '\n';
        return std::to_string(response.status()) + '\n' + all + "size " +
               std::to_string(body(response).size());
      };
      std::string head = fields("HEAD");
      CHECK(head.starts_with("200\n"));
      CHECK(head.contains("Content-Encoding: br\n"));
      if (range.empty()) CHECK(head == fields("GET"));
    }
  }
}

TEST_CASE("sites: a 304 has the tag that its 200 would have, also by date alone") {
  for (bool is_cached : {false, true}) {
    for (std::string_view method : {"GET", "HEAD"}) {
      CAPTURE(is_cached);
      CAPTURE(method);
      Rig rig;
      rig.config.compression.on = true;
      rig.tree.file("www/long.html", std::string(20'000, 'x'));
      if (is_cached) rig.options.cache = std::make_shared<server::FileCache>(rig.cache);
      const Field date{"If-Modified-Since", "Fri, 31 Dec 2100 23:59:59 GMT"};
      for (std::string_view accept : {"gzip", "br", "identity"}) {
        CAPTURE(accept);
        Response whole = rig.ask("/long.html", {{"Accept-Encoding", accept}});
        REQUIRE(whole.status() == 200);
        Response unmodified = rig.ask("/long.html",
                                      {{"Accept-Encoding", accept},
                                       {"If-Modified-Since", header(whole, "Last-Modified")},
                                       {"Range", "bytes=0-1"}},
                                      "localhost", method);
        CHECK(unmodified.status() == 304);
        for (const char* name : {"ETag", "Last-Modified", "Vary"}) {
          CHECK(header(unmodified, name) == header(whole, name));
        }
        CHECK(header(unmodified, "Content-Encoding").empty());
        CHECK(header(unmodified, "Accept-Ranges").empty());
        CHECK(body(unmodified).empty());
      }
      // Who has the identity form asks by its tag, and is told of it.
      const std::string tag = header(rig.ask("/long.html"), "ETag");
      Response known =
          rig.ask("/long.html", {{"Accept-Encoding", "br"}, {"If-None-Match", tag}, date});
      CHECK(known.status() == 304);
      CHECK(header(known, "ETag") == tag);
    }
  }
}

// RFC 9110 §13.2.2: If-None-Match before Range.
TEST_CASE("sites: of what is compressed, the tag is looked at before the range") {
  Rig rig;
  rig.config.compression.on = true;
  rig.tree.file("www/long.html", std::string(20'000, 'x'));
  rig.tree.touch("www/long.html", 1'000'000);  // long ago: a date that says which version it is
  const Field gzip{"Accept-Encoding", "gzip"}, range{"Range", "bytes=0-9"};
  Response whole = rig.ask("/long.html", {gzip});
  REQUIRE(header(whole, "Content-Encoding") == "gzip");
  const std::string tag = header(whole, "ETag"), date = header(whole, "Last-Modified");
  Response known = rig.ask("/long.html", {gzip, range, {"If-None-Match", tag}});
  CHECK(known.status() == 304);
  CHECK(header(known, "ETag") == tag);
  CHECK(header(known, "Accept-Ranges").empty());
  Response any = rig.ask("/long.html", {gzip, {"If-None-Match", "*"}});
  CHECK(any.status() == 304);
  CHECK(header(any, "ETag") == tag);
  CHECK(rig.ask("/long.html", {gzip, range}).status() == 206);
  CHECK(rig.ask("/long.html", {range, {"If-None-Match", "\"other\""}}).status() == 206);
  // What it has of that date may be of any coding.
  CHECK(rig.ask("/long.html", {gzip, range, {"If-Range", date}}).status() == 200);
  CHECK(rig.ask("/long.html", {range, {"If-Range", date}}).status() == 206);
}
