// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/task.h>

#include "base/uv/timer.h"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace pronghorn {
namespace {

/// Awaited: goes on from the loop, after this turn's callbacks.
class NextTurn {
 public:
  explicit NextTurn(Loop& loop) : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    loop_.defer([waiter] { waiter.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
};

/// Awaited: never goes on.
class Never {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};

/// Counts the living ones.
class Counted {
 public:
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  Counted(const Counted& other) : alive_(other.alive_) { ++alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive_; }

 private:
  int& alive_;
};

Task<std::string> text(Loop& loop, std::string value) {
  NextTurn turn(loop);
  co_await turn;
  co_return value + " and an end that does not fit in the string itself";
}

Task<std::unique_ptr<int>> owned(int value) { co_return std::make_unique<int>(value); }

Task<void> append(Loop& loop, std::string& to, std::string what) {
  NextTurn turn(loop);
  co_await turn;
  to += what;
}

Task<int> failing(Loop& loop) {
  NextTurn turn(loop);
  co_await turn;
  throw std::runtime_error("on purpose");
}

Task<int> sum_to(int n) {
  if (n == 0) co_return 0;
  co_return n + co_await sum_to(n - 1);
}

TEST_CASE("task: a value comes out of it, one that can only be moved too") {
  Loop loop;
  auto body = [](Loop& l) -> Task<int> {
    std::string got = co_await text(l, "a beginning");
    CHECK(got == "a beginning and an end that does not fit in the string itself");
    std::unique_ptr<int> seven = co_await owned(7);
    co_return *seven;
  };
  CHECK(run(loop, body(loop)) == 7);
}

TEST_CASE("task: one without a value is awaited for what it does") {
  Loop loop;
  std::string seen;
  auto body = [&](Loop& l) -> Task<int> {
    co_await append(l, seen, "one ");
    co_await append(l, seen, "two");
    co_return 0;
  };
  CHECK(run(loop, body(loop)) == 0);
  CHECK(seen == "one two");
}

TEST_CASE("task: what a task throws is caught where it is awaited") {
  Loop loop;
  auto body = [](Loop& l) -> Task<int> {
    std::string caught;
    try {
      co_await failing(l);
    } catch (const std::runtime_error& e) {
      caught = e.what();
    }
    CHECK(caught == "on purpose");
    co_return 3;
  };
  CHECK(run(loop, body(loop)) == 3);
}

TEST_CASE("task: what leaves main is thrown by run") {
  Loop loop;
  CHECK_THROWS_WITH_AS(run(loop, failing(loop)), "on purpose", std::runtime_error);
}

TEST_CASE("task: tasks that await tasks give their values up") {
  Loop loop;
  CHECK(run(loop, sum_to(100)) == 5050);
}

TEST_CASE("task: nothing of it runs before it is awaited or started") {
  Loop loop;
  std::string seen;
  {
    auto dropped = append(loop, seen, "dropped");
    auto kept = append(loop, seen, "kept");
    auto other = append(loop, seen, "swapped away");
    other = std::move(kept);
    start(loop, std::move(other));
    CHECK(seen.empty());
  }
  loop.run();
  CHECK(seen == "kept");
}

TEST_CASE("task: start runs up to the first wait, and goes on from the loop") {
  Loop loop;
  std::string seen;
  auto body = [&](Loop& l) -> Task<void> {
    seen += "before ";
    NextTurn turn(l);
    co_await turn;
    seen += "after";
  };
  start(loop, body(loop));
  CHECK(seen == "before ");
  loop.run();
  CHECK(seen == "before after");
}

TEST_CASE("task: a started task that has ended leaves nothing behind") {
  Loop loop;
  int alive = 0;
  auto body = [](Loop& l, Counted) -> Task<void> {
    NextTurn turn(l);
    co_await turn;
  };
  for (int i = 0; i < 100; ++i) start(loop, body(loop, Counted(alive)));
  CHECK(alive == 100);
  loop.run();
  CHECK(alive == 0);
}

TEST_CASE("task: frames that wait when the loop goes are destroyed with what they hold") {
  int alive = 0;
  {
    Loop loop;
    auto inner = [](int& count) -> Task<void> {
      Counted local(count);
      Never never;
      co_await never;
    };
    auto outer = [inner](Loop& l, int& count) -> Task<void> {
      Counted local(count);
      uv::Timer timer(l, [] {});  // a handle: must be closed while there is a loop
      timer.start(Millis(1000000));
      timer.unref();
      co_await inner(count);
    };
    start(loop, outer(loop, alive));
    CHECK(alive == 2);
    loop.run();
    CHECK(alive == 2);
  }
  CHECK(alive == 0);
}

TEST_CASE("task: run returns 1 when the loop ends before main") {
  Loop loop;
  auto body = []() -> Task<int> {
    Never never;
    co_await never;
    co_return 0;
  };
  CHECK(run(loop, body()) == 1);
}

TEST_CASE("task: run returns when the loop is stopped, and the rest goes with the loop") {
  int alive = 0;
  {
    Loop loop;
    auto body = [](Loop& l, Counted) -> Task<int> {
      l.defer([&l] { l.stop(); });
      uv::Timer timer(l, [] {});
      timer.start(Millis(1000000));
      Never never;
      co_await never;
      co_return 0;
    };
    CHECK(run(loop, body(loop, Counted(alive))) == 1);
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
}

}  // namespace
}  // namespace pronghorn
