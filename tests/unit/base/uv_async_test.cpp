// SPDX-License-Identifier: Apache-2.0
// Loop::soon, and calls into a loop from other threads.
#include "base/uv/async.h"
#include "base/uv/poll.h"
#include "tests/unit/base/run_until.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <vector>

using namespace pronghorn;
using pronghorn::testing::run_until;

TEST_CASE("soon: before what is ready already, and before what is deferred; one adds to it") {
  Loop loop;
  std::vector<std::string> order;
  const int ready = ::eventfd(1, EFD_CLOEXEC);
  auto poll = uv::Poll::open(loop, ready, [&](int, int) {
    order.emplace_back("poll");
    loop.stop();
  });
  REQUIRE(poll.has_value());
  poll->want(uv::Poll::kReadable);
  loop.defer([&] { order.emplace_back("deferred"); });
  loop.soon([&] {
    order.emplace_back("soon");
    loop.soon([&] { order.emplace_back("soon from soon"); });
  });
  loop.run();
  CHECK(order == std::vector<std::string>{"soon", "soon from soon", "poll", "deferred"});
  ::close(ready);
}

TEST_CASE("soon: it keeps the loop running until it was called, and not longer") {
  Loop loop;
  int calls = 0;
  loop.soon([&] { ++calls; });
  CHECK(loop.run() == 0);
  CHECK(calls == 1);
}

TEST_CASE("soon: what was not called goes with the loop, and may ask for more meanwhile") {
  auto seen = std::make_shared<int>(0);
  {
    Loop loop;
    auto at_end = std::shared_ptr<int>(new int(0), [&loop](int* p) {
      delete p;
      loop.soon([] {});
    });
    loop.soon([seen, at_end = std::move(at_end)] {});
    CHECK(seen.use_count() == 2);
  }
  CHECK(seen.use_count() == 1);
}

TEST_CASE("async: a send from another thread is a call in the loop") {
  Loop loop;
  int calls = 0;
  const auto here = std::this_thread::get_id();
  uv::Async async(loop, [&] {
    ++calls;
    CHECK(std::this_thread::get_id() == here);
  });
  std::thread other([&] { async.send(); });
  CHECK(run_until(loop, [&] { return calls > 0; }));
  other.join();
}

TEST_CASE("async: it does not keep the loop, and may go in its own call") {
  Loop loop;
  int calls = 0;
  std::optional<uv::Async> async;
  async.emplace(loop, [&] {
    ++calls;
    async.reset();
  });
  CHECK(loop.run() == 0);
  async->send();
  CHECK(run_until(loop, [&] { return calls > 0; }));
  CHECK(loop.run() == 0);
}
