// SPDX-License-Identifier: Apache-2.0
// Answers whose bodies, or heads, are not a string of their own.
#include "server/serializer.h"
#include "wire.h"

#include <memory>

using namespace pronghorn;
using namespace pronghorn::test;
using Phase = server::Session::Phase;

namespace {

const std::string kGet = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("session: the parts of a file go out in turn, with what stands between them") {
  Wire w;
  w.add("GET", "/parts", [](const Request&) {
    FileBody body{.file = {}, .offset = 0, .length = 0};
    body.more.push_back({"<a>", 10, 5});
    body.more.push_back({"<none>", 7, 0});
    body.more.push_back({"<b>", 0, 3});
    body.tail = "<end>";
    return Response().body(std::move(body));
  });
  std::string get = "GET /parts HTTP/1.1\r\nHost: x\r\n\r\n";
  Outcome o = w.run({get + kGet});
  CHECK(o.bytes.contains("Content-Length: 25\r\n"));
  CHECK(o.bytes.contains("\r\n\r\n<a>FILE(10,5)<none><b>FILE(0,3)<end>HTTP/1.1 200"));
  CHECK(o.phase == Phase::idle);
  o = w.run_all_ways("HEAD /parts HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  CHECK(o.bytes.contains("Content-Length: 25\r\n"));
  CHECK_FALSE(o.bytes.contains("<a>"));
}

TEST_CASE("session: shared bytes are copied while they are few, and follow their head otherwise") {
  Wire w;
  auto few = std::make_shared<const std::string>("shared\n");
  auto many = std::make_shared<const std::string>(100'000, 'm');
  w.add("GET", "/few", [=](const Request&) { return Response().body(few); });
  w.add("GET", "/many", [=](const Request&) { return Response().body(many); });
  Outcome o = w.run_all_ways("GET /few HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  CHECK(answers(o.bytes).at(0).body == "shared\n");
  server::Session session(w.context, "::1");
  std::string out;
  session.on_bytes("GET /many HTTP/1.1\r\nHost: x\r\n\r\n" + kGet, out);
  CHECK(out.ends_with("Content-Length: 100000\r\nConnection: keep-alive\r\n\r\n"));
  auto piece = session.take_file();
  REQUIRE(piece);
  CHECK(piece->bytes() == many.get());
  CHECK(piece->length == many->size());
  out.clear();
  session.on_file_sent(out);
  CHECK(without_date(out) == kHello);
  CHECK(many.use_count() == 2);  // ours and the handler's
}

TEST_CASE("session: a shared head goes out as it is, and a copy of it with what is added") {
  Wire w;
  auto head = std::make_shared<const Response::Head>(
      Response::Head{.headers = {{"ETag", "\"x\""}}, .type = "text/x"});
  w.add("GET", "/head", [=](const Request&) {
    Response r(200);
    r.head(head);
    return r;
  });
  w.add("GET", "/more", [=](const Request&) {
    Response r(200);
    r.head(head).header("A", "b");
    return r;
  });
  Outcome o = w.run({"GET /head HTTP/1.1\r\nHost: x\r\n\r\nGET /more HTTP/1.1\r\nHost: x\r\n\r\n"});
  auto all = answers(o.bytes);
  REQUIRE(all.size() == 2);
  for (const Answer& a : all) {
    CHECK(a.has("ETag: \"x\"\r\n"));
    CHECK(a.has("Content-Type: text/x\r\n"));
  }
  CHECK(all[1].has("A: b\r\n"));
  std::string plain = w.run({"GET /head HTTP/1.1\r\nHost: x\r\n\r\n"}).bytes;
  CHECK(o.bytes.starts_with(plain));

  // Made ready before, it goes out byte for byte the same; what must not be sent is not made ready.
  auto prepared = std::make_shared<Response::Head>(*head);
  server::prepare(*prepared);
  CHECK_FALSE(prepared->text.bytes.empty());
  CHECK(Response::Head(*prepared).text.bytes.empty());  // a copy is there to be changed
  Response::Head bad{.headers = {{"A", "b\r\nc"}}, .type = "text/x"};
  server::prepare(bad);
  CHECK(bad.text.bytes.empty());
  w.add("GET", "/prep", [=](const Request&) {
    Response r(200);
    r.head(prepared);
    return r;
  });
  w.add("GET", "/type", [=](const Request&) {
    Response r(200);
    r.head(prepared).type("text/y");
    return r;
  });
  CHECK(w.run({"GET /prep HTTP/1.1\r\nHost: x\r\n\r\n"}).bytes == plain);
  Outcome typed = w.run({"GET /type HTTP/1.1\r\nHost: x\r\n\r\n"});
  CHECK(typed.bytes.contains("Content-Type: text/y\r\n"));
  CHECK(typed.bytes.contains("ETag: \"x\"\r\n"));
  CHECK_FALSE(typed.bytes.contains("text/x"));
  CHECK(head->headers.size() == 1);
}
