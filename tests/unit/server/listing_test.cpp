// SPDX-License-Identifier: Apache-2.0
#include "server/listing.h"

#include "temporary_tree.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace pronghorn;
using pronghorn::server::Listing;
using pronghorn::server::listing_response;
using pronghorn::server::RootDirectory;

namespace {

constexpr std::time_t kModified = 1'704'164'645;  // 2024-01-02 03:04:05 UTC

std::vector<std::string> names(const Listing& listing) {
  std::vector<std::string> found;
  for (const auto& entry : listing.entries) found.push_back(entry.name);
  return found;
}

Listing read(const test::TemporaryTree& tree, const std::string& path,
             const std::vector<std::string>& hidden = {}) {
  auto root = RootDirectory::open(tree.path(""));
  REQUIRE(root);
  auto listing = Listing::read(*root, path, hidden);
  REQUIRE(listing);
  listing->sort({});
  return *listing;
}

std::string header(const Response& response, std::string_view name) {
  for (const auto& field : response.headers()) {
    if (field.name == name) return field.value;
  }
  return {};
}

Listing one(std::string name) {
  Listing listing;
  listing.entries.push_back(
      {.name = std::move(name), .is_directory = false, .size = 1234, .modified = kModified});
  return listing;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("listing: what would be refused is not listed") {
  test::TemporaryTree tree;
  tree.file("outside.txt", "x");
  tree.file("www/b.txt", "bb");
  tree.file("www/a/inner.txt", "x");
  tree.file("www/.env", "x");
  tree.file("www/pronghorn.toml", "x");
  tree.link("www/inside.txt", "b.txt");
  tree.link("www/to-a", "a");
  tree.link("www/leads-out", "../outside.txt");
  tree.link("www/dangling", "nowhere");
  tree.link("www/loop", "loop");
  REQUIRE(::mkfifo(tree.path("www/fifo").c_str(), 0600) == 0);
  auto root = RootDirectory::open(tree.path("www"));
  REQUIRE(root);
  auto listing = Listing::read(*root, "", {tree.path("www/pronghorn.toml")});
  REQUIRE(listing);
  listing->sort({});
  CHECK(names(*listing) == std::vector<std::string>{"a", "to-a", "b.txt", "inside.txt"});
  CHECK_FALSE(listing->is_cut);
  CHECK_FALSE(Listing::read(*root, "b.txt", {}));
  CHECK_FALSE(Listing::read(*root, "nowhere", {}));
  CHECK_FALSE(Listing::read(*root, "..", {}));
}

TEST_CASE("listing: a file that cannot be read is not listed") {
  if (::geteuid() == 0) return;  // root can read everything
  test::TemporaryTree tree;
  tree.file("secret.txt", "x");
  REQUIRE(::chmod(tree.path("secret.txt").c_str(), 0) == 0);
  CHECK(names(read(tree, "")).empty());
}

TEST_CASE("listing: folders first, then by name, size or time, either way round") {
  test::TemporaryTree tree;
  tree.file("d/x", "x");
  tree.file("c/x", "x");
  tree.file("big", "12345");
  tree.file("small", "1");
  tree.file("alike", "1");
  tree.touch("big", 100);
  tree.touch("small", 300);
  tree.touch("alike", 200);
  using Names = std::vector<std::string>;
  auto sorted = [&](std::string_view query) {
    auto listing = read(tree, "");
    listing.sort(Listing::order_of(query));
    return names(listing);
  };
  CHECK(sorted("") == Names{"c", "d", "alike", "big", "small"});
  CHECK(sorted("sort=name&order=desc") == Names{"d", "c", "small", "big", "alike"});
  CHECK(sorted("sort=size") == Names{"c", "d", "alike", "small", "big"});
  CHECK(sorted("order=desc&sort=size") == Names{"c", "d", "big", "alike", "small"});
  auto by_time = sorted("sort=time&order=asc");
  CHECK(Names(by_time.begin() + 2, by_time.end()) == Names{"big", "alike", "small"});
  CHECK(sorted("sort=owner&order=up&&x") == sorted(""));
}

TEST_CASE("listing: more names than the limit are not read, and it says so") {
  Listing listing = one("x");
  CHECK_FALSE(contains(listing.html("/", {}), "There is more"));
  listing.is_cut = true;
  CHECK(contains(listing.html("/", {}), "<p>There is more in this folder: only 10000 "));
}

TEST_CASE("listing: the page has names escaped for HTML and for links") {
  const std::string name = "<i>&\"'.t\xff:%?#\n";
  const std::string page = one(name).html("/a <b>&/c/", {});
  CHECK(contains(page, "<title>/a &lt;b&gt;&amp;/c/</title>"));
  CHECK(contains(page, ">&lt;i&gt;&amp;&quot;&#39;.t\xEF\xBF\xBD:%?#\n</a>"));
  CHECK(contains(page, "<a href=\"%3Ci%3E&\"") == false);
  CHECK(contains(page, "href=\"%3Ci%3E&%22'.t%FF%3A%25%3F%23%0A\""));
  CHECK(contains(page, "<a href=\"/\">/</a> <a href=\"/a%20%3Cb%3E&/\">a &lt;b&gt;&amp;/</a> c/"));
  CHECK_FALSE(contains(page, "<script"));
  CHECK_FALSE(contains(page, "http:"));
}

TEST_CASE("listing: sizes, UTC times and the order are shown") {
  const std::string page = one("a").html("/", {.key = Listing::Key::size, .descending = true});
  CHECK(contains(page, "<td>1.2 KiB<td>"));
  CHECK(contains(page, "<time datetime=\"2024-01-02T03:04:05Z\">2024-01-02 03:04</time>"));
  CHECK(contains(page,
                 "<th scope=col aria-sort=descending><a href=\"?sort=size&amp;order=asc\">Size"));
  CHECK(contains(page, "<th scope=col><a href=\"?sort=name&amp;order=asc\">Name"));
}

TEST_CASE("listing: the page without entries is under 4 KiB") {
  CHECK(Listing().html("/", {}).size() < 4096);
  CHECK(contains(Listing().html("/", {}), "This folder is empty"));
}

TEST_CASE("listing: JSON for those who ask for it, with any name as a valid string") {
  Listing listing = one("q\"\\\x01\xff");
  listing.entries.push_back({.name = "d", .is_directory = true, .size = 0, .modified = 0});
  CHECK(listing.json() ==
        "[\n{\"name\":\"q\\\"\\\\\\u0001\xEF\xBF\xBD\",\"type\":\"file\",\"size\":1234,"
        "\"mtime\":\"2024-01-02T03:04:05Z\"},\n"
        "{\"name\":\"d\",\"type\":\"directory\",\"mtime\":\"1970-01-01T00:00:00Z\"}\n]\n");
  CHECK(Listing().json() == "[\n]\n");
}

TEST_CASE("listing: the answer says how it may be kept and what it depends on") {
  Response html = listing_response(std::make_shared<const std::string>("<p>"), false, true);
  CHECK(html.status() == 200);
  CHECK(html.content_type() == "text/html; charset=utf-8");
  CHECK(header(html, "Content-Security-Policy").starts_with("default-src 'none'; style-src 'sha"));
  CHECK(header(html, "X-Listing-Cut").empty());
  Response json = listing_response(std::make_shared<const std::string>("[]"), true, true);
  CHECK(json.content_type() == "application/json");
  CHECK(header(json, "X-Listing-Cut") == "true");
  for (const Response* response : {&html, &json}) {
    CHECK(header(*response, "Cache-Control") == "no-cache");
    CHECK(header(*response, "Vary") == "Accept");
  }
}
