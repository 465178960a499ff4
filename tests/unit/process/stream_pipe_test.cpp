// SPDX-License-Identifier: Apache-2.0
#include "process/stream_access.h"
#include "tests/unit/process/stream_fixture.h"

#include <thread>

using namespace pronghorn;
using namespace pronghorn::test;
using testing::run_until;
using testing::turn;

TEST_CASE("stream: pipe writes what comes, and ends the other at the end") {
  Loop loop;
  Rig from(loop, PipeKind::output);
  Rig to(loop, PipeKind::input);
  from.stream->pipe(*to.stream);
  from.give("through");
  turn(loop);
  CHECK(to.take() == "through");
  from.theirs.reset();
  REQUIRE(run_until(loop, [&] { return to.told("close"); }));
  CHECK(to.events == "finish close ");
  CHECK(from.events == "end close ");
}

TEST_CASE("stream: pipe holds its source up while the other is full") {
  Loop loop;
  Rig from(loop, PipeKind::both);
  Rig to(loop, PipeKind::input);
  from.stream->pipe(*to.stream);
  const std::string block(65536, 'b');
  std::size_t given = 0;
  for (int idle = 0; idle < 10; ++idle) {
    ssize_t n = ::write(from.theirs.get(), block.data(), block.size());
    if (n > 0) {
      given += static_cast<std::size_t>(n);
      idle = 0;
    }
    turn(loop, 1);
    REQUIRE(given < 10'000'000);  // it must stop somewhere
  }
  CHECK(to.stream->writable_length() < 5 * block.size());
  ::shutdown(from.theirs.get(), SHUT_WR);
  std::size_t seen = 0;
  REQUIRE(run_until(loop, [&] {
    seen += to.take().size();
    return to.told("close");
  }));
  seen += to.take().size();
  CHECK(seen == given);
}

TEST_CASE("stream: either end of a pipe may go before the other") {
  Loop loop;
  for (bool by_error : {false, true}) {
    Rig from(loop, PipeKind::output);
    Rig to(loop, PipeKind::input);
    from.collect();
    from.stream->pipe(*to.stream);
    to.stream->write(std::string(1'000'000, 'x'));  // full: the source is held up
    from.give("one");
    turn(loop);
    CHECK(from.data.empty());
    if (by_error) {
      to.theirs.reset();
    } else {
      to.stream.reset();
    }
    REQUIRE(run_until(loop, [&] { return from.data == "one"; }));
    from.theirs.reset();
    REQUIRE(run_until(loop, [&] { return from.told("close"); }));
  }
  Rig from(loop, PipeKind::output);
  Rig to(loop, PipeKind::input);
  from.stream->pipe(*to.stream);
  from.stream.reset();
  to.stream->write("still");
  turn(loop);
  CHECK(to.take() == "still");
  CHECK(to.events.empty());
}

TEST_CASE("stream: pipe from one that has ended ends the other") {
  Loop loop;
  Rig to(loop, PipeKind::input);
  Stream none;
  none.pipe(*to.stream);
  REQUIRE(run_until(loop, [&] { return to.told("close"); }));
  Rig from(loop, PipeKind::output);
  from.stream->pipe(none);
  from.theirs.reset();
  REQUIRE(run_until(loop, [&] { return from.told("close"); }));
}

TEST_CASE("stream: each of its listeners may destroy it") {
  Loop loop;
  std::size_t before = count_descriptors();
  for (std::string_view which : {"data", "end", "drain", "finish", "error", "close", "written"}) {
    CAPTURE(which);
    auto rig = std::make_unique<Rig>(loop, PipeKind::both);
    bool called = false;
    auto go = [&] {
      called = true;
      rig->stream.reset();
    };
    auto never = [&] { CHECK_MESSAGE(!called, "a listener after the end"); };
    if (which == "data") rig->stream->on_data([&](std::string_view) { go(); });
    if (which == "end") rig->stream->on_end(go);
    if (which == "drain") rig->stream->on_drain(go);
    if (which == "finish") rig->stream->on_finish(go);
    if (which == "error") rig->stream->on_error([&](const Error&) { go(); });
    if (which == "close") rig->stream->on_close(go);
    rig->stream->on_data([&](std::string_view) { never(); });
    rig->stream->on_close(never);
    auto written = [&](const Error*) { which == "written" ? go() : never(); };
    if (which == "error") {
      rig->stream->write(std::string(1'000'000, 'x'));
      rig->theirs.reset();
    } else if (which == "drain") {
      rig->stream->write(std::string(1'000'000, 'x'), written);
    } else {
      rig->give("bytes");
      rig->stream->write("x", written);
      if (which == "written") rig->stream->write("y", [&](const Error*) { never(); });
      if (which == "end" || which == "finish" || which == "close") {
        turn(loop);
        rig->take();
        rig->theirs.reset();
      }
    }
    REQUIRE(run_until(loop, [&] {
      if (rig->theirs) rig->take();
      return called;
    }));
    turn(loop);
  }
  turn(loop);
  CHECK(count_descriptors() == before);
}

TEST_CASE("stream: a listener may destroy another stream, and a moved stream keeps its listeners") {
  Loop loop;
  Rig first(loop, PipeKind::output);
  Rig second(loop, PipeKind::output);
  second.collect();
  first.stream->on_data([&](std::string_view) { second.stream.reset(); });
  first.collect();
  Stream moved = std::move(*first.stream);
  first.give("x");
  second.theirs.reset();
  REQUIRE(run_until(loop, [&] { return first.data == "x"; }));
  moved = Stream();
  first.theirs.reset();
  turn(loop);
  CHECK(first.events.empty());
}

TEST_CASE("stream: 100 MiB through three streams in a row, whole and in bounded memory") {
  constexpr std::size_t kTotal = 100 * 1024 * 1024;
  Loop loop;
  std::size_t before = count_descriptors();
  {
    Rig first(loop, PipeKind::output);
    Rig middle_in(loop, PipeKind::input);
    Rig last(loop, PipeKind::input);
    auto middle_out = Stream::open(loop, std::move(middle_in.theirs), Stream::Sides::readable);
    REQUIRE(middle_out.has_value());
    first.stream->pipe(*middle_in.stream);
    middle_out->pipe(*last.stream);
    auto blocking = [](int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK); };
    blocking(first.theirs.get());
    blocking(last.theirs.get());
    std::thread source([fd = std::move(first.theirs)] {
      std::string block(65521, 0);  // a prime: positions and blocks never agree
      std::size_t sent = 0;
      while (sent < kTotal) {
        std::size_t count = std::min(block.size(), kTotal - sent);
        for (std::size_t i = 0; i < count; i += 4096)
          block[i] = static_cast<char>((sent + i) % 251);
        ssize_t n = ::write(fd.get(), block.data(), count);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
        if (static_cast<std::size_t>(n) < count) return;
      }
    });
    std::size_t seen = 0;
    bool whole = true;
    std::thread sink([&, fd = last.theirs.get()] {
      std::array<char, 65536> space;
      for (ssize_t n = 0; (n = ::read(fd, space.data(), space.size())) > 0;) {
        for (ssize_t i = 0; i < n; ++i) {
          std::size_t in_block = (seen + static_cast<std::size_t>(i)) % 65521;
          if (in_block % 4096 != 0) continue;
          if (space[static_cast<std::size_t>(i)] !=
              static_cast<char>((seen + static_cast<std::size_t>(i)) % 251)) {
            whole = false;
          }
        }
        seen += static_cast<std::size_t>(n);
      }
    });
    std::size_t most = 0;
    while (!last.told("close")) {
      most = std::max({most, middle_in.stream->writable_length(), last.stream->writable_length()});
      if (uv_run(loop.native(), UV_RUN_ONCE) == 0 && !last.told("close")) break;
    }
    source.join();
    last.stream.reset();
    sink.join();
    CHECK(seen == kTotal);
    CHECK(whole);
    CHECK(most <= 4 * 65536);
  }
  turn(loop);
  CHECK(count_descriptors() == before);
}
