// SPDX-License-Identifier: Apache-2.0
#include "base/uv/timer.h"
#include "process/stream_access.h"
#include "tests/unit/process/stream_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using process::StreamAccess;
using testing::run_until;
using testing::turn;

TEST_CASE("stream: bytes, then end, then close, wherever the bytes are split") {
  Loop loop;
  const std::string text = "hello, world";
  for (auto kind : {PipeKind::output, PipeKind::both}) {
    for (std::size_t at = 0; at <= text.size(); ++at) {
      Rig rig(loop, kind);
      rig.collect();
      rig.give(text.substr(0, at));
      turn(loop);
      CHECK(rig.data == text.substr(0, at));
      rig.give(text.substr(at));
      rig.theirs.reset();
      REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
      CHECK(rig.data == text);
      CHECK(rig.events == (kind == PipeKind::both ? "end finish close " : "end close "));
      CHECK_FALSE(rig.stream->is_open());
    }
  }
}

TEST_CASE("stream: nothing is read before somebody listens, and nothing told from within a call") {
  Loop loop;
  Rig rig(loop, PipeKind::output);
  rig.give("early");
  turn(loop);
  rig.collect();
  CHECK(rig.data.empty());
  REQUIRE(run_until(loop, [&] { return !rig.data.empty(); }));
  CHECK(rig.data == "early");
  rig.stream->destroy();
  CHECK(rig.events.empty());
  REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
  CHECK(rig.events == "close ");
}

TEST_CASE("stream: pause within the data listener loses nothing, and resume goes on") {
  Loop loop;
  Rig rig(loop, PipeKind::output);
  rig.stream->on_data([&](std::string_view) { rig.stream->pause(); });
  rig.collect();
  rig.give("one");
  REQUIRE(run_until(loop, [&] { return rig.data == "one"; }));
  CHECK(rig.stream->is_paused());
  rig.give("two");
  rig.theirs.reset();
  turn(loop);
  CHECK(rig.data == "one");
  CHECK(rig.events.empty());
  rig.stream->resume();
  REQUIRE(run_until(loop, [&] { return rig.data == "onetwo"; }));
  rig.stream->resume();
  REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
  CHECK(rig.events == "end close ");
}

TEST_CASE("stream: a listener added to a paused stream does not start it") {
  Loop loop;
  Rig rig(loop, PipeKind::output);
  rig.stream->pause();
  rig.collect();
  rig.give("x");
  turn(loop);
  CHECK(rig.data.empty());
}

TEST_CASE("stream: after the child's exit only what nobody reads is thrown away") {
  Loop loop;
  Rig unread(loop, PipeKind::output);
  Rig paused(loop, PipeKind::output);
  Rig lent(loop, PipeKind::output);
  paused.collect();
  paused.stream->pause();
  StreamAccess::lend(*lent.stream);
  for (Rig* rig : {&unread, &paused, &lent}) {
    rig->give("bytes");
    rig->theirs.reset();
    StreamAccess::drain_after_exit(*rig->stream);
  }
  REQUIRE(run_until(loop, [&] { return unread.told("close"); }));
  turn(loop);
  CHECK(paused.events.empty());
  CHECK(lent.events.empty());
  paused.stream->resume();
  REQUIRE(run_until(loop, [&] { return paused.told("close"); }));
  CHECK(paused.data == "bytes");
}

TEST_CASE("stream: its owner hears once that it is gone, closed or destroyed") {
  Loop loop;
  int gone = 0;
  {
    Rig closed(loop, PipeKind::output);
    StreamAccess::on_gone(*closed.stream, [&] { ++gone; });
    closed.stream->destroy();
    REQUIRE(run_until(loop, [&] { return gone == 1; }));
    CHECK(closed.events == "close ");
  }
  turn(loop);
  CHECK(gone == 1);
  Rig destroyed(loop, PipeKind::output);
  StreamAccess::on_gone(*destroyed.stream, [&] { ++gone; });
  destroyed.stream.reset();
  CHECK(gone == 1);
  REQUIRE(run_until(loop, [&] { return gone == 2; }));
  CHECK(destroyed.events.empty());
}

TEST_CASE("stream: what the other side left unread is a reset, an error before the close") {
  Loop loop;
  Rig rig(loop, PipeKind::both);
  rig.collect();
  rig.stream->write("never read");
  turn(loop);
  rig.theirs.reset();
  REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
  CHECK(rig.events == "ECONNRESET close ");  // as Node's stdio[3]
}

TEST_CASE("stream: one that is read keeps the loop running, one that nobody reads does not") {
  Loop loop;
  Rig rig(loop, PipeKind::output);
  loop.run();  // returns
  rig.collect();
  rig.stream->unref();
  loop.run();  // returns
  rig.stream->ref();
  bool ended = false;
  uv::Timer timer(loop, [&] {
    ended = true;
    rig.theirs.reset();
  });
  timer.start(Millis(1));
  timer.unref();
  loop.run();
  CHECK(ended);
  CHECK(rig.events == "end close ");
}

TEST_CASE("stream: a flood does not keep the loop from its timers") {
  Loop loop;
  Rig rig(loop, PipeKind::output);
  const std::string block(65536, 'x');
  std::size_t seen = 0;
  auto fill = [&] { (void)!::write(rig.theirs.get(), block.data(), block.size()); };
  rig.stream->on_data([&](std::string_view bytes) {
    seen += bytes.size();
    fill();  // there is always more to read
  });
  fill();
  bool fired = false;
  uv::Timer timer(loop, [&] { fired = true; });
  timer.start(Millis(20));
  REQUIRE(run_until(loop, [&] { return fired; }));
  CHECK(seen > block.size());
  // One turn takes no more than its share.
  std::size_t before = seen;
  turn(loop, 1);
  CHECK(seen - before <= 4 * block.size());
}

TEST_CASE("stream: shared, the flags of the descriptor stay as they are") {
  Loop loop;
  for (bool is_socket : {false, true}) {
    std::array<int, 2> fds{};
    REQUIRE((is_socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) : ::pipe(fds.data())) ==
            0);
    UniqueFd ours(fds[0]);
    UniqueFd theirs(fds[1]);
    int flags = ::fcntl(ours.get(), F_GETFL);
    auto stream = Stream::open_shared(loop, ours.get());
    REQUIRE(stream.has_value());
    std::string data;
    bool ended = false;
    stream->on_data([&](std::string_view bytes) { data += bytes; });
    stream->on_end([&] { ended = true; });
    turn(loop);
    REQUIRE(::write(theirs.get(), "abc", 3) == 3);
    REQUIRE(run_until(loop, [&] { return data == "abc"; }));
    CHECK(::fcntl(ours.get(), F_GETFL) == flags);
    theirs.reset();
    REQUIRE(run_until(loop, [&] { return ended; }));
    CHECK(::fcntl(ours.get(), F_GETFL) == flags);
  }
}

TEST_CASE("stream: shared, two readers of one pipe never wait for what the other took") {
  Loop loop;
  std::array<int, 2> fds{};
  REQUIRE(::pipe(fds.data()) == 0);
  UniqueFd ours(fds[0]);
  UniqueFd theirs(fds[1]);
  auto first = Stream::open_shared(loop, ours.get());
  auto second = Stream::open_shared(loop, ours.get());
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  std::size_t seen = 0;
  first->on_data([&](std::string_view bytes) { seen += bytes.size(); });
  second->on_data([&](std::string_view bytes) { seen += bytes.size(); });
  for (std::size_t i = 1; i <= 100; ++i) {
    REQUIRE(::write(theirs.get(), "x", 1) == 1);
    REQUIRE(run_until(loop, [&] { return seen == i; }));
  }
}

TEST_CASE("stream: shared, a regular file and /dev/null are read to their end") {
  Loop loop;
  const std::string text(200'000, 'f');
  FILE* file = std::tmpfile();
  REQUIRE(std::fwrite(text.data(), 1, text.size(), file) == text.size());
  std::rewind(file);
  auto stream = Stream::open_shared(loop, ::fileno(file));
  REQUIRE(stream.has_value());
  std::string data;
  int pieces = 0;
  bool closed = false;
  stream->on_data([&](std::string_view bytes) {
    data += bytes;
    ++pieces;
  });
  stream->on_close([&] { closed = true; });
  loop.run();
  CHECK(closed);
  CHECK(data == text);
  CHECK(pieces == 4);
  std::fclose(file);
  UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto nothing = Stream::open_shared(loop, null.get());
  REQUIRE(nothing.has_value());
  bool ended = false;
  nothing->on_end([&] { ended = true; });
  nothing->resume();
  loop.run();
  CHECK(ended);
  CHECK_FALSE(Stream::open_shared(loop, -1).has_value());
}
