// SPDX-License-Identifier: Apache-2.0
// The sentences that people read, and the sealed file.
#include "master/exit_text.h"
#include "master/process_setup.h"
#include "master/sealed_file.h"
#include "master/slot_record.h"
#include "master/stop_text.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace pronghorn;
using namespace pronghorn::master;

TEST_CASE("exit text: says code or signal, and the request in hand without control bytes") {
  CHECK(exit_text(0, 11, "GET /report") == "killed by signal 11 (SIGSEGV) in GET /report");
  CHECK(exit_text(3, 0, "") == "exited with code 3");
  CHECK(exit_text_short(0, 9, "GET /\x1b[31m") == "SIGKILL in GET /\\x1B[31m");
  CHECK(exit_text_short(1, 0, "") == "code 1");
  CHECK(signal_name(64) == "signal 64");
}

TEST_CASE("stop text: what is waited for, what is cut, what was done") {
  InFlight none;
  InFlight one{1, "GET /report", 4'100, {"GET /report"}};
  InFlight some{3, "GET /report", 4'100, {"GET /report", "POST /upload"}};
  CHECK(stopping_text(none, Millis(30'000)) == "stopping: no request in flight");
  CHECK(stopping_text(some, Millis(30'000)) ==
        "stopping: 3 requests in flight, oldest GET /report 4.1 s; up to 30 s (again to cut them)");
  CHECK(stopping_now_text(one) == "stopping now: 1 request cut (GET /report)");
  CHECK(stopping_now_text(some) == "stopping now: 3 requests cut (GET /report, POST /upload)");
  CHECK(stopped_text(Millis(182'000), 12'345, 1) ==
        "stopped after 3 min 02 s: 12,345 requests, 1 cut short");
  CHECK(stopped_text(Millis(400), 1, 0) == "stopped after 400 ms: 1 request");
  CHECK(stopping_text(Millis(30'000)) ==
        "stopping: up to 30 s for what the programs have in flight (again to cut it)");
  CHECK(stopping_now_text() == "stopping now: what the programs have in flight is cut");
  CHECK(stopped_text(Millis(3'000), 12'345) == "stopped after 3 s: 12,345 connections handed over");
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1'000) == "1,000");
  CHECK(with_commas(1'234'567) == "1,234,567");
}

TEST_CASE("slot record: a death keeps the counters and takes back what only a live worker has") {
  auto board = ipc::Scoreboard::create(2);
  REQUIRE(board);
  auto& slot = board->slot(0);
  record_start(slot, 4711, 1);
  slot.live.store(1);
  slot.armed.store(1);
  slot.heartbeat_ms.store(5);
  slot.counters.requests.set(100);
  slot.counters.connections.set(7);
  slot.counters.requests_active.set(2);
  slot.counters.in_hand.begin("GET", "/report", monotonic_ms() - 1000);
  board->slot(1).counters.requests_active.set(1);
  auto work = in_flight(*board);
  CHECK(work.requests == 3);
  CHECK(work.oldest == "GET /report");
  CHECK(work.oldest_ms >= 1000);

  CHECK(record_exit(slot, {.code = {}, .signal = 11}) == 2);
  CHECK(slot.live.load() == 0);
  CHECK(slot.armed.load() == 0);
  CHECK(slot.pid.load() == 0);
  CHECK(slot.heartbeat_ms.load() == 0);
  CHECK(slot.exits.load() == 1);
  CHECK(slot.last_exit_signal.load() == 11);
  CHECK(slot.last_exit_code.load() == -1);
  CHECK(slot.last_exit_request.text() == "GET /report");
  CHECK(slot.counters.requests.get() == 100);
  CHECK(slot.counters.connections.get() == 0);
  CHECK(slot.counters.requests_active.get() == 0);
  CHECK(in_flight(*board).requests == 1);
  CHECK(totals(*board).requests == 100);

  slot.counters.requests_cut.add(3);  // by itself, as it had to leave
  CHECK(record_exit(slot, {.code = 0, .signal = {}}) == 3);
  CHECK(slot.counters.requests_cut.get() == 0);
  CHECK(slot.last_exit_request.text().empty());
}

TEST_CASE("sealed file: readable from its start, and never to be changed") {
  auto fd = make_sealed_file("test", "workers = 2\n");
  REQUIRE(fd);
  char text[64];
  CHECK(::read(fd->get(), text, sizeof text) == 12);
  CHECK(std::string_view(text, 12) == "workers = 2\n");
  CHECK(::write(fd->get(), "x", 1) < 0);
  CHECK(::ftruncate(fd->get(), 0) < 0);
  CHECK(::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, fd->get(), 0) == MAP_FAILED);
  CHECK((::fcntl(fd->get(), F_GET_SEALS) & F_SEAL_SEAL) != 0);
}

TEST_CASE("process setup: descriptors that came by accident do not reach a child") {
  int stray = ::dup(0);
  REQUIRE(stray > 2);
  prepare_process();
  CHECK((::fcntl(stray, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(2, F_GETFD) & FD_CLOEXEC) == 0);
  ::close(stray);
}
