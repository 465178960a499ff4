// SPDX-License-Identifier: Apache-2.0
#include "files_support.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

using namespace pronghorn;
using namespace pronghorn::test;
using pronghorn::server::Files;

TEST_CASE("files: a file is answered with its type and validators") {
  Site site;
  auto response = site.ask("GET", "/hello.txt");
  CHECK(response.status() == 200);
  CHECK(response.content_type() == "text/plain; charset=utf-8");
  CHECK(body(response) == "Hello, world!\n");
  CHECK(header(response, "Last-Modified") == "Tue, 02 Jan 2024 03:04:05 GMT");
  CHECK(header(response, "ETag").starts_with('"'));
  CHECK(header(response, "Accept-Ranges") == "bytes");
  CHECK(header(response, "Vary") == "(none)");
  CHECK(body(site.ask("GET", "/with%20space.txt")) == "space\n");
  CHECK(body(site.ask("GET", "/empty.txt")).empty());
  CHECK(body(site.ask("GET", "/.well-known/probe.txt")) == "acme\n");
  CHECK(body(site.ask("GET", "//hello.txt")) == "Hello, world!\n");
}

TEST_CASE("files: a file that was written just now has a weak tag") {
  Site site;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  site.tree.touch("www/hello.txt", now.tv_sec + 10);
  CHECK(header(site.ask("GET", "/hello.txt"), "ETag").starts_with("W/\""));
}

TEST_CASE("files: HEAD tells the length that GET has") {
  Site site;
  auto response = site.ask("HEAD", "/hello.txt");
  CHECK(response.status() == 200);
  REQUIRE(std::holds_alternative<FileBody>(response.body()));
  CHECK(std::get<FileBody>(response.body()).length == 14);
  CHECK(header(response, "ETag") == header(site.ask("GET", "/hello.txt"), "ETag"));
}

TEST_CASE("files: a large file is a piece of an open file") {
  Site site;
  std::string big(1 << 20, 'b');
  site.tree.file("www/big.bin", big);
  auto response = site.ask("GET", "/big.bin");
  REQUIRE(std::holds_alternative<FileBody>(response.body()));
  CHECK(std::get<FileBody>(response.body()).length == big.size());
  CHECK(body(response) == big);
}

TEST_CASE("files: conditional requests") {
  Site site;
  auto tag = header(site.ask("GET", "/hello.txt"), "ETag");
  auto same = site.ask("GET", "/hello.txt", {{"If-None-Match", tag}});
  CHECK(same.status() == 304);
  CHECK(header(same, "ETag") == tag);
  CHECK(header(same, "Last-Modified") == "Tue, 02 Jan 2024 03:04:05 GMT");
  CHECK(same.content_type() == "text/plain; charset=utf-8");  // for rules: it is not sent
  CHECK(body(same) == "(none)");
  CHECK(site.ask("HEAD", "/hello.txt", {{"If-None-Match", tag}}).status() == 304);
  CHECK(site.ask("GET", "/hello.txt", {{"If-Match", "\"x\""}}).status() == 412);
  CHECK(site.ask("GET", "/nope", {{"If-Match", "\"x\""}}).status() == 404);
  CHECK(site.ask("GET", "/nope", {{"If-None-Match", "*"}}).status() == 404);
  CHECK(site.ask("GET", "/dir", {{"If-None-Match", "*"}}).status() == 301);
}

TEST_CASE("files: directories") {
  Site site;
  CHECK(body(site.ask("GET", "/")) == "INDEX\n");
  CHECK(body(site.ask("GET", "/dir/")) == "DIR\n");
  CHECK(body(site.ask("GET", "/dir/sub/..")) == "DIR\n");
  CHECK(site.ask("GET", "/dir/").content_type() == "text/html; charset=utf-8");
  CHECK(site.status("/noindex/") == 404);
  CHECK(site.status("/nope/") == 404);

  auto redirect = site.ask("GET", "/dir?a=1&b=%0d%0aX:1");
  CHECK(redirect.status() == 301);
  CHECK(header(redirect, "Location") == "/dir/?a=1&b=%0d%0aX:1");
  CHECK(header(site.ask("HEAD", "/dir/sub"), "Location") == "/dir/sub/");
}

TEST_CASE("files: a redirect never leads to another host") {
  Site site;
  site.tree.file("www/\\evil.org/x", "x");
  site.tree.file("www/a\r\nb/x", "x");
  CHECK(header(site.ask("GET", "//dir"), "Location") == "/dir/");
  CHECK(header(site.ask("GET", "///dir/../dir"), "Location") == "/dir/");
  CHECK(header(site.ask("GET", "/%5Cevil.org"), "Location") == "/%5Cevil.org/");
  CHECK(header(site.ask("GET", "/a%0d%0ab"), "Location") == "/a%0D%0Ab/");
}

TEST_CASE("files: index names are tried in their order") {
  Site site;
  site.tree.file("www/both/index.html", "html\n");
  site.tree.file("www/both/index.htm", "htm\n");
  site.tree.file("www/second/index.html", "second\n");
  site.tree.file("www/odd/index.htm/x", "a directory\n");
  site.tree.file("www/odd/index.html", "odd\n");
  site.open({.root = {}, .index = {"index.htm", "index.html"}, .refuse = {}});
  CHECK(body(site.ask("GET", "/both/")) == "htm\n");
  CHECK(body(site.ask("GET", "/second/")) == "second\n");
  CHECK(body(site.ask("GET", "/odd/")) == "odd\n");
}

TEST_CASE("files: what is not there is a 404") {
  Site site;
  std::string long_name = "/" + std::string(300, 'n');
  std::string long_path;
  for (int i = 0; i < 3000; ++i) long_path += "/n";
  for (std::string_view target : std::initializer_list<std::string_view>{
           "/nope", "/hello.txt/", "/hello.txt/extra", "/hello.txt.", "/hello.txt%20", "/HELLO.TXT",
           "/with+space.txt", "/with%2520space.txt", "/.env", "//.env", "/dir/../.env",
           "/dir%2fsub", "/..%2fsecret.txt", long_name, long_path}) {
    CAPTURE(target);
    CHECK(site.status(target) == 404);
  }
}

TEST_CASE("files: what cannot be a path is a 400") {
  Site site;
  for (auto target : {"/../secret.txt", "/%2e%2e/secret.txt", "/hello.txt%00", "/%zz", "*"}) {
    CAPTURE(target);
    CHECK(site.status(target) == 400);
  }
}

TEST_CASE("files: only regular files, without waiting") {
  Site site;
  REQUIRE(::mkfifo(site.tree.path("www/fifo").c_str(), 0600) == 0);
  REQUIRE(::mkfifo(site.tree.path("www/noindex/index.html").c_str(), 0600) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto path = site.tree.path("www/socket");
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  pronghorn::UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  site.tree.link("www/null", "/dev/null");
  site.tree.link("www/loop", "loop");
  // As root; others cannot make one, and see that it is not there.
  static_cast<void>(::mknod(site.tree.path("www/zero").c_str(), S_IFCHR | 0666, ::makedev(1, 5)));
  for (auto target : {"/fifo", "/noindex/", "/socket", "/null", "/loop", "/fifo/", "/zero"}) {
    CAPTURE(target);
    CHECK(site.status(target) == 404);
  }
}

TEST_CASE("files: symbolic links are served inside the root, and refused outside") {
  Site site;
  site.tree.link("www/in.txt", "dir/sub/f.txt");
  site.tree.link("www/out.txt", "../secret.txt");
  site.tree.link("www/out", "..");
  CHECK(body(site.ask("GET", "/in.txt")) == "sub\n");
  CHECK(site.status("/out.txt") == 404);
  CHECK(site.status("/out/secret.txt") == 404);
  CHECK(site.status("/out") == 404);
}

TEST_CASE("files: a file that is refused by its identity is not there under any name") {
  Site site;
  site.tree.file("www/pronghorn.toml", "TOP-SECRET");
  site.tree.link("www/link.toml", "pronghorn.toml");
  REQUIRE(::link(site.tree.path("www/pronghorn.toml").c_str(),
                 site.tree.path("www/hard.toml").c_str()) == 0);
  CHECK(site.status("/pronghorn.toml") == 200);
  site.open(
      {.root = {}, .index = {"pronghorn.toml"}, .refuse = {site.tree.path("www/pronghorn.toml")}});
  for (auto target : {"/pronghorn.toml", "/link.toml", "/hard.toml", "/"}) {
    CAPTURE(target);
    CHECK(site.status(target) == 404);
  }
  // Edited as editors do: another file takes the name.
  site.tree.file("www/new", "TOP-SECRET too");
  REQUIRE(::rename(site.tree.path("www/new").c_str(),
                   site.tree.path("www/pronghorn.toml").c_str()) == 0);
  CHECK(site.status("/pronghorn.toml") == 404);
}

TEST_CASE("files: other methods are told what is allowed") {
  Site site;
  for (auto method : {"POST", "PUT", "DELETE", "PATCH"}) {
    auto response = site.ask(method, "/hello.txt");
    CHECK(response.status() == 405);
    CHECK(header(response, "Allow") == "GET, HEAD, OPTIONS");
  }
  auto options = site.ask("OPTIONS", "/hello.txt");
  CHECK(options.status() == 204);
  CHECK(header(options, "Allow") == "GET, HEAD, OPTIONS");
  CHECK(site.ask("DELETE", "/dir").status() == 405);
  CHECK(site.ask("POST", "/").status() == 405);
  CHECK(site.ask("POST", "/nope").status() == 404);
  CHECK(site.ask("PUT", "/noindex/").status() == 404);
  CHECK(site.ask("POST", "/%zz").status() == 400);
}

TEST_CASE("files: without descriptors left the answer is 503") {
  Site site;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  int file = site.status("/hello.txt"), directory = site.status("/");
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(file == 503);
  CHECK(directory == 503);
  CHECK(site.status("/hello.txt") == 200);
}

TEST_CASE("files: what may not be read is a 403") {
  if (::geteuid() == 0) return;  // root reads everything
  Site site;
  REQUIRE(::chmod(site.tree.path("www/hello.txt").c_str(), 0) == 0);
  CHECK(site.status("/hello.txt") == 403);
}

TEST_CASE("files: a root that is not there is said") {
  auto opened = Files::open({.root = "/nonexistent/www", .index = {}, .refuse = {}});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message() == "'/nonexistent/www': no such file or directory");
}
