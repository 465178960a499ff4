// SPDX-License-Identifier: Apache-2.0
// Limits that go by the client's address, and limits of one listener.
#include "base/client_table.h"
#include "connection_support.h"
#include "logged.h"
#include "server/connection_context.h"

#include <algorithm>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

Server::Options with(std::uint64_t connections, std::uint64_t rate = 0, std::uint64_t burst = 0) {
  auto options = TestServer::quick();
  options.limits.connections_per_client = connections;
  options.limits.requests_per_second = rate;
  options.limits.requests_burst = burst;
  return options;
}

bool is_answered(TestServer& s, Client& c) {
  return s.talk(c, get("/hello"), [&] { return count_of(c.received, "hello, world") == 1; });
}

/// On a listener of the server's own; the address it got.
sockaddr_in listen_on(TestServer& s, Server::ListenOptions how) {
  std::optional<Address> opened;
  s.server->on_listening([&](const Address& address) { opened = address; });
  REQUIRE(s.server->listen("127.0.0.1:0", how));
  REQUIRE(s.until([&] { return opened.has_value(); }));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(opened->port);
  return to;
}

Client connect_to(const sockaddr_in& to) {
  Client c;
  c.socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(c.socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return c;
}

}  // namespace

TEST_CASE("client limits: one connection too many is told 429 and closed, the others stay") {
  TestServer s(with(2));
  Client a = s.listener.connect();
  Client b = s.listener.connect();
  CHECK(is_answered(s, a));
  CHECK(is_answered(s, b));
  Client c = s.listener.connect();
  c.send(get("/hello"));
  REQUIRE(s.ends(c));
  CHECK(c.eof);
  CHECK(c.received.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(count_of(c.received, "\r\nRetry-After: 1\r\n") == 1);
  CHECK(count_of(c.received, "\r\nConnection: close\r\n") == 1);
  CHECK(count_of(c.received, "\r\nDate: ") == 1);
  CHECK(s.server->connections() == 2);
  b.socket.reset();
  REQUIRE(s.until([&] { return s.server->connections() == 1; }));
  Client d = s.listener.connect();
  CHECK(is_answered(s, d));
  a.received.clear();
  CHECK(is_answered(s, a));
}

TEST_CASE("client limits: unix sockets are nobody's") {
  TestServer s(with(1, 1, 1), Listener::local());
  std::vector<Client> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(s.listener.connect());
    CHECK(is_answered(s, clients.back()));
  }
}

TEST_CASE("client limits: a connection that somebody else accepted counts as well") {
  TestServer s(with(1));
  Client first = s.listener.connect();
  CHECK(is_answered(s, first));
  Listener other = Listener::tcp();
  Client second = other.connect();
  second.send(get("/hello"));
  UniqueFd accepted(::accept4(other.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(s.server->add_connection(std::move(accepted)));
  REQUIRE(s.ends(second));
  CHECK(second.received.starts_with("HTTP/1.1 429"));
  CHECK(s.server->connections() == 1);
  first.socket.reset();
  REQUIRE(s.until([&] { return s.server->connections() == 0; }));
  Client third = other.connect();
  CHECK(s.server->add_connection(
      UniqueFd(::accept4(other.socket.get(), nullptr, nullptr, SOCK_CLOEXEC))));
  CHECK(is_answered(s, third));
}

TEST_CASE("client limits: two servers that share a table count together, in the slots' order") {
  auto table = ClientTable::create_private(1024).value();
  TestServer one(with(0));
  TestServer other(with(0));
  auto options = with(2);
  for (TestServer* s : {&one, &other}) {
    s->server.emplace(s->loop, Router(), options, &s->counters);
    s->server->get("/hello", [](const Request&) { return Response::text("hello, world"); });
    s->server->set_client_table(&table, 0);
    REQUIRE(s->server->add_listener(s->listener.duplicate()));
  }
  Client a = one.listener.connect();
  Client b = other.listener.connect();
  CHECK(is_answered(one, a));
  CHECK(is_answered(other, b));
  Client c = one.listener.connect();
  c.send(get("/hello"));
  REQUIRE(one.ends(c));
  CHECK(c.received.starts_with("HTTP/1.1 429"));
}

TEST_CASE("client limits: requests beyond the rate are 429, and the connection stays usable") {
  TestServer s(with(0, 1, 3));
  Client c = s.listener.connect();
  std::string three = get("/hello") + get("/peer") + get("/nowhere");
  // The bucket was full at once; two more come too early, then one has had its time.
  REQUIRE(s.talk(c, three + get("/hello") + get("/hello"),
                 [&] { return count_of(c.received, "HTTP/1.1 ") == 5; }));
  CHECK(count_of(c.received, "HTTP/1.1 200 ") == 2);
  CHECK(count_of(c.received, "HTTP/1.1 404 ") == 1);
  CHECK(count_of(c.received, "HTTP/1.1 429 Too Many Requests\r\n") == 2);
  CHECK(count_of(c.received, "\r\nRetry-After: 1\r\n") == 2);
  CHECK_FALSE(c.over());
  // Another connection of the same client has no bucket of its own.
  Client d = s.listener.connect();
  REQUIRE(s.talk(d, get("/hello"), [&] { return count_of(d.received, "HTTP/1.1 ") == 1; }));
  CHECK(d.received.starts_with("HTTP/1.1 429"));
  c.received.clear();
  REQUIRE(s.until([&] {
    c.received.clear();
    s.talk(c, get("/hello"), [&] { return count_of(c.received, "\r\n\r\n") == 1; });
    return c.received.starts_with("HTTP/1.1 200");
  }));
}

TEST_CASE("client limits: the body of a request that is too early is read, and is no request") {
  TestServer s(with(0, 1, 1));
  Client c = s.listener.connect();
  CHECK(is_answered(s, c));
  c.received.clear();
  const std::string smuggled = get("/hello");
  const std::string post =
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(smuggled.size()) +
      "\r\n\r\n" + smuggled;
  REQUIRE(s.talk(c, post + get("/peer"), [&] { return count_of(c.received, "HTTP/1.1 ") == 2; }));
  CHECK(count_of(c.received, "HTTP/1.1 429") == 2);
  CHECK(count_of(c.received, "hello, world") == 0);
  CHECK_FALSE(c.over());
  // A client that waits for a 100 hears at once that its body is not wanted.
  c.received.clear();
  c.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  REQUIRE(s.ends(c));
  CHECK(c.received.starts_with("HTTP/1.1 429"));
  CHECK(count_of(c.received, "HTTP/1.1 100") == 0);
}

TEST_CASE("client limits: a head that is wrong is 400 as ever, however often") {
  TestServer s(with(0, 1, 1));
  for (int i = 0; i < 3; ++i) {
    Client c = s.listener.connect();
    c.send("GET / HTTP/1.1\r\nHost: t\r\n X: folded\r\n\r\n");
    REQUIRE(s.ends(c));
    CHECK(c.received.starts_with("HTTP/1.1 400"));
  }
}

TEST_CASE("client limits: a connection that is refused is one line of the access log") {
  TestServer s(with(1));
  LogFile file("%h %s %B %O %X \"%r\" %L %{Retry-After}o", s.counters);
  s.server->set_access_log(&file.log);
  Client first = s.listener.connect();
  CHECK(is_answered(s, first));
  const std::string before = file.lines();
  std::string expected = before;
  auto refused = [&](Client& c) {
    REQUIRE(s.ends(c));
    const auto at = c.received.find("<p>Request ");
    REQUIRE(at != std::string::npos);
    const auto body = c.received.size() - c.received.find("\r\n\r\n") - 4;
    expected += "127.0.0.1 429 " + std::to_string(body) + " " + std::to_string(c.received.size()) +
                " - \"-\" " + c.received.substr(at + 11, 16) + " 1\n";
    CHECK(file.lines() == expected);
  };
  Client direct = s.listener.connect();
  refused(direct);
  Listener other = Listener::tcp();
  Client handed_over = other.connect();
  UniqueFd accepted(::accept4(other.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(s.server->add_connection(std::move(accepted)));
  refused(handed_over);
  s.server->set_access_log(nullptr);
}

TEST_CASE("client limits: what was refused is counted, requests and connections apart") {
  TestServer s(with(1, 1, 2));
  Client c = s.listener.connect();
  REQUIRE(s.talk(c, get("/hello") + get("/hello") + get("/hello"),
                 [&] { return count_of(c.received, "HTTP/1.1 ") == 3; }));
  CHECK(s.counters.requests_refused.get() == 1);
  CHECK(s.counters.connections_refused.get() == 0);
  Client more = s.listener.connect();
  REQUIRE(s.ends(more));
  CHECK(s.counters.requests_refused.get() == 1);
  CHECK(s.counters.connections_refused.get() == 1);
  CHECK(s.counters.requests.get() == 3);
}

TEST_CASE(
    "client limits: middleware that sees answers sees a 429 too, one that gives them is not "
    "asked") {
  auto options = with(0, 1, 1);
  TestServer s(options);
  int asked = 0;
  s.server->before("/", [&](const Request&) -> std::optional<Response> {
    ++asked;
    return std::nullopt;
  });
  s.server->after("/", [](const Request& request, Response& response) {
    response.header("X-Seen", std::string(request.path()));
  });
  Client c = s.listener.connect();
  REQUIRE(s.talk(c, get("/hello") + get("/peer"),
                 [&] { return count_of(c.received, "HTTP/1.1 ") == 2; }));
  CHECK(count_of(c.received, "HTTP/1.1 429") == 1);
  CHECK(count_of(c.received, "X-Seen: /peer\r\n") == 1);
  CHECK(asked == 1);
}

TEST_CASE("route limits: a client has a bucket for the route, whatever it asks for besides") {
  TestServer s(with(0));
  auto answer = [](const Request&) { return Response::text("in"); };
  const RouteOptions slow{.requests_per_second = 1, .requests_burst = 2};
  s.server->get("/login/:name", slow, answer);
  s.server->post("/login/:name", slow, answer);
  Client c = s.listener.connect();
  auto head = [](std::string_view target) {
    return "HEAD " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n\r\n";
  };
  REQUIRE(s.talk(c, get("/login/a") + head("/login/b") + get("/login/c") + get("/hello"),
                 [&] { return count_of(c.received, "HTTP/1.1 ") == 4; }));
  CHECK(count_of(c.received, "HTTP/1.1 200") == 3);
  CHECK(count_of(c.received, "HTTP/1.1 429") == 1);
  CHECK(count_of(c.received, "hello, world") == 1);
  CHECK(s.counters.requests_refused.get() == 1);
  // The same pattern with another method is another route.
  c.received.clear();
  REQUIRE(s.talk(c, "POST /login/a HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n",
                 [&] { return count_of(c.received, "\r\n\r\nin") == 1; }));
  Client d = s.listener.connect();
  REQUIRE(s.talk(d, get("/login/d"), [&] { return count_of(d.received, "HTTP/1.1 ") == 1; }));
  CHECK(d.received.starts_with("HTTP/1.1 429"));
}

TEST_CASE("route limits: its bucket is one for all listeners, also where clients count apart") {
  TestServer s(with(0));
  config::Limits own = TestServer::quick().limits;
  own.requests_per_second = 1000;
  const sockaddr_in to = listen_on(s, {.limits = own});
  // Added when the server listens already.
  s.server->get("/once", RouteOptions{.requests_per_second = 1},
                [](const Request&) { return Response::text("in"); });
  Client a = s.listener.connect();
  REQUIRE(s.talk(a, get("/once"), [&] { return count_of(a.received, "HTTP/1.1 ") == 1; }));
  CHECK(a.received.starts_with("HTTP/1.1 200"));
  Client b = connect_to(to);
  REQUIRE(s.talk(b, get("/once") + get("/hello"),
                 [&] { return count_of(b.received, "HTTP/1.1 ") == 2; }));
  CHECK(b.received.starts_with("HTTP/1.1 429"));
  CHECK(count_of(b.received, "hello, world") == 1);
}

TEST_CASE("route limits: a request that its client may not make takes nothing from the route") {
  TestServer s(with(0, 1, 1));
  s.server->get("/first", RouteOptions{.requests_per_second = 1, .requests_burst = 1},
                [](const Request&) { return Response::text("in"); });
  Client c = s.listener.connect();
  std::string all = get("/hello");
  for (int i = 0; i < 20; ++i) all += get("/first");
  REQUIRE(s.talk(c, all, [&] { return count_of(c.received, "HTTP/1.1 ") == 21; }));
  CHECK(count_of(c.received, "HTTP/1.1 429") == 20);
  // As soon as the client has a token again, so has the route.
  REQUIRE(s.until([&] {
    c.received.clear();
    s.talk(c, get("/first"), [&] { return count_of(c.received, "HTTP/1.1 ") == 1; });
    return c.received.starts_with("HTTP/1.1 200");
  }));
}

TEST_CASE("route limits: a handler's time is the route's own") {
  auto options = TestServer::quick();
  options.timeouts.handler = 60s;
  TestServer s(options);
  std::vector<ResponseWriter> kept;
  auto never = [&](const Request&, ResponseWriter writer) { kept.push_back(std::move(writer)); };
  s.server->get("/short", RouteOptions{.handler_timeout = 100ms}, never);
  Client c = s.listener.connect();
  c.send(get("/short"));
  REQUIRE(s.ends(c));
  CHECK(c.received.starts_with("HTTP/1.1 503"));
}

TEST_CASE("route limits: what makes no sense is refused with the route's pattern") {
  Router router;
  auto answer = [](const Request&) { return Response::text("x"); };
  for (const RouteOptions& wrong :
       {RouteOptions{.requests_burst = 5}, RouteOptions{.handler_timeout = 0ms},
        RouteOptions{.handler_timeout = 25h}}) {
    auto added = router.add("GET", "/a", wrong, answer);
    REQUIRE_FALSE(added.has_value());
    CHECK(added.error().message().find("\"/a\"") != std::string::npos);
  }
  CHECK(router.add("GET", "/a", RouteOptions{.handler_timeout = 24h}, answer));
}

TEST_CASE("listener limits: they hold for the connections of their address alone") {
  auto options = TestServer::quick();
  options.limits.body = 100;
  TestServer s(options);
  config::Limits larger = options.limits;
  larger.body = 1000;
  config::Timeouts shorter = options.timeouts;
  shorter.keepalive = 100ms;
  const sockaddr_in own = listen_on(s, {.limits = larger, .timeouts = shorter});
  const std::string post =
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 500\r\n\r\n" + std::string(500, 'x');
  Client usual = s.listener.connect();
  usual.send(post);
  REQUIRE(s.ends(usual));
  CHECK(usual.received.starts_with("HTTP/1.1 413"));
  Client special = connect_to(own);
  special.send(post);
  REQUIRE(s.ends(special));  // at the end of its keep-alive time
  CHECK(special.received.starts_with("HTTP/1.1 200"));
  CHECK(special.eof);
}

TEST_CASE("listener limits: its clients count apart where it has a limit of clients of its own") {
  auto options = with(1);
  TestServer s(options);
  config::Limits more = options.limits;
  more.connections_per_client = 2;
  config::Limits alike = options.limits;
  alike.body = 5;
  const sockaddr_in own = listen_on(s, {.limits = more});
  const sockaddr_in shared = listen_on(s, {.limits = alike});
  Client a = s.listener.connect();
  Client b = connect_to(own);
  Client c = connect_to(own);
  for (Client* each : {&a, &b, &c}) CHECK(is_answered(s, *each));
  for (const sockaddr_in& to : {own, shared}) {
    Client refused = connect_to(to);
    refused.send(get("/hello"));
    REQUIRE(s.ends(refused));
    CHECK(refused.received.starts_with("HTTP/1.1 429"));
  }
}

TEST_CASE("listener limits: draining says close on every listener") {
  auto options = TestServer::quick();
  TestServer s(options);
  config::Limits other = options.limits;
  other.body = 5;
  const sockaddr_in own = listen_on(s, {.limits = other});
  Client c = connect_to(own);
  CHECK(is_answered(s, c));
  s.server->begin_drain();
  REQUIRE(s.talk(c, get("/hello"), [&] { return c.over(); }));
  CHECK(count_of(c.received, "Connection: close") == 1);
}

TEST_CASE("limits: after limits.linger bytes of a refused body no more is read") {
  auto options = TestServer::quick();
  options.limits.body = 10;
  options.limits.linger = 64 * 1024;
  options.timeouts.linger = 300ms;
  TestServer s(options);
  Client c = s.listener.connect(16 * 1024);
  c.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 900000000\r\n\r\n");
  const std::string piece(64 * 1024, 'x');
  std::uint64_t sent = 0;
  REQUIRE(s.until([&] {
    for (std::size_t n = 1; n != 0 && !c.over();) sent += n = c.send(piece);
    return c.read();
  }));
  CHECK(c.received.starts_with("HTTP/1.1 413"));
  // What was read beyond it only waits in the kernel's buffers, for the time of timeouts.linger.
  CHECK(s.counters.bytes_in.get() >= 64 * 1024);
  CHECK(s.counters.bytes_in.get() < 64 * 1024 + 3 * server::ConnectionContext::kReceiveBytes);
  CHECK(sent > s.counters.bytes_in.get());
}
