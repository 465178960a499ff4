// SPDX-License-Identifier: Apache-2.0
// Files with a cache: what is kept, for how long, and that nothing is ever mixed from two versions.
#include "allocation_count.h"
#include "files_support.h"
#include "server/file_cache.h"
#include "server/files_impl.h"

#include <atomic>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

using namespace pronghorn;
using namespace pronghorn::test;
using namespace std::chrono_literals;
using server::FileCache;

namespace {

/// Of files as old as they are: kept at once.
constexpr FileCache::Options kLasting{.valid = 1h, .settled = 0ms};
constexpr FileCache::Options kLooking{.valid = 0ms, .settled = 0ms};

struct CacheSite : Site {
  explicit CacheSite(const FileCache::Options& options = kLasting) {
    tree.file("www/pre.js", std::string(3000, 'x'));
    tree.file("www/pre.js.gz", "GZ");
    tree.file("www/big.bin", std::string(300'000, 'b'));
    for (auto name : {"www/pre.js", "www/pre.js.gz", "www/big.bin"}) tree.touch(name, kModified);
    cache = std::make_shared<FileCache>(options);
    Site::open({.root = {}, .refuse = {}, .cache = cache});
  }
  std::string get(std::string_view target) { return body(ask("GET", target)); }
  std::shared_ptr<FileCache> cache;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& fd : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("files: a weak tag of what is kept becomes strong when it may") {
  CacheSite site(kLooking);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  // Weak for 50 ms more.
  const auto ns = static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec - 950'000'000;
  site.tree.touch("www/hello.txt", ns / 1'000'000'000, static_cast<long>(ns % 1'000'000'000));
  auto tag = [&] { return header(site.ask("GET", "/hello.txt"), "ETag"); };
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  std::string seen = tag();
  while (seen.starts_with("W/") && std::chrono::steady_clock::now() < deadline) seen = tag();
  CHECK(seen.starts_with("\""));
  CHECK(site.cache->size() == 1);
}

TEST_CASE("files: a small file's bytes are kept, a large one's descriptor") {
  CacheSite site;
  auto first = site.ask("GET", "/hello.txt"), second = site.ask("GET", "/hello.txt");
  using Shared = std::shared_ptr<const std::string>;
  REQUIRE(std::holds_alternative<Shared>(second.body()));
  CHECK(std::get<Shared>(first.body()) == std::get<Shared>(second.body()));
  CHECK(body(second) == "Hello, world!\n");
  CHECK(&first.headers() == &second.headers());
  CHECK(site.cache->descriptors() == 0);
  auto big = site.ask("GET", "/big.bin"), again = site.ask("GET", "/big.bin");
  CHECK(std::get<FileBody>(big.body()).file.fd() == std::get<FileBody>(again.body()).file.fd());
  CHECK(body(again) == std::string(300'000, 'b'));
  CHECK(site.cache->descriptors() == 1);
  CHECK(site.cache->size() == 2);

  // Every kind of answer is the same as without a cache.
  auto tag = header(second, "ETag");
  CHECK(site.ask("GET", "/hello.txt", {{"If-None-Match", tag}}).status() == 304);
  CHECK(body(site.ask("GET", "/hello.txt", {{"Range", "bytes=7-11"}})) == "world");
  CHECK(body(site.ask("GET", "/big.bin", {{"Range", "bytes=-5"}})) == "bbbbb");
  CHECK(std::get<FileBody>(site.ask("HEAD", "/hello.txt").body()).total() == 14);
  CHECK(body(site.ask("GET", "/pre.js", {{"Accept-Encoding", "gzip"}})) == "GZ");
  CHECK(site.get("/pre.js").size() == 3000);
  CHECK(body(site.ask("GET", "/pre.js", {{"Accept-Encoding", "gzip"}})) == "GZ");
  CHECK(site.get("/") == "INDEX\n");
  CHECK(site.get("/dir/") == "DIR\n");
}

TEST_CASE("files: answering from the cache allocates nothing") {
  CacheSite site;
  auto one = [&] {
    CHECK(site.ask("GET", "/hello.txt").status() == 200);
    CHECK(site.ask("GET", "/pre.js", {{"Accept-Encoding", "gzip"}}).status() == 200);
    CHECK(site.ask("GET", "/big.bin").status() == 200);
    CHECK(site.ask("GET", "/hello.txt", {{"If-None-Match", "*"}}).status() == 304);
  };
  for (int i = 0; i < 3; ++i) one();
  // doctest's own share of a CHECK is none, or this would say so.
  auto before = allocations;
  for (int i = 0; i < 100; ++i) one();
  CHECK(allocations - before == 0);
}

TEST_CASE("files: a changed file is seen when the cache looks again, and whole before that") {
  CacheSite lasting;
  CHECK(lasting.get("/hello.txt") == "Hello, world!\n");
  lasting.tree.file("www/hello.txt", "Other, world!\n");
  CHECK(lasting.get("/hello.txt") == "Hello, world!\n");

  CacheSite looking(kLooking);
  CHECK(looking.get("/hello.txt") == "Hello, world!\n");
  auto tag = header(looking.ask("GET", "/hello.txt"), "ETag");
  CHECK(looking.cache->size() == 1);
  looking.tree.file("www/hello.txt", "Other, world!\n");
  CHECK(looking.get("/hello.txt") == "Other, world!\n");
  CHECK(header(looking.ask("GET", "/hello.txt"), "ETag") != tag);
  looking.tree.touch("www/hello.txt", kModified);
  CHECK(looking.get("/hello.txt") == "Other, world!\n");
  CHECK(looking.cache->size() == 1);
  // Replaced by another of the same size and time.
  looking.tree.file("www/new", "Third, world!\n");
  looking.tree.touch("www/new", kModified);
  std::filesystem::rename(looking.tree.path("www/new"), looking.tree.path("www/hello.txt"));
  CHECK(looking.get("/hello.txt") == "Third, world!\n");
  std::filesystem::remove(looking.tree.path("www/hello.txt"));
  CHECK(looking.status("/hello.txt") == 404);
  CHECK(looking.cache->size() == 0);
  std::filesystem::create_directory(looking.tree.path("www/hello.txt"));
  CHECK(looking.status("/hello.txt") == 301);
}

TEST_CASE("files: what has changed less than a second ago is not kept") {
  CacheSite site({.valid = 1h});
  CHECK(site.get("/hello.txt") == "Hello, world!\n");
  CHECK(site.cache->size() == 0);
  site.tree.file("www/hello.txt", "Other, world!\n");
  CHECK(site.get("/hello.txt") == "Other, world!\n");
  CHECK(site.files->served() == nullptr);  // nor is what is made of it
}

TEST_CASE("files: a variant that comes, changes or goes is seen") {
  CacheSite site(kLooking);
  auto encoding = [&] {
    return header(site.ask("GET", "/pre.js", {{"Accept-Encoding", "gzip, br"}}),
                  "Content-Encoding");
  };
  CHECK(encoding() == "gzip");
  site.tree.file("www/pre.js.br", "BR");
  CHECK(encoding() == "br");
  std::filesystem::remove(site.tree.path("www/pre.js.br"));
  CHECK(encoding() == "gzip");
  std::filesystem::remove(site.tree.path("www/pre.js.gz"));
  CHECK(encoding() == "(none)");
}

TEST_CASE("files: a large file that was written to is not sent under its old head") {
  CacheSite site;
  auto tag = header(site.ask("GET", "/big.bin"), "ETag");
  CHECK(site.cache->descriptors() == 1);
  UniqueFd writer(::open(site.tree.path("www/big.bin").c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::pwrite(writer.get(), "X", 1, 10) == 1);
  auto response = site.ask("GET", "/big.bin");
  CHECK(header(response, "ETag") != tag);
  CHECK(body(response)[10] == 'X');
  auto* file = std::get_if<FileBody>(&response.body());
  REQUIRE(file != nullptr);
  struct stat now{};
  REQUIRE(::fstat(file->file.fd(), &now) == 0);
  REQUIRE(file->file.stamp() != nullptr);
  CHECK(file->file.stamp()->modified_ns == now.st_mtim.tv_nsec);
}

TEST_CASE("files: a file that is replaced all the time is always answered whole") {
  CacheSite site(kLooking);
  constexpr std::size_t kSize = 6000;
  std::atomic<bool> stop = false;
  site.tree.file("www/live.txt", std::string(kSize, 'a'));
  std::thread writer([&] {
    for (char c = 'a'; !stop; c = c == 'z' ? 'a' : static_cast<char>(c + 1)) {
      site.tree.file("www/next", std::string(kSize, c));
      std::filesystem::rename(site.tree.path("www/next"), site.tree.path("www/live.txt"));
    }
  });
  int whole = 0, others = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bytes = site.get("/live.txt");
    bool is_whole = bytes.size() == kSize && bytes.find_first_not_of(bytes[0]) == bytes.npos;
    ++(is_whole ? whole : others);
  }
  stop = true;
  writer.join();
  CHECK(whole == 400);
  CHECK(others == 0);
}

TEST_CASE("files: bytes are only taken when the file is the same after reading as before") {
  ::test::TemporaryTree tree;
  tree.file("a", "first");
  tree.touch("a", kModified);
  UniqueFd fd(::open(tree.path("a").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  REQUIRE(::fstat(fd.get(), &info) == 0);
  auto identity = server::FileIdentity::of(info);
  CHECK(server::read_whole(fd.get(), identity) == "first");
  tree.file("a", "other");  // of the same size
  CHECK_FALSE(server::read_whole(fd.get(), identity));
  REQUIRE(::fstat(fd.get(), &info) == 0);
  identity = server::FileIdentity::of(info);
  CHECK(server::read_whole(fd.get(), identity) == "other");
  tree.file("a", "less");
  CHECK_FALSE(server::read_whole(fd.get(), identity));
}

TEST_CASE("files: an answer keeps its bytes when the cache lets them go") {
  CacheSite site({.entries = 1, .valid = 1h, .settled = 0ms});
  auto response = site.ask("GET", "/hello.txt");
  auto big = site.ask("GET", "/big.bin");
  CHECK(site.get("/dir/sub/f.txt") == "sub\n");
  CHECK(site.cache->size() == 1);
  CHECK(site.cache->descriptors() == 0);
  CHECK(body(response) == "Hello, world!\n");
  CHECK(body(big).size() == 300'000);
}

TEST_CASE("files: a cache of no entries keeps nothing") {
  CacheSite site({.entries = 0, .valid = 1h, .settled = 0ms});
  CHECK(site.get("/hello.txt") == "Hello, world!\n");
  CHECK(site.cache->size() == 0);
  site.tree.file("www/hello.txt", "Other\n");
  CHECK(site.get("/hello.txt") == "Other\n");
}

TEST_CASE("files: sites that share a cache do not share their paths") {
  CacheSite site;
  site.tree.file("other/hello.txt", "the other's\n");
  auto other =
      server::Files::open({.root = site.tree.path("other"), .refuse = {}, .cache = site.cache});
  REQUIRE(other.has_value());
  Request request;
  RequestBuilder{request}.method("GET").target("/hello.txt").path("/hello.txt");
  for (int i = 0; i < 2; ++i) {
    CHECK(site.get("/hello.txt") == "Hello, world!\n");
    CHECK(body(other->answer(request)) == "the other's\n");
  }
  CHECK(site.cache->size() == 2);
}

TEST_CASE("files: kept descriptors give way when there are none left") {
  CacheSite site;
  site.tree.file("www/big2.bin", std::string(300'000, 'c'));
  site.get("/big.bin");
  site.get("/big2.bin");
  REQUIRE(site.cache->descriptors() == 2);
  std::size_t used = open_descriptors() - 1;  // but for the iterator's own
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  std::vector<UniqueFd> fill;
  rlimit tight{used + 8, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) fill.emplace_back(fd);
  int status = site.status("/dir/sub/f.txt");
  auto left = site.cache->descriptors();
  int none = site.status("/noindex/file.txt");
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(status == 200);
  CHECK(left == 0);
  CHECK(none == 200);  // what was given up is free again
}

TEST_CASE("files: what served() says is what the answer is made of") {
  CacheSite site;
  site.get("/hello.txt");
  REQUIRE(site.files->served() != nullptr);
  CHECK(site.files->served()->size == 14);
  CHECK(site.ask("GET", "/pre.js", {{"Accept-Encoding", "gzip"}}).status() == 200);
  CHECK(site.files->served()->size == 2);
  for (auto target : {"/nope", "/dir", "/%zz"}) {
    site.status(target);
    CHECK(site.files->served() == nullptr);
  }
  site.ask("GET", "/hello.txt", {{"If-None-Match", "*"}});
  CHECK(site.files->served() == nullptr);
}
