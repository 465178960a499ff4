// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/loop.h>

#include "base/unique_fd.h"
#include "base/uv/poll.h"
#include "base/uv/signal.h"
#include "base/uv/timer.h"
#include "run_until.h"

#include <doctest/doctest.h>

#include <array>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

using namespace pronghorn;
using testing::run_until;
using testing::turn;

TEST_CASE("loop: a deferred call comes after the callbacks of this turn, each once and in order") {
  Loop loop;
  std::string order;
  uv::Timer timer(loop, [&] {
    loop.defer([&] {
      order += "a";
      loop.defer([&] { order += "c"; });
    });
    loop.defer([&] { order += "b"; });
    order += "t";
  });
  timer.start(Millis(0));
  loop.run();
  CHECK(order == "tabc");
}

TEST_CASE("loop: run returns the exit code when nothing is left or it is stopped") {
  Loop loop;
  CHECK(loop.run() == 0);
  loop.set_exit_code(7);
  uv::Timer timer(loop, [&] { loop.stop(); });
  timer.start(Millis(0), Millis(1));
  CHECK(loop.run() == 7);
}

TEST_CASE("loop: its end frees what deferred calls own, handles included") {
  auto witness = std::make_shared<int>();
  {
    Loop loop;
    auto timer = std::make_unique<uv::Timer>(loop, [] {});
    timer->start(Millis(10'000));
    loop.defer([timer = std::move(timer), witness] {});
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
}

TEST_CASE("loop: its end closes handles whose owners went without a further turn") {
  auto witness = std::make_shared<int>();
  {
    Loop loop;
    uv::Timer timer(loop, [witness] {});
    timer.start(Millis(0));
    uv::Signal signal(loop, SIGUSR1, [witness] {});
    ::raise(SIGUSR1);  // a signal caught and not yet dispatched delays libuv's close
    loop.stop();
  }
  CHECK(witness.use_count() == 1);
}

TEST_CASE("loop: without descriptors it throws, and leaves none behind") {
  Loop first;  // libuv's process-wide signal pipe comes with the first loop
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  auto lowest_free = [] { return UniqueFd(::fcntl(0, F_DUPFD_CLOEXEC, 3)).get(); };
  auto fail = [&] {
    // Three are left: a loop takes more, and the sanitizers need two to look at an exception.
    rlimit few{.rlim_cur = static_cast<rlim_t>(lowest_free()) + 3, .rlim_max = old.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    CHECK_THROWS_AS(Loop(), std::system_error);
    ::setrlimit(RLIMIT_NOFILE, &old);
  };
  fail();  // the sanitizers keep one of theirs
  const int before = lowest_free();
  fail();
  CHECK(lowest_free() == before);
}

TEST_CASE("timer: fires once, or again at its interval, and not before its delay") {
  Loop loop;
  int calls = 0;
  Instant begin = Clock::now();
  uv::Timer once(loop, [&] { ++calls; });
  once.start(Millis(20));
  CHECK(once.is_active());
  loop.run();
  CHECK(calls == 1);
  CHECK(Clock::now() - begin >= Millis(19));  // libuv's clock is cut to milliseconds
  CHECK_FALSE(once.is_active());

  uv::Timer again(loop, [&] {
    if (++calls == 4) again.stop();
  });
  again.start(Millis(0), Millis(1));
  loop.run();
  CHECK(calls == 4);
}

TEST_CASE("timer: a delay counts from the call, not from a turn of the loop that is long past") {
  Loop loop;
  Instant begin;
  Instant end;
  uv::Timer timer(loop, [&] { end = Clock::now(); });
  while (monotonic_ms() < loop.now_ms() + 30) {
  }
  begin = Clock::now();
  timer.start(Millis(20));
  loop.run();
  CHECK(end - begin >= Millis(19));
}

TEST_CASE("timer: one that is not referenced does not keep the loop running") {
  Loop loop;
  uv::Timer timer(loop, [] {});
  timer.start(Millis(60'000));
  timer.unref();
  CHECK(loop.run() == 0);
}

TEST_CASE("owner and box: a destroyed owner's callback never comes, though it was due") {
  Loop loop;
  bool called = false;
  auto second = std::make_optional<uv::Timer>(loop, [&] { called = true; });
  uv::Timer first(loop, [&] { second.reset(); });
  first.start(Millis(0));
  second->start(Millis(0));
  loop.run();
  CHECK_FALSE(called);
}

TEST_CASE("owner and box: an owner may be destroyed within its own callback, closure and all") {
  Loop loop;
  std::string text(100, 'x');
  std::optional<uv::Timer> timer;
  std::size_t seen = 0;
  timer.emplace(loop, [&, copy = text] {
    timer.reset();
    seen = copy.size();  // the closure lives until libuv is done
  });
  timer->start(Millis(0), Millis(1));
  loop.run();
  CHECK(seen == 100);
}

TEST_CASE("owner and box: owners move, the handle and its callback stay where they are") {
  Loop loop;
  int a = 0;
  int b = 0;
  uv::Timer one(loop, [&] { ++a; });
  one.start(Millis(0));
  uv::Timer two(std::move(one));
  uv::Timer three(loop, [&] { ++b; });
  three.start(Millis(0));
  three = std::move(two);  // ends three's own
  loop.run();
  CHECK(a == 1);
  CHECK(b == 0);
}

TEST_CASE("poll: tells what is ready, and the same set again costs nothing") {
  Loop loop;
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  int events = 0;
  auto poll = uv::Poll::open(loop, event.get(), [&](int ready, int error) {
    CHECK(error == 0);
    events |= ready;
  });
  REQUIRE(poll);
  poll->want(uv::Poll::kReadable);
  turn(loop);
  CHECK(events == 0);
  poll->want(uv::Poll::kReadable | uv::Poll::kWritable);
  CHECK(poll->wanted() == 3);
  REQUIRE(run_until(loop, [&] { return events != 0; }));
  CHECK(events == uv::Poll::kWritable);
  ::eventfd_write(event.get(), 1);
  REQUIRE(run_until(loop, [&] { return events == 3; }));
  poll->want(0);
  events = 0;
  turn(loop);
  CHECK(events == 0);
}

TEST_CASE(
    "poll: may be destroyed in its callback, and the descriptor stays open and can be watched "
    "anew") {
  Loop loop;
  UniqueFd event(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  int calls = 0;
  std::optional<uv::Poll> poll;
  for (int round = 1; round <= 2; ++round) {
    auto opened = uv::Poll::open(loop, event.get(), [&](int, int) {
      ++calls;
      poll.reset();
    });
    REQUIRE(opened);
    poll = std::move(*opened);
    poll->want(uv::Poll::kReadable);
    REQUIRE(run_until(loop, [&] { return calls == round; }));
  }
  turn(loop);
  CHECK(calls == 2);
  eventfd_t value = 0;
  CHECK(::eventfd_read(event.get(), &value) == 0);
}

TEST_CASE("poll: of two that are ready at once, the first may destroy the second") {
  Loop loop;
  UniqueFd a(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  UniqueFd b(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  std::optional<uv::Poll> first;
  std::optional<uv::Poll> second;
  int calls = 0;
  auto open = [&](int fd, std::optional<uv::Poll>& other) {
    auto poll = uv::Poll::open(loop, fd, [&](int, int) {
      ++calls;
      other.reset();
    });
    REQUIRE(poll);
    poll->want(uv::Poll::kReadable);
    return std::move(*poll);
  };
  first = open(a.get(), second);
  second = open(b.get(), first);
  uv_run(loop.native(), UV_RUN_NOWAIT);
  CHECK(calls == 1);
}

TEST_CASE("poll: a file that cannot be polled is an error") {
  Loop loop;
  UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  auto poll = uv::Poll::open(loop, file.get(), [](int, int) {});
  REQUIRE_FALSE(poll);
  CHECK(poll.error().message() == "cannot watch a descriptor: operation not permitted");
}

TEST_CASE("signal: each delivery is a callback, and destroyed within it, it is the last") {
  Loop loop;
  int calls = 0;
  std::optional<uv::Signal> signal;
  uv::Signal other(loop, SIGUSR2, [] {});  // keeps the action when the other one goes
  signal.emplace(loop, SIGUSR2, [&] {
    if (++calls == 2) signal.reset();
  });
  CHECK(loop.run() == 0);  // does not keep the loop running
  for (int i = 1; i <= 2; ++i) {
    ::raise(SIGUSR2);
    REQUIRE(run_until(loop, [&] { return calls == i; }));
  }
  ::raise(SIGUSR2);
  turn(loop);
  CHECK(calls == 2);
}

TEST_CASE("loop: what is attached is found by its key, until it is taken away") {
  Loop loop, other;
  const char first = 0, second = 0;
  int what = 1, instead = 2;
  CHECK(loop.attached(&first) == nullptr);
  loop.attach(&first, &what);
  CHECK(loop.attached(&first) == &what);
  CHECK(loop.attached(&second) == nullptr);
  CHECK(other.attached(&first) == nullptr);
  loop.attach(&first, &instead);
  CHECK(loop.attached(&first) == &instead);
  loop.attach(&first, nullptr);
  CHECK(loop.attached(&first) == nullptr);
}
