// SPDX-License-Identifier: Apache-2.0
#include "site_support.h"

using namespace pronghorn;
using pronghorn::test::site::body;
using pronghorn::test::site::header;
using Rig = pronghorn::test::site::SiteRig;

namespace {

std::string location(Rig& rig, std::string_view target) {
  Response response = rig.ask(target);
  return std::to_string(response.status()) + " " + header(response, "Location");
}

}  // namespace

TEST_CASE("sites: a Host has its own site, the others the default one") {
  Rig rig;
  rig.config.hosts.push_back({.names = {"other.org", "*.other.org"}, .site = {}});
  rig.config.hosts[0].site.root = rig.tree.path("other");
  CHECK(body(rig.ask("/")) == "INDEX");
  CHECK(body(rig.ask("/", {}, "other.org")) == "OTHER");
  CHECK(body(rig.ask("/", {}, "A.Other.org.:80")) == "OTHER");
  CHECK(body(rig.ask("/", {}, "")) == "INDEX");
  CHECK(rig.ask("/style.css", {}, "other.org").status() == 404);
}

TEST_CASE("sites: an unknown host is 421 where that is so configured") {
  Rig rig;
  rig.config.refuse_unknown_hosts = true;
  rig.config.hosts.push_back({.names = {"other.org"}, .site = {}});
  rig.config.hosts[0].site.root = rig.tree.path("other");
  CHECK(rig.ask("/").status() == 421);
  CHECK(rig.ask("/", {}, "").status() == 421);
  CHECK(body(rig.ask("/", {}, "other.org")) == "OTHER");
}

TEST_CASE("sites: a host without a root redirects, and has nothing else") {
  Rig rig;
  rig.config.hosts.push_back({.names = {"www.example.org"}, .site = {}});
  rig.config.hosts[0].site.redirects = {
      {.from = "/*", .to = "https://example.org/*", .status = 308}};
  Response response = rig.ask("/a/b?c=d", {}, "www.example.org");
  CHECK(response.status() == 308);
  CHECK(header(response, "Location") == "https://example.org/a/b?c=d");
}

TEST_CASE("redirects: exact, by prefix with the rest, and with the query kept") {
  Rig rig;
  rig.config.redirects = {{.from = "/old", .to = "/new", .status = 301},
                          {.from = "/a b", .to = "/q?x=1", .status = 302},
                          {.from = "/blog/*", .to = "/posts/*", .status = 307},
                          {.from = "/all/*", .to = "https://example.org/one", .status = 303}};
  CHECK(location(rig, "/old") == "301 /new");
  CHECK(location(rig, "/old?a=b&c") == "301 /new?a=b&c");
  CHECK(location(rig, "/old/") == "404 ");
  CHECK(location(rig, "/older") == "404 ");
  CHECK(location(rig, "/a%20b?y") == "302 /q?x=1");
  CHECK(location(rig, "/blog/") == "307 /posts/");
  CHECK(location(rig, "/blog/2026/x.html?p=1") == "307 /posts/2026/x.html?p=1");
  CHECK(location(rig, "/blog/sub/") == "307 /posts/sub/");
  CHECK(location(rig, "/blog") == "404 ");
  CHECK(location(rig, "/all/of/it") == "303 https://example.org/one");
}

TEST_CASE("redirects: no spelling of a path gets around them, and none gets into Location") {
  Rig rig;
  rig.config.redirects = {{.from = "/x/*", .to = "/*", .status = 301}};
  CHECK(location(rig, "//x//evil.org/a") == "301 /evil.org/a");
  CHECK(location(rig, "/%78/./b/../c") == "301 /c");
  CHECK(location(rig, "/x/%0d%0aSet-Cookie:%20a") == "301 /%0D%0ASet-Cookie%3A%20a");
  CHECK(location(rig, "/x/%5cevil.org") == "301 /%5Cevil.org");
  CHECK(location(rig, "/x/a?b=\\\"<>") == "301 /a?b=%5C%22%3C%3E");
  CHECK(location(rig, "/x/%2f%2fevil.org") == "404 ");  // an encoded slash is in no name
  CHECK(location(rig, "/x/../x/") == "301 /");
}

TEST_CASE("fallback: pages that are not there get it, parts and hidden names do not") {
  Rig rig;
  rig.config.fallback = "app.html";
  for (const char* path : {"/deep/page", "/page?x=1", "/v1.2/page", "/dir/", "/none/"}) {
    CAPTURE(path);
    Response response = rig.ask(path);
    CHECK(response.status() == 200);
    CHECK(body(response) == "APP");
    CHECK(header(response, "Vary").find("Accept") != std::string::npos);
  }
  for (const char* path : {"/none.js", "/a/none.css", "/.git", "/a%2fb", "/app.html/"}) {
    CAPTURE(path);
    CHECK(rig.ask(path).status() == 404);
  }
  CHECK(body(rig.ask("/style.css")) == "a{}");
  CHECK(body(rig.ask("/page", {{"Accept", "text/html,*/*;q=0.8"}})) == "APP");
  CHECK(rig.ask("/page", {{"Accept", "application/json"}}).status() == 404);
  CHECK(rig.ask("/page", {{"Accept", "image/*"}}).status() == 404);
  CHECK(rig.ask("/page", {}, "x", "HEAD").status() == 200);
}

TEST_CASE("fallback: it is conditional as the file is") {
  Rig rig;
  rig.config.fallback = "app.html";
  rig.tree.touch("www/app.html", 1'000'000);
  const std::string tag = header(rig.ask("/page"), "ETag");
  REQUIRE_FALSE(tag.empty());
  CHECK(rig.ask("/other-page", {{"If-None-Match", tag}}).status() == 304);
}

// RFC 9110 §15.4.5: a 304 has the fields that the 200 would have.
TEST_CASE("cache-control: a 304 by the type of what answers, whatever was asked for") {
  Rig rig;
  rig.config.fallback = "app.html";
  rig.config.index = {"index.txt", "index.html"};
  rig.config.cache_control = {{.match = {"text/html"}, .value = "no-cache"}};
  for (std::string_view target : {"/page", "/", "/index.html"}) {
    CAPTURE(target);
    CHECK(header(rig.ask(target), "Cache-Control") == "no-cache");
    Response unmodified = rig.ask(target, {{"If-None-Match", "*"}});
    CHECK(unmodified.status() == 304);
    CHECK(header(unmodified, "Cache-Control") == "no-cache");
  }
}

// RFC 9110 §15.3.7: Cache-Control as in the 200; §15.3.7.2: the type is what takes the body apart.
TEST_CASE("headers: several ranges have what rules give their type, and keep their own") {
  Rig rig;
  rig.tree.file("www/long.css", std::string(200'000, 'x'));
  rig.config.cache_control = {{.match = {"text/css"}, .value = "no-cache"}};
  rig.config.headers = {{.match = {"text/css"},
                         .remove = {"content-type"},
                         .set = {{"X-Css", "1"}, {"Content-Type", "text/x"}},
                         .add = {{"Content-Type", "text/y"}}}};
  for (std::string_view target : {"/style.css", "/long.css"}) {
    Response parts = rig.ask(target, {{"Range", "bytes=0-0,2-2"}});
    CHECK(parts.status() == 206);
    CHECK(parts.content_type().starts_with("multipart/byteranges; boundary="));
    CHECK(header(parts, "Cache-Control") == "no-cache");
    CHECK(header(parts, "X-Css") == "1");
    CHECK(rig.ask(target, {{"Range", "bytes=0-0"}}).content_type() == "text/y");
  }
}

TEST_CASE("headers: no rule takes away that a file has several codings") {
  Rig rig;
  rig.tree.file("www/style.css.gz", "gz");
  rig.config.headers = {{.match = {}, .remove = {}, .set = {{"Vary", "Origin"}}, .add = {}}};
  Response css = rig.ask("/style.css", {{"Accept-Encoding", "gzip"}});
  REQUIRE(header(css, "Content-Encoding") == "gzip");
  CHECK(header(css, "Vary") == "Origin | Accept-Encoding");
  CHECK(header(rig.ask("/app.html"), "Vary") == "Origin");
}

TEST_CASE("listing: only where it is on, for directories without an index, before the fallback") {
  Rig rig;
  CHECK(rig.ask("/dir/").status() == 404);
  rig.config.listing = true;
  rig.config.fallback = "app.html";
  rig.open();
  CHECK(body(rig.ask("/dir/")).find(">a.txt</a>") != std::string::npos);
  CHECK(body(rig.ask("/")) == "INDEX");
  CHECK(rig.ask("/dir").status() == 301);
  CHECK(rig.ask("/style.css/").status() == 404);
  CHECK(body(rig.ask("/none/")) == "APP");
  CHECK(rig.ask("/dir/", {{"Accept", "application/json"}}).content_type() == "application/json");
  Response posted = rig.ask("/dir/", {}, "localhost:8080", "POST");
  CHECK(posted.status() == 405);
  CHECK(header(posted, "Allow") == "GET, HEAD, OPTIONS");
}

TEST_CASE("cache-control: the first rule that fits, of files only, also of 304") {
  Rig rig;
  rig.config.listing = true;
  rig.config.cache_control = {{.match = {"*.css", "/assets/*"}, .value = "max-age=9"},
                              {.match = {"text/html"}, .value = "no-cache"},
                              {.match = {}, .value = "max-age=1"}};
  CHECK(header(rig.ask("/style.css"), "Cache-Control") == "max-age=9");
  CHECK(header(rig.ask("/"), "Cache-Control") == "no-cache");
  CHECK(header(rig.ask("/dir/a.txt"), "Cache-Control") == "max-age=1");
  CHECK(header(rig.ask("/dir/"), "Cache-Control") == "no-cache");
  CHECK(header(rig.ask("/none"), "Cache-Control").empty());
  CHECK(header(rig.ask("/dir"), "Cache-Control").empty());
  rig.tree.touch("www/style.css", 1'000'000);
  const std::string tag = header(rig.ask("/style.css"), "ETag");
  Response unchanged = rig.ask("/%73tyle.css", {{"If-None-Match", tag}});
  CHECK(unchanged.status() == 304);
  CHECK(header(unchanged, "Cache-Control") == "max-age=9");
  rig.tree.touch("www/index.html", 1'000'000);
  Response index = rig.ask("/", {{"If-None-Match", header(rig.ask("/"), "ETag")}});
  CHECK(index.status() == 304);
  CHECK(header(index, "Cache-Control") == "no-cache");
}

TEST_CASE("headers: taken away, set and added, in this order, on errors too") {
  Rig rig;
  rig.config.headers = {
      {.match = {}, .remove = {"etag"}, .set = {{"X-All", "1"}}, .add = {{"Link", "</a>"}}},
      {.match = {"/style.css"},
       .remove = {},
       .set = {{"X-ALL", "2"}, {"Content-Type", "text/x"}},
       .add = {{"Link", "</b>"}}}};
  Response css = rig.ask("/style.css");
  CHECK(header(css, "ETag").empty());
  CHECK(header(css, "X-All").empty());
  CHECK(header(css, "X-ALL") == "2");
  CHECK(header(css, "Link") == "</a> | </b>");
  CHECK(css.content_type() == "text/x");
  Response missing = rig.ask("/none");
  CHECK(missing.status() == 404);
  CHECK(header(missing, "X-All") == "1");
  CHECK(header(rig.ask("/%zz"), "X-All") == "1");
  CHECK(header(rig.ask("//style.css"), "X-ALL") == "2");
}

TEST_CASE("error pages: a file of the root, for those who read html") {
  Rig rig;
  rig.config.error_pages = {{.status = {404, 421}, .file = "404.html"}};
  Response missing = rig.ask("/none");
  CHECK(missing.status() == 404);
  CHECK(body(missing) == "<p>lost");
  CHECK(missing.content_type() == "text/html; charset=utf-8");
  CHECK_FALSE(missing.is_page());
  CHECK(body(rig.ask("/none", {{"Accept", "application/json"}})) == "page 404");
  CHECK(body(rig.ask("/%zz")) == "page 400");
  CHECK(body(rig.ask("/dir")) == "page 301");
}

TEST_CASE("error pages: that of an unknown host is the default site's") {
  Rig rig;
  rig.config.refuse_unknown_hosts = true;
  rig.config.error_pages = {{.status = {421}, .file = "404.html"}};
  Response refused = rig.ask("/", {}, "nobody.org");
  CHECK(refused.status() == 421);
  CHECK(body(refused) == "<p>lost");
}

TEST_CASE("error pages: one that is gone leaves what was read, one never read the built-in") {
  Rig rig;
  rig.config.error_pages = {{.status = {404}, .file = "404.html"},
                            {.status = {400}, .file = "400.html"}};
  CHECK(body(rig.ask("/none")) == "<p>lost");
  CHECK(body(rig.ask("/%zz")) == "page 400");
  REQUIRE(::unlink(rig.tree.path("www/404.html").c_str()) == 0);
  CHECK(body(rig.ask("/none")) == "<p>lost");
  rig.tree.file("www/404.html", std::string(300'000, 'x'));  // too large to be a page
  rig.open();
  CHECK(body(rig.ask("/none")) == "page 404");
}

TEST_CASE("sites: a limit is of a site's files, by the path however it is spelled") {
  Rig rig;
  rig.config.rate_limits = {
      {.match = {"/dir/free/*"}, .requests_per_second = 0, .requests_burst = 0},
      {.match = {"/dir/*", "*.css"}, .requests_per_second = 5, .requests_burst = 9},
      {.match = {"/dir/*"}, .requests_per_second = 7, .requests_burst = 0}};
  rig.config.hosts.push_back({.names = {"other.org"}, .site = {}});
  rig.config.hosts.back().site.root = rig.tree.path("other");
  rig.config.hosts.back().site.rate_limits = {
      {.match = {"/dir/*", "*.css"}, .requests_per_second = 6, .requests_burst = 0}};
  rig.config.hosts.push_back({.names = {"free.org"}, .site = {}});
  rig.open();
  REQUIRE(rig.sites->has_limits());
  CHECK(rig.config.count_clients());
  const RouteLimit* limit = rig.sites->limit("x", "/dir/a.txt");
  REQUIRE(limit != nullptr);
  CHECK(limit->rate.requests == 5);
  CHECK(limit->rate.burst == 9);
  for (const char* path : {"/dir/", "/dir/none", "//dir/./a.txt", "/%64ir/a.txt", "/x/../dir/a",
                           "/style.css", "/a/b.css", "/dir/free/../b"}) {
    CAPTURE(path);
    CHECK(rig.sites->limit("x", path) == limit);
  }
  for (const char* path : {"/", "/dir", "/dir/free/a", "/other", "/..", "/%00"}) {
    CAPTURE(path);
    CHECK(rig.sites->limit("x", path) == nullptr);
  }
  const RouteLimit* other = rig.sites->limit("other.org:80", "/dir/a.txt");
  REQUIRE(other != nullptr);
  CHECK(other->rate.requests == 6);
  CHECK(other->scope != limit->scope);
  CHECK(rig.sites->limit("free.org", "/dir/a.txt") == nullptr);
  // Another process that reads the same configuration counts in the same bucket.
  Rig second;
  second.config = rig.config;
  second.open();
  CHECK(second.sites->limit("x", "/dir/a.txt")->scope == limit->scope);
}
