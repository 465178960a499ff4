// SPDX-License-Identifier: Apache-2.0
// What middleware keeps with a request for the handler, and for what comes after it.
#include "allocation_count.h"
#include "later.h"

#include <stdexcept>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

struct User {
  std::string name;
};

/// Counts how many there are.
struct Guest {
  explicit Guest(int& n) : here(&n) { ++*here; }
  Guest(Guest&& other) noexcept : here(std::exchange(other.here, nullptr)) {}
  Guest& operator=(Guest&&) = delete;
  ~Guest() {
    if (here != nullptr) --*here;
  }
  int* here;
};

const std::string kGet = "GET /w HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kAskHello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

std::string name_of(const Request& q) {
  const User* user = q.locals().get<User>();
  return user == nullptr ? "nobody" : user->name;
}

}  // namespace

TEST_CASE("locals: what before() sets is the handler's and after()'s, in every shape") {
  auto routes = [](Later& l) {
    REQUIRE(l.router.before("/", [](const Request& q) -> std::optional<Response> {
      if (q.has_header("x-user")) q.locals().set(User{std::string(q.header("x-user"))});
      return std::nullopt;
    }));
    REQUIRE(
        l.router.after("/", [](const Request& q, Response& r) { r.header("X-Seen", name_of(q)); }));
    l.on("GET", "/value", [](const Request& q) { return Response::text(name_of(q)); });
    l.on("GET", "/task",
         [](const Request& q) -> Task<Response> { co_return Response::text(name_of(q)); });
    l.on("GET", "/writer",
         [](const Request& q, ResponseWriter w) { (void)w.respond(Response::text(name_of(q))); });
    l.on("POST", "/body", [](const Request& q) { return Response::text(name_of(q)); });
  };
  auto ask = [](std::string_view line, std::string_view user, std::string_view rest = "\r\n") {
    return std::string(line) + " HTTP/1.1\r\nHost: x\r\n" +
           (user.empty() ? "" : "X-User: " + std::string(user) + "\r\n") + std::string(rest);
  };
  // The last one has none: nothing of one request is seen by the next.
  auto text = all_ways(routes, ask("GET /value", "ada") + ask("GET /task", "bob") +
                                   ask("GET /writer", "eve") +
                                   ask("POST /body", "kim", "Content-Length: 3\r\n\r\nabc") +
                                   ask("GET /nope", "joe") + ask("GET /value", ""));
  auto all = answers(text);
  REQUIRE(all.size() == 6);
  CHECK(all[0].body == "ada");
  CHECK(all[1].body == "bob");
  CHECK(all[2].body == "eve");
  CHECK(all[3].body == "kim");
  CHECK(all[4].status == 404);
  CHECK(all[4].has("X-Seen: joe"));
  CHECK(all[5].body.starts_with("nobody"));
  CHECK(all[5].has("X-Seen: nobody"));
}

TEST_CASE("locals: one value of a type; another type is another value") {
  Later l;
  l.on("GET", "/w", [](const Request& q) {
    Locals& locals = q.locals();
    CHECK(locals.get<int>() == nullptr);
    int& one = locals.set(1);
    locals.set(User{"ada"});
    locals.set(2L);
    CHECK(one == 1);
    locals.set(7);
    CHECK(*locals.get<int>() == 7);
    CHECK(*locals.get<long>() == 2);
    locals.get<User>()->name += "!";
    CHECK(name_of(q) == "ada!");
    locals.set<std::unique_ptr<int>>(nullptr);
    CHECK(locals.get<std::unique_ptr<int>>() != nullptr);
    Request copy = q;
    CHECK(name_of(copy) == "ada!");
    return Response();
  });
  Talk talk(l);
  talk.send(kGet);
  CHECK(statuses(talk.text()) == std::vector{200});
}

TEST_CASE("locals: they end with the request, in any of its ends") {
  int here = 0;
  auto keep = [&](const Request& q) { q.locals().set(Guest(here)); };
  Later l;
  REQUIRE(l.router.before("/w", [&](const Request& q) -> std::optional<Response> {
    keep(q);
    return q.query() == "early" ? std::optional(Response(403)) : std::nullopt;
  }));
  l.on("GET", "/w",
       [&](const Request&, ResponseWriter w) { l.writers.emplace("w", std::move(w)); });
  {
    Talk talk(l);
    talk.send("GET /w?early HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(here == 0);
    talk.send(kGet);
    CHECK(here == 1);
    CHECK(l.writers.at("w").respond(Response()));
    talk.settle();
    CHECK(here == 0);
    l.writers.clear();
    talk.send(kGet);
    CHECK(here == 1);
  }
  // The client has left: as long as the writer, for who is at work.
  CHECK(here == 1);
  l.writers.clear();
  CHECK(here == 0);
}

TEST_CASE("locals: one that is replaced ends, and may look around in its end") {
  Later l;
  struct Curious {
    explicit Curious(const Request& q, std::string& out) : request(&q), said(&out) {}
    Curious(Curious&& o) noexcept : request(std::exchange(o.request, nullptr)), said(o.said) {}
    Curious& operator=(Curious&&) = delete;
    ~Curious() {
      if (request == nullptr) return;
      bool has_other = request->locals().get<Curious>() != nullptr;
      *said += std::string(request->path()) + (has_other ? "+" : "-");
    }
    const Request* request;
    std::string* said;
  };
  std::string said;
  l.on("GET", "/w", [&](const Request& q) {
    q.locals().set(Curious(q, said));
    q.locals().set(Curious(q, said));
    CHECK(said == "/w+");
    return Response();
  });
  Talk talk(l);
  talk.send(kGet);
  CHECK(said == "/w+/w-");
}

TEST_CASE("locals: an allocation for each value, none without") {
  Wire w;
  w.limits.requests_per_connection = 0;
  w.add("GET", "/w", [](const Request& q) {
    q.locals().set(7);
    return Response();
  });
  server::Session session(w.context, "127.0.0.1");
  std::string out;
  auto cost = [&](const std::string& request) {
    for (int i = 0; i < 10; ++i) session.on_bytes(request, out);
    out.clear();
    auto before = allocations;
    for (int i = 0; i < 100; ++i) {
      session.on_bytes(request, out);
      out.clear();
    }
    return allocations - before;
  };
  CHECK(cost(kAskHello) == 0);
  CHECK(cost(kGet) == 100);
}

TEST_CASE("locals: a request that no server made has none, and says so") {
  CHECK_THROWS_AS((void)Request().locals(), std::logic_error);
}
