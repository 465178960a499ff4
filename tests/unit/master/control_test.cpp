// SPDX-License-Identifier: Apache-2.0
// Server and client of the control socket, against each other and against clients that misbehave.
#include "master/control_client.h"
#include "master/control_path.h"
#include "master/control_server.h"
#include "master/reopen_outcome.h"
#include "master/status.h"
#include "support.h"

#include <doctest/doctest.h>

#include <future>
#include <optional>
#include <poll.h>
#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::master;
using test::run_until;

namespace {

struct Rig {
  test::Folder folder;
  Loop loop;
  std::string path = folder / "c.sock";
  std::string long_answer = "{}";
  ControlServer::Reply later;
  std::optional<ControlServer> server;

  Rig() {
    auto opened = ControlServer::open(
        loop, path, [this](std::string_view command, const ControlServer::Reply& reply) {
          if (command == "status") return reply(R"({"verdict":"OK"})");
          if (command == "later") {
            later = reply;
            return;
          }
          reply(command == "long" ? long_answer : std::string());
        });
    REQUIRE(opened);
    server.emplace(std::move(*opened));
  }
  // The client blocks, so it has a thread.
  Result<std::string> ask_it(std::string_view command) {
    auto answer =
        std::async(std::launch::async, [&] { return ask(path, command, Millis(10'000)); });
    REQUIRE(
        run_until(loop, [&] { return answer.wait_for(Millis(0)) == std::future_status::ready; }));
    return answer.get();
  }
  UniqueFd client() { return test::connect_to({{}, 0, path}, SOCK_NONBLOCK); }
  std::string receive(int fd) {
    std::string text;
    run_until(loop, [&] {
      char bytes[65536];
      ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
      if (n > 0) text.append(bytes, static_cast<std::size_t>(n));
      return n == 0 || text.ends_with('\n');
    });
    return text;
  }
  bool is_closed(int fd) {
    return run_until(loop, [&] {
      char byte;
      ssize_t n = ::recv(fd, &byte, 1, 0);
      return n == 0 || (n < 0 && errno != EAGAIN);
    });
  }
};

}  // namespace

TEST_CASE("control: a command is answered, an unknown one and what is no JSON get an error") {
  Rig rig;
  CHECK(rig.ask_it("status") == R"({"verdict":"OK"})");
  CHECK(rig.ask_it("dance") == R"({"error":"no such command"})");
  auto client = rig.client();
  REQUIRE(test::send_text(client.get(), "hello\n"));
  CHECK(rig.receive(client.get()).starts_with(R"({"error":)"));
}

TEST_CASE("control: an answer may come later; what is asked meanwhile waits for it") {
  Rig rig;
  auto client = rig.client();
  REQUIRE(test::send_text(client.get(), "{\"command\":\"later\"}\n{\"command\":\"status\"}\n"));
  REQUIRE(run_until(rig.loop, [&] { return static_cast<bool>(rig.later); }));
  CHECK(rig.ask_it("status").has_value());
  char byte;
  CHECK(::recv(client.get(), &byte, 1, 0) < 0);
  rig.later("{}");
  std::string text;
  while (!text.ends_with("\"OK\"}\n")) text += rig.receive(client.get());
  CHECK(text == "{}\n{\"verdict\":\"OK\"}\n");

  SUBCASE("who has asked may be gone by then") {
    REQUIRE(test::send_text(client.get(), "{\"command\":\"later\"}\n"));
    rig.later = {};
    REQUIRE(run_until(rig.loop, [&] { return static_cast<bool>(rig.later); }));
    rig.server.reset();
    rig.later("{}");
  }
}

TEST_CASE("control: the socket is for this user alone") {
  Rig rig;
  struct stat info{};
  REQUIRE(::stat(rig.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("control: requests that come together or in pieces are each answered, in order") {
  Rig rig;
  auto client = rig.client();
  REQUIRE(
      test::send_text(client.get(), "{\"command\":\"status\"}\n{\"command\":\"long\"}\n{\"com"));
  CHECK(rig.receive(client.get()).starts_with("{\"verdict\":\"OK\"}\n"));
  REQUIRE(test::send_text(client.get(), "mand\":\"status\"}\n"));
  CHECK(rig.receive(client.get()).ends_with("{\"verdict\":\"OK\"}\n"));
}

TEST_CASE("control: a line without an end closes the connection") {
  Rig rig;
  auto client = rig.client();
  REQUIRE(test::send_text(client.get(), std::string(3 * ControlServer::kMaxLine, 'x')));
  CHECK(rig.is_closed(client.get()));
  CHECK(rig.ask_it("status").has_value());
}

TEST_CASE("control: a client that asks and never reads holds no one up") {
  Rig rig;
  rig.long_answer = std::string(1 << 20, 'y');
  auto client = rig.client();
  for (int i = 0; i < 50; ++i) test::send_text(client.get(), "{\"command\":\"long\"}\n");
  CHECK(rig.ask_it("status").has_value());
}

TEST_CASE("control: more clients than there is room for are turned away") {
  Rig rig;
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < ControlServer::kMaxClients + 1; ++i) clients.push_back(rig.client());
  CHECK(rig.is_closed(clients.back().get()));
  clients.erase(clients.begin());
  // Its place is free as soon as the server has seen that it left.
  CHECK(run_until(rig.loop, [&] {
    auto next = rig.client();
    test::send_text(next.get(), "{\"command\":\"status\"}\n");
    return rig.receive(next.get()).starts_with("{\"verdict\"");
  }));
}

TEST_CASE("control: nobody there is an error, and so is one that does not answer") {
  test::Folder folder;
  CHECK(!ask(folder / "none.sock", "status", Millis(1000)));
  UniqueFd deaf(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, (folder / "deaf.sock").c_str(), sizeof name.sun_path - 1);
  REQUIRE(::bind(deaf.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  REQUIRE(::listen(deaf.get(), 1) == 0);
  auto answer = ask(folder / "deaf.sock", "status", Millis(50));
  REQUIRE(!answer);
  CHECK(answer.error().errno_value() == ETIMEDOUT);
}

TEST_CASE("control: sockets are found by pid, and those of dead servers are removed") {
  test::Folder folder;
  Loop loop;
  auto second = ControlServer::open(loop, control_path(folder.path(), 20),
                                    [](std::string_view, const ControlServer::Reply&) {});
  auto first = ControlServer::open(loop, control_path(folder.path(), 3),
                                   [](std::string_view, const ControlServer::Reply&) {});
  REQUIRE((first && second));
  std::string dead = control_path(folder.path(), 7);
  {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, dead.c_str(), sizeof name.sun_path - 1);
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  }
  auto found = find_control_sockets(folder.path());
  REQUIRE(found.size() == 2);
  CHECK(found[0].pid == 3);
  CHECK(found[1].pid == 20);
  CHECK(!std::filesystem::exists(dead));
  CHECK(find_control_sockets(folder / "none").empty());
}

TEST_CASE("control: a folder that is a link is not used") {
  test::Folder folder;
  CHECK(make_control_folder(folder / "new"));
  CHECK(make_control_folder(folder / "new"));
  std::filesystem::create_symlink(folder / "new", folder / "link");
  CHECK(!make_control_folder(folder / "link"));
}

TEST_CASE("status: a value survives its way through JSON") {
  ServerStatus status;
  status.version = "0.1.0";
  status.pid = 4711;
  status.verdict = "DEGRADED";
  status.reason = "2 of 3 workers ready";
  status.config_file = "/etc/\xff";
  auto& worker = status.workers.emplace_back();
  worker.slot = 3;
  worker.state = "waiting";
  worker.cpu_percent = 1.5;
  worker.last_exit = "SIGSEGV in GET /\"x\"";
  status.listeners.push_back({"http://127.0.0.1:8080", 3, 4096});
  status.access_log = {.path = "/l", .lines = 7, .dropped = 2, .is_losing = true, .error = "full"};
  std::string json = to_json(status);
  CHECK(!json.contains('\n'));
  auto back = parse_status(json);
  REQUIRE(back);
  CHECK(back->pid == 4711);
  CHECK(back->reason == status.reason);
  REQUIRE(back->workers.size() == 1);
  CHECK(back->workers[0].slot == 3);
  CHECK(back->workers[0].cpu_percent == 1.5);
  CHECK(back->workers[0].last_exit == status.workers[0].last_exit);
  CHECK(back->workers[0].restart_ms == -1);
  REQUIRE(back->listeners.size() == 1);
  CHECK(back->listeners[0].limit == 4096);
  CHECK(back->access_log.lines == 7);
  CHECK(back->access_log.dropped == 2);
  CHECK(back->access_log.is_losing);
  CHECK(back->access_log.error == "full");
}

TEST_CASE("reopen: an outcome survives its way through JSON, and an error is none") {
  ReopenOutcome outcome{.path = "/var/log/\xff", .error = {}, .workers = {{1, 11, 3, {}}}};
  auto back = parse_reopen_outcome(to_json(outcome));
  REQUIRE(back);
  CHECK(back->workers == outcome.workers);
  CHECK(to_json(outcome).starts_with("{\"reopened\":true,"));
  outcome.workers.push_back({2, 12, -1, "gone"});
  CHECK(to_json(outcome).starts_with("{\"reopened\":false,"));
  CHECK(parse_reopen_outcome(to_json(outcome))->confirmed() == 1);
  for (const char* text :
       {"", "[]", "{}", R"({"error":"no such command"})", R"({"reopened":true,"workers":3})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_reopen_outcome(text));
  }
}

TEST_CASE("status: what is no status is an error") {
  for (const char* text :
       {"", "[]", "x", R"({"workers":3})", R"({"pid":"x"})", R"({"error":"no such command"})"}) {
    CAPTURE(text);
    CHECK(!parse_status(text));
  }
}
