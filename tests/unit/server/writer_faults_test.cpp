// SPDX-License-Identifier: Apache-2.0
// What the log and the handler are told of a handler's mistakes.
#include "base/log.h"
#include "later.h"
#include "server/serializer.h"

#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

/// Standard error for as long as it lives.
class Overheard {
 public:
  Overheard() {
    ::dup2(file_.get(), 2);
    log::configure({.form = log::Form::file, .who = "test"});
  }
  Overheard(const Overheard&) = delete;
  ~Overheard() {
    ::dup2(old_.get(), 2);
    log::configure({});
  }
  std::string text() const {
    std::string bytes(1 << 16, '\0');
    auto n = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }

 private:
  UniqueFd old_{::fcntl(2, F_DUPFD_CLOEXEC, 3)};
  UniqueFd file_{::memfd_create("log", MFD_CLOEXEC)};
};

const std::string kGet = "GET /w/here HTTP/1.1\r\nHost: x\r\n\r\n";

/// What is logged, and answered, when /w/here has this handler.
template <class H>
std::string logged(H handler, int status = 500) {
  Overheard heard;
  Later l;
  l.on("GET", "/w/here", std::move(handler));
  Talk talk(l);
  talk.send(kGet);
  CHECK(statuses(talk.text()) == std::vector{status});
  return heard.text();
}

}  // namespace

TEST_CASE("fault: a writer that is dropped unanswered is named in the log, once") {
  std::string text = logged([](const Request&, ResponseWriter) {});
  CHECK(text.contains("handler failed"));
  CHECK(text.contains("method=GET path=/w/here error=\"its writer was dropped unanswered\""));
  CHECK(count_of_text(text, "\n") == 1);
  // … by an exception: that is the reason.
  text = logged([](const Request&, ResponseWriter) { throw std::runtime_error("no database"); });
  CHECK(text.contains("error=\"no database\""));
  CHECK(count_of_text(text, "\n") == 1);
}

TEST_CASE("fault: nothing is logged of a writer that is dropped when nobody waits, or after all") {
  CHECK(logged([](const Request&, ResponseWriter w) { CHECK(w.respond(Response())); }, 200) == "");
  Overheard heard;
  Later l;
  l.on("GET", "/w/here",
       [&](const Request&, ResponseWriter w) { l.writers.emplace("w", std::move(w)); });
  {
    Talk talk(l);
    talk.send(kGet);
  }
  l.writers.clear();
  CHECK(heard.text() == "");
}

TEST_CASE("fault: a field that cannot be sent is named to the handler and in the log") {
  std::string told;
  logged([&](const Request&, ResponseWriter w) {
    auto sent = w.respond(Response().header("X-Good", "1").header("X-Note", "a\r\nb"));
    told = sent ? "" : sent.error().message();
  });
  CHECK(told == "Invalid character in header content [\"X-Note\"]");
  logged([&](const Request&, ResponseWriter w) {
    auto sent = w.start(Response().header("X\nY", "1"));
    told = sent ? "" : sent.error().message();
  });
  CHECK(told == R"(Invalid character in header name ["X\x0AY"])");
  std::string value = logged([](const Request&) { return Response().header("X-Note", "\1"); });
  CHECK(value.contains("response not sendable"));
  CHECK(value.contains("X-Note"));
  CHECK(value.contains("path=/w/here"));
  CHECK(logged([](const Request&) -> Task<Response> {
          co_return Response().header("X-Late", "\1");
        }).contains("X-Late"));
}

TEST_CASE("fault: what middleware makes unsendable of an answer in pieces is in the log") {
  Overheard heard;
  Later l;
  REQUIRE(l.router.after("/", [](const Request&, Response& r) { r.header("X-After", "\n"); }));
  l.on("GET", "/w/here", [](const Request&, ResponseWriter w) {
    CHECK(w.start(Response()));
    (void)w.end();
  });
  Talk talk(l);
  talk.send(kGet);
  CHECK(talk.text().starts_with("HTTP/1.1 500 "));
  CHECK(heard.text().contains("X-After"));
}

TEST_CASE("fault: what is named is bounded and escaped") {
  using server::unsendable_part;
  CHECK(unsendable_part(Response().header("X", "fine")).empty());
  CHECK(unsendable_part(Response(99)) == "Invalid status code: 99");
  CHECK(unsendable_part(Response().type("a\nb")) ==
        "Invalid character in header content [\"Content-Type\"]");
  CHECK(unsendable_part(Response().header("a\"b", "")) ==
        R"(Invalid character in header name ["a\x22b"])");
  CHECK(unsendable_part(Response().header(std::string(100'000, ' '), "")).size() < 120);
}
