// SPDX-License-Identifier: Apache-2.0
// Counts what goes to malloc, libuv's share included.
#include "allocation_count.h"
#include "connection_support.h"

#include <cstdlib>
#include <malloc.h>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("connection: answering a request allocates nothing in the steady state") {
  uv_replace_allocator(
      [](std::size_t n) {
        ++allocations;
        return std::malloc(n);
      },
      [](void* p, std::size_t n) {
        ++allocations;
        return std::realloc(p, n);
      },
      [](std::size_t n, std::size_t size) {
        ++allocations;
        return std::calloc(n, size);
      },
      std::free);
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
