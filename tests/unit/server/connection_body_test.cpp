// SPDX-License-Identifier: Apache-2.0
// Bodies that are not among the answers' bytes: files by sendfile, parts, shared bytes.
#include "connection_support.h"
#include "temporary_tree.h"

#include <algorithm>
#include <malloc.h>
#include <memory>
#include <optional>
#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

/// Every byte tells where it stands.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7 + i / 251) % 256);
  return bytes;
}

FileStamp stamp_of(int fd) {
  struct stat info{};
  REQUIRE(::fstat(fd, &info) == 0);
  return {static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

UniqueFd open_file(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

TEST_CASE("connection: every size of a file arrives as it is, and the next answer after it") {
  TestServer s;
  for (std::size_t size : {1, 1000, 16 * 1024, 32 * 1024, 64 * 1024, 64 * 1024 + 1, 80 * 1024,
                           100'000, 1 << 20, 3'000'001}) {
    for (bool stamped : {false, true}) {
      CAPTURE(size);
      CAPTURE(stamped);
      s.make_file(size);
      std::string bytes = pattern(size);
      REQUIRE(::pwrite(s.file.get(), bytes.data(), size, 0) == static_cast<ssize_t>(size));
      s.body = [&] {
        UniqueFd fd(::dup(s.file.get()));
        SharedFile file(std::move(fd),
                        stamped ? std::optional(stamp_of(s.file.get())) : std::nullopt);
        return Response().body(FileBody{.file = std::move(file), .offset = 0, .length = size});
      };
      Client c = s.listener.connect();
      auto counted = s.counters.bytes_out.get();
      REQUIRE(s.talk(c, get("/body") + get("/hello", kClose), [&] { return c.over(); }));
      CHECK(c.error == 0);
      auto at = c.received.find("\r\n\r\n");
      CHECK(c.received.substr(at + 4, size) == bytes);
      CHECK(c.received.ends_with("hello, world\n"));
      CHECK(s.counters.bytes_out.get() - counted == c.received.size());
    }
  }
}

TEST_CASE("connection: the parts of a file reach a slow client in order") {
  TestServer s(TestServer::quick(), Listener::tcp(64 * 1024));
  constexpr std::size_t kSize = 2 << 20;
  s.make_file(kSize);
  std::string bytes = pattern(kSize);
  REQUIRE(::pwrite(s.file.get(), bytes.data(), kSize, 0) == static_cast<ssize_t>(kSize));
  std::string wanted;
  s.body = [&] {
    FileBody body{.file = UniqueFd(::dup(s.file.get())), .offset = 0, .length = 0};
    wanted.clear();
    for (std::uint64_t i = 0; i < 8; ++i) {
      std::uint64_t offset = (7 - i) * (kSize / 8), length = 1 + i * 30'000;
      body.more.push_back({"<" + std::to_string(i) + ">", offset, length});
      wanted += body.more.back().before + bytes.substr(offset, length);
    }
    body.tail = "<end>";
    wanted += body.tail;
    return Response().body(std::move(body));
  };
  Client c = s.listener.connect(64 * 1024);
  c.send(get("/body", kClose));
  s.run_for(20ms);
  REQUIRE(s.ends(c));
  CHECK(c.error == 0);
  auto at = c.received.find("\r\n\r\n");
  CHECK(c.received.substr(at + 4) == wanted);
}

TEST_CASE("connection: a client that sends on after it asked for the close loses nothing") {
  TestServer s(TestServer::quick(), Listener::tcp(64 * 1024));
  s.make_file(2 << 20);
  Client c = s.listener.connect(64 * 1024);
  c.send(get("/file", kClose));
  s.run_for(20ms);
  c.send(get("/hello"));  // while nothing is read from it
  REQUIRE(s.until([&] {
    c.read(30'000);
    return c.over();
  }));
  CHECK(c.error == 0);
  CHECK(c.received.size() > (2 << 20));
  CHECK(count_of(c.received, "HTTP/1.1") == 1);
}

TEST_CASE(
    "connection: what is sent on while the kernel has a whole large answer costs nothing of it") {
  TestServer s;
  s.make_file(512 << 10);
  Client c = s.listener.connect(64 * 1024);
  std::string request = get("/file", kClose);
  c.send(request.substr(0, 10));
  s.run_for(20ms);  // it is read from by now
  c.send(request.substr(10));
  s.run_for(20ms);
  c.send(get("/hello"));
  REQUIRE(s.until([&] {
    c.read(30'000);
    return c.over();
  }));
  CHECK(c.error == 0);
  CHECK(c.received.size() > (512 << 10));
  CHECK(count_of(c.received, "HTTP/1.1") == 1);
}

TEST_CASE("connection: shared bytes reach quick and slow clients, and stay one copy") {
  auto bytes = std::make_shared<const std::string>(pattern(2 << 20));
  for (bool slow : {false, true}) {
    CAPTURE(slow);
    TestServer s(TestServer::quick(), Listener::tcp(slow ? 64 * 1024 : 0));
    s.body = [&] { return Response().body(bytes); };
    std::vector<Client> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(s.listener.connect(slow ? 64 * 1024 : 0));
    s.turns(3);
    auto before = ::mallinfo2().uordblks;
    for (Client& c : clients) c.send(get("/body", kClose));
    s.run_for(20ms);
    if (slow) CHECK(::mallinfo2().uordblks - before < 4 * 8 * 1024);
    for (Client& c : clients) {
      REQUIRE(s.ends(c));
      CHECK(c.error == 0);
      CHECK(c.received.size() > bytes->size());
      CHECK(c.received.ends_with(*bytes));
    }
    clients.clear();
    REQUIRE(s.until([&] { return s.server->connections() == 0; }));
    CHECK(bytes.use_count() == 1);
  }
}

TEST_CASE(
    "connection: of a large file that waits for room nothing is kept, and all of it arrives") {
  TestServer s(TestServer::quick(), Listener::tcp(64 * 1024));
  s.make_file(4 << 20);
  std::string bytes = pattern(4 << 20);
  REQUIRE(::pwrite(s.file.get(), bytes.data(), bytes.size(), 0) == 4 << 20);
  std::vector<Client> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(s.listener.connect(64 * 1024));
  s.turns(3);
  auto before = ::mallinfo2().uordblks;
  for (Client& c : clients) c.send(get("/file", kClose));
  s.run_for(20ms);
  CHECK(::mallinfo2().uordblks - before < 4 * 8 * 1024);
  auto is_over = [&](Client& c) { return c.read(10'000), c.over(); };
  clients.front().socket.reset();  // one of those that wait is gone: its place in the set as well
  REQUIRE(s.until([&] { return s.server->connections() == 3; }));
  clients.erase(clients.begin());
  // All in turn, a little at a time: each waits for room again and again.
  REQUIRE(s.until([&] { return std::ranges::count_if(clients, is_over) == 3; }));
  for (Client& c : clients) {
    CHECK(c.error == 0);
    CHECK(c.received.ends_with(bytes));
  }
}

TEST_CASE("connection: a client that takes all at once has its file, some of it a turn") {
  TestServer s;
  s.make_file(64 << 20);
  Client c = s.listener.connect(8 << 20);
  c.send(get("/file", kClose));
  REQUIRE(s.until([&] { return c.read(4 << 20), c.over(); }));
  CHECK(c.error == 0);
  CHECK(c.received.size() > (64 << 20));
}

TEST_CASE("connection: a file that is written to while it is sent is never sent to its end") {
  ::test::TemporaryTree tree;
  std::string bytes = pattern(4 << 20);
  for (const char* how : {"overwritten", "longer", "shorter", "touched"}) {
    CAPTURE(how);
    tree.file("file", bytes);
    tree.touch("file", 1'704'164'645);
    TestServer s(TestServer::quick(), Listener::tcp(64 * 1024));
    s.body = [&] {
      UniqueFd fd = open_file(tree.path("file"));
      auto stamp = stamp_of(fd.get());
      return Response().body(
          FileBody{.file = SharedFile(std::move(fd), stamp), .offset = 0, .length = bytes.size()});
    };
    Client c = s.listener.connect(64 * 1024);
    c.send(get("/body") + get("/hello"));
    s.run_for(20ms);
    UniqueFd writer(::open(tree.path("file").c_str(), O_WRONLY | O_CLOEXEC));
    if (how == std::string_view("overwritten")) REQUIRE(::pwrite(writer.get(), "x", 1, 1000) == 1);
    if (how == std::string_view("longer")) REQUIRE(::pwrite(writer.get(), "x", 1, 4 << 20) == 1);
    if (how == std::string_view("shorter")) REQUIRE(::ftruncate(writer.get(), 2 << 20) == 0);
    if (how == std::string_view("touched")) tree.touch("file", 1'704'164'646);
    REQUIRE(s.ends(c));
    CHECK(c.received.size() < bytes.size());
    CHECK(count_of(c.received, "hello, world") == 0);
    CHECK(s.server->connections() == 0);
  }
}

TEST_CASE("connection: a file that is replaced or removed while it is sent arrives whole") {
  ::test::TemporaryTree tree;
  std::string bytes = pattern(4 << 20);
  for (bool replaced : {false, true}) {
    CAPTURE(replaced);
    tree.file("file", bytes);
    TestServer s(TestServer::quick(), Listener::tcp(64 * 1024));
    s.body = [&] {
      UniqueFd fd = open_file(tree.path("file"));
      auto stamp = stamp_of(fd.get());
      return Response().body(
          FileBody{.file = SharedFile(std::move(fd), stamp), .offset = 0, .length = bytes.size()});
    };
    Client c = s.listener.connect(64 * 1024);
    c.send(get("/body", kClose));
    s.run_for(20ms);
    tree.file("other", "another file");
    REQUIRE((replaced ? ::rename(tree.path("other").c_str(), tree.path("file").c_str())
                      : ::unlink(tree.path("file").c_str())) == 0);
    REQUIRE(s.ends(c));
    CHECK(c.error == 0);
    CHECK(c.received.ends_with(bytes));
  }
}
