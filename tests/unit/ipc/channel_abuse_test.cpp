// SPDX-License-Identifier: Apache-2.0
// A peer that breaks the protocol, floods, or never reads: an error and a closed channel, bounded
// memory, no descriptor left behind.
#include "tests/unit/base/sanitized.h"
#include "tests/unit/ipc/channel_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <utility>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Channel;
using ipc::Json;

namespace {

// Resident memory in KiB.
long resident() {
  long pages = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * 4;
}

// The sanitizer keeps what was freed for a while, 256 MiB of it by default.
constexpr long kAllowedKib = (kSanitized ? 400 : 16) * 1024;

// A process that writes `text` for ever (or `times` times).
pid_t flooder(const UniqueFd& socket, std::string_view text, long times) {
  pid_t pid = ::fork();
  if (pid != 0) return pid;
  // A copy of our end here would keep the socket open after the channel closed it.
  ::dup2(socket.get(), 3);
  ::close_range(4, ~0U, 0);
  std::string block;
  long per_block = 1;
  for (block = text; block.size() < 60000; ++per_block) block += text;
  for (long i = 0; i < times; i += per_block) {
    std::string_view rest = block;
    if (times - i < per_block)
      rest = rest.substr(0, static_cast<std::size_t>(times - i) * text.size());
    while (!rest.empty()) {
      ssize_t n = ::send(3, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (n < 0) ::_exit(0);
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  ::_exit(0);
}

void check_closed_with(BarePeer& p, std::string_view reason) {
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  REQUIRE(p.told.errors.size() == 1);
  CAPTURE(p.told.errors[0]);
  CHECK(p.told.errors[0].find(reason) != std::string::npos);
  CHECK_FALSE(p.channel->is_connected());
}

constexpr std::string_view kHandle =
    "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1}\n";

}  // namespace

TEST_CASE("channel abuse: a line that is no JSON, or empty, ends the channel") {
  BarePeer p;
  SUBCASE("words") { p.write("1\nListening on port 80\n2\n"); }
  SUBCASE("empty") { p.write("1\n\n2\n"); }
  SUBCASE("binary") { p.write({"1\n\0\x01\xff\n2\n", 8}); }
  SUBCASE("half an object") { p.write("1\n{\"a\":\n2\n"); }
  check_closed_with(p, "not JSON");
  CHECK(p.told.messages == std::vector<std::string>{"1"});
}

TEST_CASE("channel abuse: a tower of brackets is an error") {
  BarePeer p;
  p.write(std::string(100000, '[') + "\n");
  check_closed_with(p, "nested deeper than 512");
}

TEST_CASE("channel abuse: a line without end is cut off at the limit, with bounded memory") {
  BarePeer p({.max_message = 1 << 20});
  UniqueFd copy(::fcntl(p.peer.get(), F_DUPFD_CLOEXEC, 3));
  long before = resident();
  pid_t pid = flooder(copy, "xxxxxxxxxxxxxxxx", LONG_MAX);
  copy.reset();
  p.peer.reset();
  check_closed_with(p, "over 1048576 bytes");
  CHECK(resident() - before < kAllowedKib);
  ::waitpid(pid, nullptr, 0);
}

TEST_CASE("channel abuse: a million messages arrive, memory stays, and the loop is not starved") {
  BarePeer p;
  long count = 0;
  Channel::Handlers handlers;
  handlers.on_message = [&](const Json&, ipc::ReceivedHandle) { ++count; };
  p.channel = p.open(std::move(handlers));
  long before = resident();
  pid_t pid = flooder(p.peer, "7\n", 1'000'000);
  p.peer.reset();
  long most = 0;  // in one turn of the loop
  long last = 0;
  CHECK(p.wait([&] {
    most = std::max(most, count - std::exchange(last, count));
    return count == 1'000'000;
  }));
  CHECK(most <= 32 * 1024);  // 64 KiB a turn
  CHECK(resident() - before < kAllowedKib);
  ::waitpid(pid, nullptr, 0);
}

TEST_CASE(
    "channel abuse: descriptors that no message announces are closed, and the channel with them") {
  std::size_t before = open_descriptors();
  {
    BarePeer p;
    auto socket = bound_socket(0);
    SUBCASE("with a plain message") { p.write("1\n", {socket.get()}); }
    SUBCASE("two for one handle") { p.write(kHandle, {socket.get(), socket.get()}); }
    SUBCASE("a hundred at once") { p.write(kHandle, std::vector<int>(100, socket.get())); }
    SUBCASE("one with every byte of an endless line") {
      for (int i = 0; i < 30; ++i) p.write(" ", {socket.get()});
    }
    check_closed_with(p, "descriptor that no message announces");
    p.told.fds.clear();
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("channel abuse: a descriptor that is no socket ends the channel and is closed") {
  std::size_t before = open_descriptors();
  {
    BarePeer p;
    UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    p.write(kHandle, {null.get()});
    check_closed_with(p, "no socket");
    CHECK(p.told.fds.empty());
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("channel abuse: a peer that sends handles and never reads is cut off") {
  BarePeer p;
  UniqueFd copy(::fcntl(p.peer.get(), F_DUPFD_CLOEXEC, 3));
  pid_t pid = flooder(copy, kHandle, LONG_MAX);
  copy.reset();
  check_closed_with(p, "reads no answer");
  p.peer.reset();
  ::waitpid(pid, nullptr, 0);
}

TEST_CASE("channel abuse: acknowledgements that nobody waits for are ignored") {
  BarePeer p;
  p.write("{\"cmd\":\"NODE_HANDLE_ACK\"}\n{\"cmd\":\"NODE_HANDLE_NACK\"}\n1\n");
  CHECK(p.wait([&] { return p.told.messages.size() == 1; }));
  CHECK(p.told.errors.empty());
}

TEST_CASE("channel abuse: out of descriptors a handle is refused, and the next one works") {
  BarePeer p;
  auto socket = bound_socket(0);
  std::vector<UniqueFd> all;
  for (int fd = 0; (fd = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 3)) >= 0;) all.emplace_back(fd);
  p.write(kHandle, {socket.get()});
  std::string got;
  CHECK(p.wait([&] { return !(got += p.readable()).empty(); }));
  CHECK(got == "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
  all.clear();
  p.write(kHandle, {socket.get()});
  CHECK(p.wait([&] { return p.told.messages.size() == 1; }));
  CHECK(p.told.fds.size() == 1);
}

TEST_CASE("channel abuse: lines that a pause held back are not delivered after the disconnect") {
  BarePeer p;
  Channel::Handlers handlers = p.told.handlers();
  handlers.on_message = [&](const Json& m, ipc::ReceivedHandle) {
    p.told.messages.push_back(m.dump());
    p.channel->pause();
  };
  p.channel = p.open(std::move(handlers));
  p.write("1\n2\n3\n4\n");
  CHECK(p.wait([&] { return p.told.messages.size() == 1; }));
  CHECK(p.channel->disconnect());
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.messages == std::vector<std::string>{"1"});
}

TEST_CASE("channel abuse: nothing is delivered after the error of a line that a pause held back") {
  BarePeer p;
  Channel::Handlers handlers = p.told.handlers();
  handlers.on_message = [&](const Json& m, ipc::ReceivedHandle) {
    p.told.messages.push_back(m.dump());
    p.channel->pause();
  };
  p.channel = p.open(std::move(handlers));
  p.write("1\ngarbage\n3\n");
  CHECK(p.wait([&] { return p.told.messages.size() == 1; }));
  p.channel->resume();
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  bool asked = false;
  p.channel->count_sockets("k", [&](Result<std::size_t>) { asked = true; });
  CHECK(p.wait([&] { return asked; }));
  for (int i = 0; i < 5; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(p.told.messages == std::vector<std::string>{"1"});
}
