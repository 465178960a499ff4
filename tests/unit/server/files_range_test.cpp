// SPDX-License-Identifier: Apache-2.0
// Ranges of files: small ones, which are answered from memory, and large ones, which are not.
#include "files_support.h"
#include "server/date.h"

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

struct RangeSite : Site {
  RangeSite() {
    std::string digits;
    for (int i = 0; i < 10; ++i) digits += "0123456789";
    tree.file("www/digits.txt", digits);
    tree.touch("www/digits.txt", kModified);
    tree.file("www/big.bin", big);
    tree.touch("www/big.bin", kModified);
  }
  Response range(std::string_view value, std::string_view target = "/digits.txt") {
    return ask("GET", target, {{"Range", value}});
  }
  std::string big = [] {
    std::string bytes(100'000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
    return bytes;
  }();
};

}  // namespace

TEST_CASE("files: one range is a 206 with its place and its bytes") {
  RangeSite site;
  auto response = site.range("bytes=0-9");
  CHECK(response.status() == 206);
  CHECK(body(response) == "0123456789");
  CHECK(header(response, "Content-Range") == "bytes 0-9/100");
  CHECK(response.content_type() == "text/plain; charset=utf-8");
  CHECK(header(response, "ETag") == header(site.ask("GET", "/digits.txt"), "ETag"));
  CHECK(header(response, "Last-Modified") == "Tue, 02 Jan 2024 03:04:05 GMT");
  CHECK(header(site.range("bytes=-1000"), "Content-Range") == "bytes 0-99/100");
  response = site.range("bytes=99000-", "/big.bin");
  CHECK(response.status() == 206);
  CHECK(std::holds_alternative<FileBody>(response.body()));
  CHECK(body(response) == site.big.substr(99'000));
}

TEST_CASE("files: several ranges are the parts of one body, exactly as long as it says") {
  RangeSite site;
  for (std::string target : {"/digits.txt", "/big.bin"}) {
    CAPTURE(target);
    auto response = site.range("bytes=0-1, -3,10-11", target);
    CHECK(response.status() == 206);
    CHECK(header(response, "Content-Range") == "(none)");
    std::string type(response.content_type());
    REQUIRE(type.starts_with("multipart/byteranges; boundary="));
    std::string mark = "--" + type.substr(31);
    std::string whole = target == "/big.bin" ? site.big : body(site.ask("GET", target));
    std::string kind =
        target == "/big.bin" ? "application/octet-stream" : "text/plain; charset=utf-8";
    std::string size = std::to_string(whole.size());
    std::string last = std::to_string(whole.size() - 3) + "-" + std::to_string(whole.size() - 1);
    auto part = [&](const std::string& range, const std::string& bytes) {
      return mark + "\r\nContent-Type: " + kind + "\r\nContent-Range: bytes " + range + "/" + size +
             "\r\n\r\n" + bytes + "\r\n";
    };
    std::string wanted = part("0-1", whole.substr(0, 2)) +
                         part(last, whole.substr(whole.size() - 3)) +
                         part("10-11", whole.substr(10, 2)) + mark + "--\r\n";
    CHECK(body(response) == wanted);
    if (const auto* file = std::get_if<FileBody>(&response.body())) {
      CHECK(file->total() == wanted.size());
    }
  }
}

TEST_CASE("files: of several ranges one that is left is no multipart") {
  RangeSite site;
  auto response = site.range("bytes=500-,5-6");
  CHECK(response.status() == 206);
  CHECK(header(response, "Content-Range") == "bytes 5-6/100");
  CHECK(body(response) == "56");
}

TEST_CASE("files: nothing of a range there is 416 with the length") {
  RangeSite site;
  for (auto value : {"bytes=100-", "bytes=500-600,700-", "bytes=10-alpha", "bytes=5-2"}) {
    auto response = site.range(value);
    CHECK(response.status() == 416);
    CHECK(header(response, "Content-Range") == "bytes */100");
    CHECK(response.is_page());
  }
  CHECK(site.range("bytes=0-", "/empty.txt").status() == 416);
  CHECK(header(site.range("bytes=0-", "/empty.txt"), "Content-Range") == "bytes */0");
}

TEST_CASE("files: a range that is ignored gets the whole") {
  RangeSite site;
  for (auto value : {"items=0-5", "bytes=0-9,5-8", "bytes=0-98,0-0,99-99"}) {
    CAPTURE(value);
    auto response = site.range(value);
    CHECK(response.status() == 200);
    CHECK(body(response).size() == 100);
    CHECK(header(response, "Content-Range") == "(none)");
  }
  auto head = site.ask("HEAD", "/digits.txt", {{"Range", "bytes=0-9"}});
  CHECK(head.status() == 200);
  CHECK(std::get<FileBody>(head.body()).total() == 100);
}

TEST_CASE("files: how many ranges are answered is an option") {
  RangeSite site;
  site.open({.root = {}, .refuse = {}, .ranges = 2});
  CHECK(site.range("bytes=0-1,3-4").status() == 206);
  CHECK(site.range("bytes=0-1,3-4,6-7").status() == 200);
}

TEST_CASE("files: If-Range lets a range count only for the very version") {
  RangeSite site;
  auto plain = site.ask("GET", "/digits.txt");
  auto tag = header(plain, "ETag"), date = header(plain, "Last-Modified");
  auto ask = [&](std::string_view if_range) {
    return site.ask("GET", "/digits.txt", {{"Range", "bytes=0-9"}, {"If-Range", if_range}});
  };
  CHECK(ask(tag).status() == 206);
  CHECK(ask(date).status() == 206);
  CHECK(ask("Tuesday, 02-Jan-24 03:04:05 GMT").status() == 206);
  for (const std::string& other :
       {"W/" + tag, std::string("\"x\""), tag + "," + tag, std::string("*"), std::string(),
        server::format_http_date(kModified + 1), server::format_http_date(kModified - 1),
        std::string("garbage"), tag.substr(0, tag.size() - 1)}) {
    CAPTURE(other);
    auto response = ask(other);
    CHECK(response.status() == 200);
    CHECK(body(response).size() == 100);
  }
  CHECK(
      site.ask("GET", "/digits.txt", {{"Range", "bytes=0-9"}, {"If-Range", tag}, {"If-Range", tag}})
          .status() == 200);
  // Nothing to satisfy, but not asked of this version either.
  CHECK(site.ask("GET", "/digits.txt", {{"Range", "bytes=500-"}, {"If-Range", "\"x\""}}).status() ==
        200);
  CHECK(site.ask("GET", "/digits.txt", {{"If-Range", "\"x\""}}).status() == 200);
}

TEST_CASE("files: a weak tag, and its date, say no version for If-Range") {
  RangeSite site;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  site.tree.touch("www/digits.txt", now.tv_sec + 100);
  auto plain = site.ask("GET", "/digits.txt");
  auto tag = header(plain, "ETag");
  REQUIRE(tag.starts_with("W/"));
  for (const std::string& value : {tag, tag.substr(2), header(plain, "Last-Modified")}) {
    CHECK(site.ask("GET", "/digits.txt", {{"Range", "bytes=0-9"}, {"If-Range", value}}).status() ==
          200);
  }
}

TEST_CASE("files: conditions come before ranges") {
  RangeSite site;
  auto tag = header(site.ask("GET", "/digits.txt"), "ETag");
  auto ask = [&](Field condition, std::string_view range = "bytes=0-9") {
    return site.ask("GET", "/digits.txt", {{"Range", range}, condition}).status();
  };
  CHECK(ask({"If-Match", tag}) == 206);
  CHECK(ask({"If-Match", "\"x\""}) == 412);
  CHECK(ask({"If-Match", "\"x\""}, "bytes=500-") == 412);
  CHECK(ask({"If-None-Match", tag}) == 304);
  CHECK(ask({"If-None-Match", tag}, "bytes=500-") == 304);
  CHECK(ask({"If-None-Match", "\"x\""}, "bytes=500-") == 416);
  CHECK(ask({"If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"}) == 412);
  CHECK(ask({"If-Modified-Since", "Fri, 01 Mar 2024 00:00:00 GMT"}) == 304);
}
