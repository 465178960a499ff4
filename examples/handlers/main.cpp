// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/http.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

using namespace pronghorn;

int main() {
  Loop loop;
  Server server(loop);

  // A value: the answer is known.
  server.get("/hello/:name", [](const Request& q) {
    return Response::text("hello " + std::string(q.param("name")) + "\n");
  });

  // A coroutine: it waits, here for work that blocks and therefore runs on another thread.
  server.get("/sum/:n", [&loop](const Request& q) -> Task<Response> {
    auto work = [n = std::stoull(std::string(q.param("n")))] {  // what it throws is a 500
      std::uint64_t sum = 0;
      for (std::uint64_t i = 1; i <= n; ++i) sum += i;
      return sum;
    };
    std::uint64_t sum = co_await offload(loop, work);
    co_return Response::text(std::to_string(sum) + "\n");
  });

  // A writer: the answer comes in pieces, no faster than the client takes them.
  server.get("/numbers", [](const Request&, ResponseWriter w) {
    auto writer = std::make_shared<ResponseWriter>(std::move(w));
    auto go_on = [writer, i = std::make_shared<int>(0)] {
      while (*i < 100'000) {
        auto more = writer->write(std::to_string(++*i) + "\n");
        if (!more || !*more) return;  // gone, or full: on_drain calls again
      }
      (void)writer->end({{"X-Count", std::to_string(*i)}});
    };
    if (!writer->start(Response().type("text/plain"))) return;
    writer->on_drain(go_on);
    go_on();
  });

  // A body as it comes: a gigabyte costs no more memory than a piece.
  server.post("/length", RouteOptions{.body_limit = 1 << 30, .stream_body = true},
              [](const Request& q) -> Task<Response> {
                BodyStream body = q.body_stream();
                std::uint64_t length = 0;
                while (auto piece = co_await body.read()) length += piece->size();
                co_return Response::text(std::to_string(length) + "\n");
              });

  // A connection that becomes the handler's: here an echo.
  server.get("/echo", [](const Request&, ResponseWriter w) {
    auto stream = w.upgrade(Response().header("Upgrade", "echo"));
    if (!stream) return (void)w.respond(Response::error(426).header("Upgrade", "echo"));
    auto raw = std::make_shared<UpgradedStream>(std::move(*stream));
    raw->on_drain([raw] { raw->resume(); });
    raw->on_data([raw](std::string_view bytes) {
      auto more = raw->write(bytes);
      if (more && !*more) raw->pause();
    });
  });

  // Middleware, for all below a prefix.
  server.before("/numbers", [](const Request& q) -> std::optional<Response> {
    if (q.has_header("authorization")) return std::nullopt;
    return Response::error(401).header("WWW-Authenticate", "Basic realm=\"numbers\"");
  });
  server.after("/",
               [](const Request&, Response& r) { r.header("Referrer-Policy", "no-referrer"); });

  server.on_listening([](const Address& address) {
    std::printf("listening on port %u\n", static_cast<unsigned>(address.port));
    std::fflush(stdout);
  });
  if (auto listening = server.listen("127.0.0.1:0"); !listening) return 1;
  return loop.run();
}
