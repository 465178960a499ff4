// SPDX-License-Identifier: Apache-2.0
// Counts what goes to malloc, libuv's share included.
#include "allocation_count.h"
#include "connection_support.h"
#include "files_support.h"
#include "server/access_log.h"
#include "server/file_cache.h"

#include <malloc.h>
#include <memory>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("connection: answering a request allocates nothing in the steady state") {
  count_libuv_too();
  TestServer s;
  Client c = s.listener.connect();
  c.received.reserve(1 << 20);
  std::string request = get("/hello");
  std::string pipelined;
  for (int i = 0; i < 16; ++i) pipelined += request;
  auto exchange = [&](const std::string& bytes, int answers) {
    c.received.clear();
    c.send(bytes);
    REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == answers; }));
    REQUIRE_FALSE(c.over());
  };
  for (int i = 0; i < 50; ++i) exchange(i % 2 == 0 ? request : pipelined, i % 2 == 0 ? 1 : 16);
  auto before = allocations;
  for (int i = 0; i < 500; ++i) exchange(request, 1);
  for (int i = 0; i < 100; ++i) exchange(pipelined, 16);
  CHECK(allocations - before == 0);
}

TEST_CASE("connection: no kind of request allocates in the steady state, nor its line in the log") {
  count_libuv_too();
  Site site;
  site.open({.root = {},
             .refuse = {},
             .cache = std::make_shared<server::FileCache>(
                 server::FileCache::Options{.valid = 1h, .settled = 0ms})});
  TestServer s;
  s.body = [&] { return site.ask("GET", "/hello.txt"); };
  UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  std::optional<server::AccessLog> log;
  SUBCASE("without a log") {}
  SUBCASE("with one, which a thread writes") {
    log.emplace(file.get(),
                server::AccessLog::Options{.format = *config::parse_log_format("combined"),
                                           .in_thread = true},
                s.counters);
    s.server->set_access_log(&*log);
  }
  const std::string browser =
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/126.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
      "Accept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
      "Referer: http://127.0.0.1/index.html\r\nCookie: sid=8f14e45fceea167a5a36dedd4bea2543\r\n"
      "Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n"
      "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n";
  struct Row {
    const char* what;
    std::string request;
    int at_once;
  };
  Client c = s.listener.connect();
  c.received.reserve(1 << 20);
  for (Row& row : std::vector<Row>{
           {"a browser's head again", get("/hello?q=000000", browser), 1},
           {"a browser's head that never came", get("/hello?n=000000", browser), 1},
           {"sixteen at once", get("/hello?q=000000"), 16},
           {"sixteen at once that never came", get("/hello?n=000000", browser), 16},
           {"a file that is kept", get("/body?q=000000"), 1},
       }) {
    CAPTURE(row.what);
    const auto digits = row.request.find("n=000000");
    std::string bytes;
    bytes.reserve(64 * 1024);
    int number = 0;
    auto exchange = [&] {
      bytes.clear();
      for (int i = 0; i < row.at_once; ++i) {
        if (digits != std::string::npos) {
          int left = ++number;
          for (std::size_t at = digits + 7; at > digits + 1; --at, left /= 10) {
            row.request[at] = static_cast<char>('0' + left % 10);
          }
        }
        bytes += row.request;
      }
      c.received.clear();
      c.send(bytes);
      REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world") == row.at_once; }));
      REQUIRE_FALSE(c.over());
    };
    for (int i = 0; i < 50; ++i) exchange();
    const auto before = allocations;
    for (int i = 0; i < 200; ++i) exchange();
    CHECK(allocations - before == 0);
  }
  s.server.reset();
}

TEST_CASE("connection: connections that come and go do not grow the process") {
  TestServer s;
  auto visit = [&](const std::string& request) {
    Client c = s.listener.connect();
    c.send(request);
    REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
    c.socket.reset();
    REQUIRE(s.until([&] { return s.server->connections() == 0; }));
  };
  for (int i = 0; i < 20; ++i) visit(get("/hello"));
  auto before = ::mallinfo2().uordblks;
  for (int i = 0; i < 200; ++i) visit(get("/hello", i % 2 == 0 ? kClose : ""));
  CHECK(::mallinfo2().uordblks <= before + 1024);
}

TEST_CASE("connection: an idle one holds at most 450 bytes in the process") {
  TestServer s;
  std::vector<Client> clients;
  clients.reserve(256);
  auto visit = [&] {
    Client& c = clients.emplace_back(s.listener.connect());
    c.send(get("/hello"));
    REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
    std::string().swap(c.received);
  };
  visit();  // what all share
  clients.clear();
  REQUIRE(s.until([&] { return s.server->connections() == 0; }));
  auto before = ::mallinfo2().uordblks;
  for (int i = 0; i < 256; ++i) visit();
  auto each = (::mallinfo2().uordblks - before) / 256;
  MESSAGE("bytes each: " << each);
  CHECK(each <= 450);
}
