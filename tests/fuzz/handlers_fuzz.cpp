// SPDX-License-Identifier: Apache-2.0
// One connection's bytes, whole and cut into pieces: handlers of every shape, that answer later,
// read the body as it comes or take the connection over, give the same answers.
#include <pronghorn/base/counters.h>
#include <pronghorn/server/router.h>

#include "server/date.h"
#include "server/session.h"
#include "tests/fuzz/without_ids.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace pronghorn;

namespace {

void must(bool fine) {
  if (!fine) std::abort();
}

Task<Response> collect(const Request& q) {
  BodyStream body = q.body_stream();
  std::string all;
  while (auto piece = co_await body.read()) all += *piece;
  co_return Response::text(all);
}

/// Takes the connection over, and says everything twice.
void echo_raw(const Request&, ResponseWriter w) {
  auto stream = w.upgrade(Response().header("Upgrade", "echo"));
  if (!stream) return (void)w.respond(Response::error(426));
  auto raw = std::make_shared<UpgradedStream>(std::move(*stream));
  raw->on_data([raw](std::string_view bytes) {
    for (char c : bytes) must(raw->write(std::string(2, c)).has_value());
  });
}

/// Answers when it is asked to.
struct Pending {
  std::vector<ResponseWriter> writers;
  void answer() {
    for (auto& w : std::exchange(writers, {})) {
      must(w.start(Response()).has_value());
      must(w.write("later").has_value());
      must(w.end({{"X-Sum", "1"}}).has_value());
    }
  }
};

void add_routes(Router& router, Pending& pending) {
  must(
      router
          .add("*", "/echo", [](const Request& q) { return Response::text(std::string(q.body())); })
          .has_value());
  must(router
           .add("GET", "/:name",
                [](const Request& q) { return Response::text(std::string(q.param("name"))); })
           .has_value());
  must(router
           .add("*", "/l",
                [&pending](const Request&, ResponseWriter w) {
                  pending.writers.push_back(std::move(w));
                })
           .has_value());
  RouteOptions streams{.body_limit = 64, .stream_body = true};
  must(router.add("*", "/b", streams, collect).has_value());
  must(router
           .add("*", "/early", streams,
                [](const Request&, ResponseWriter w) {
                  must(w.respond(Response::text("early")).has_value());
                })
           .has_value());
  must(router.add("*", "/up", echo_raw).has_value());
}

class Client final : private server::SessionOwner {
 public:
  Client(server::SessionContext& context, Pending& pending)
      : session_(context, "127.0.0.1"), pending_(pending) {
    context.owner = this;
  }

  /// As a connection does: what is not wanted waits. False: nothing more will be.
  bool feed(std::string_view piece) {
    waiting_.append(piece);
    for (bool moved = true; moved;) {
      moved = true;
      if (std::exchange(told_, false)) {
        session_.on_output(out);
      } else if (session_.wants_writable()) {
        session_.on_writable(out);
      } else if (session_.wants_close()) {
        return false;
      } else if (!waiting_.empty() && session_.wants_input()) {
        session_.on_bytes(std::exchange(waiting_, {}), out);
      } else if (!pending_.writers.empty()) {
        pending_.answer();
      } else {
        moved = false;
      }
    }
    return true;
  }
  void finish() {
    if (!session_.wants_close()) session_.on_eof(out);
    feed({});
  }
  std::string out;

 private:
  void on_output() noexcept override { told_ = true; }
  std::size_t unsent_output() const noexcept override { return 0; }
  server::Session session_;
  Pending& pending_;
  std::string waiting_;
  bool told_ = false;
};

/// An interim answer depends on what was here when it was sent.
std::string without_continue(std::string text) {
  constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  for (auto at = text.find(interim); at != text.npos; at = text.find(interim)) {
    text.erase(at, interim.size());
  }
  return text;
}

std::string answers(std::string_view input, std::size_t step) {
  Router router;
  Pending pending;
  add_routes(router, pending);
  config::Limits limits;
  limits.head = 512;
  limits.header_line = 128;
  limits.header_fields = 8;
  limits.uri = 96;
  limits.body = 256;
  limits.linger = 32;
  limits.pipeline = 4;
  server::DateCache date;
  date.refresh(0);
  WorkerCounters counters;
  server::SessionContext context{
      .router = router, .limits = limits, .date = date, .counters = counters};
  std::string out;
  {
    Client client(context, pending);
    for (std::size_t at = 0; at < input.size(); at += step) {
      if (!client.feed(input.substr(at, step))) break;
    }
    client.finish();
    out = client.out;
  }
  must(counters.requests_active.get() == 0);
  return test::without_ids(without_continue(std::move(out)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string whole = answers(input, input.size() + 1);
  must(whole == answers(input, 1) && whole == answers(input, 5));
  must(whole.empty() || whole.starts_with("HTTP/1.1 "));
  return 0;
}
