// SPDX-License-Identifier: Apache-2.0
#include "process/write_queue.h"
#include "tests/unit/process/stream_fixture.h"

#include <signal.h>

using namespace pronghorn;
using namespace pronghorn::test;
using process::WriteQueue;
using testing::run_until;
using testing::turn;

namespace {

void stop_on_sigpipe() { ::signal(SIGPIPE, SIG_DFL); }  // a stray one ends the test

}  // namespace

TEST_CASE("stream: a write goes at once, its callback comes from the loop, in order") {
  Loop loop;
  Rig rig(loop, PipeKind::input);
  CHECK(rig.stream->write("a", rig.note("A")));
  CHECK(rig.stream->write("", rig.note("B")));
  CHECK(rig.stream->write("c", rig.note("C")));
  CHECK(rig.take() == "ac");
  CHECK(rig.stream->writable_length() == 0);
  CHECK(rig.events.empty());
  loop.run();
  CHECK(rig.events == "A B C ");
}

TEST_CASE("stream: end follows what was written, then finish, then close") {
  Loop loop;
  const std::string much(1'000'000, 'm');
  for (auto kind : {PipeKind::input, PipeKind::both}) {
    Rig rig(loop, kind);
    rig.stream->write(much, rig.note("W"));
    rig.stream->end("last");
    rig.stream->end();
    CHECK_FALSE(rig.stream->is_writable());
    CHECK_FALSE(rig.stream->write("late", rig.note("late")));
    std::string seen;
    REQUIRE(run_until(loop, [&] {
      seen += rig.take();
      return rig.told("finish");
    }));
    seen += rig.take();
    CHECK(seen == much + "last");
    char c = 0;
    CHECK(::read(rig.theirs.get(), &c, 1) == 0);
    if (kind == PipeKind::both) {
      CHECK(rig.stream->is_open());  // the other side may still write
      rig.collect();
      rig.give("answer");
      rig.theirs.reset();
      REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
      CHECK(rig.data == "answer");
      CHECK(rig.events == "late:EPIPE W finish end close ");
    } else {
      REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
      CHECK(rig.events == "late:EPIPE W finish close ");
    }
  }
}

TEST_CASE("stream: write says false from the high-water mark on, and drain follows once") {
  Loop loop;
  Rig rig(loop, PipeKind::input);
  const std::string piece(1000, 'p');
  std::size_t written = 0;
  do written += piece.size();
  while (rig.stream->write(piece));
  CHECK(rig.stream->writable_length() >= Stream::kHighWaterMark);
  CHECK(rig.stream->writable_length() < Stream::kHighWaterMark + piece.size());
  turn(loop);
  CHECK(rig.events.empty());
  std::size_t seen = 0;
  REQUIRE(run_until(loop, [&] {
    seen += rig.take().size();
    return seen == written && rig.told("drain");
  }));
  CHECK(rig.stream->writable_length() == 0);
  turn(loop);
  CHECK(rig.events == "drain ");
  CHECK(rig.stream->write("x"));
}

TEST_CASE("stream: a reader that has left is EPIPE at the next write, and no signal") {
  stop_on_sigpipe();
  Loop loop;
  for (auto kind : {PipeKind::input, PipeKind::both}) {
    Rig rig(loop, kind);
    rig.theirs.reset();
    turn(loop);
    CHECK(rig.stream->is_open());
    CHECK_FALSE(rig.stream->write("x", rig.note("W")));
    CHECK_FALSE(rig.stream->is_writable());
    CHECK(rig.events.empty());
    REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
    CHECK(rig.events == "W:EPIPE EPIPE close ");
  }
}

TEST_CASE("stream: a reader that leaves while bytes wait fails them all, in order") {
  stop_on_sigpipe();
  Loop loop;
  Rig rig(loop, PipeKind::input);
  rig.stream->write(std::string(1'000'000, 'x'), rig.note("A"));
  rig.stream->write("y", rig.note("B"));
  rig.stream->end();
  turn(loop);
  rig.theirs.reset();
  REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
  CHECK(rig.events == "A:EPIPE B:EPIPE EPIPE close ");
}

TEST_CASE("stream: a pipe of the user's own raises no SIGPIPE either, and keeps one that waited") {
  stop_on_sigpipe();
  Loop loop;
  for (bool waits : {false, true}) {
    std::array<int, 2> fds{};
    REQUIRE(::pipe(fds.data()) == 0);
    UniqueFd theirs(fds[0]);
    auto stream = Stream::open(loop, UniqueFd(fds[1]), Stream::Sides::writable);
    REQUIRE(stream.has_value());
    CHECK(stream->write("ok"));
    std::string events;
    stream->on_error([&](const Error& e) { events += e.name(); });
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    if (waits) {
      pthread_sigmask(SIG_BLOCK, &set, nullptr);
      ::raise(SIGPIPE);
    }
    theirs.reset();
    CHECK_FALSE(stream->write("x"));
    REQUIRE(run_until(loop, [&] { return !events.empty(); }));
    CHECK(events == "EPIPE");
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    CHECK((sigismember(&now, SIGPIPE) == 1) == waits);
    sigpending(&now);
    CHECK((sigismember(&now, SIGPIPE) == 1) == waits);
  }
}

TEST_CASE("stream: destroy loses what waits, and says so before close") {
  Loop loop;
  Rig rig(loop, PipeKind::both);
  rig.collect();
  rig.stream->write(std::string(1'000'000, 'x'), rig.note("W"));
  rig.stream->destroy();
  rig.stream->destroy();
  CHECK(rig.stream->fd() == -1);
  CHECK_FALSE(rig.stream->write("late", rig.note("late")));
  REQUIRE(run_until(loop, [&] { return rig.told("close"); }));
  CHECK(rig.events == "W:ECANCELED late:EBADF close ");
}

TEST_CASE("stream: one that is no pipe has ended from the start") {
  Stream none;
  std::string error;
  CHECK_FALSE(none.write("x", [&](const Error* e) { error = e->name(); }));
  CHECK(error == "EBADF");
  CHECK_FALSE(none.is_open());
  CHECK_FALSE(none.is_readable());
  CHECK_FALSE(none.is_writable());
  CHECK(none.fd() == -1);
  none.on_data([](std::string_view) {});
  none.end();
  none.destroy();
  Loop loop;
  Rig rig(loop, PipeKind::output);
  CHECK_FALSE(rig.stream->write("x", rig.note("W")));
  rig.stream->end();
  loop.run();
  CHECK(rig.events == "W:EBADF ");
}

TEST_CASE("stream: what was written leaves before the loop ends, also unreferenced") {
  Loop loop;
  Rig rig(loop, PipeKind::input);
  rig.stream->unref();
  rig.stream->write(std::string(1'000'000, 'x'));
  auto other = Stream::open(loop, std::move(rig.theirs), Stream::Sides::readable);
  REQUIRE(other.has_value());
  std::size_t seen = 0;
  other->on_data([&](std::string_view bytes) { seen += bytes.size(); });
  other->unref();
  loop.run();
  CHECK(rig.stream->writable_length() == 0);
}

TEST_CASE("write queue: bytes never move while they are written, whatever the pieces") {
  WriteQueue queue;
  std::string all;
  for (std::size_t size : {1, 7, 100, 20'000, 1, 16'384, 3, 100'000}) {
    std::string piece(size, static_cast<char>('a' + all.size() % 26));
    queue.append(piece);
    all += piece;
  }
  std::string seen;
  std::array<iovec, 2> space{};
  while (!queue.empty()) {
    auto front = queue.front(space);
    std::size_t step = std::min<std::size_t>(front[0].iov_len, 777);
    char* at = static_cast<char*>(front[0].iov_base);
    seen.append(at, step);
    bool goes_on = step < front[0].iov_len;
    queue.consume(step);
    CHECK(queue.size() == all.size() - seen.size());
    if (goes_on) CHECK(queue.front(space)[0].iov_base == at + step);
  }
  CHECK(seen == all);
}

TEST_CASE("write queue: ten million bytes in small pieces share few blocks") {
  WriteQueue queue;
  for (int i = 0; i < 1'000'000; ++i) queue.append("0123456789");
  std::vector<iovec> space(10'000);
  CHECK(queue.front(space).size() < 10'000'000 / (8 * 1024));
  CHECK(queue.size() == 10'000'000);
}
