// SPDX-License-Identifier: Apache-2.0
#include "server/event_text.h"

#include <doctest/doctest.h>

#include <string>

using namespace pronghorn;
using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace {

std::string text(const ServerEvent& event) {
  std::string out;
  auto added = server::append_event(out, event);
  return added ? out : "refused: " + added.error().message();
}

}  // namespace

TEST_CASE("event stream: an event has its fields, its data last") {
  CHECK(text({.data = "hello"}) == "data: hello\n\n");
  CHECK(text({.data = "1", .event = "add", .id = "7", .retry = 2500ms}) ==
        "event: add\nid: 7\nretry: 2500\ndata: 1\n\n");
  CHECK(text({.data = "", .id = ""}) == "id: \ndata: \n\n");
  CHECK(text({.data = " a: b"}) == "data:  a: b\n\n");
}

TEST_CASE("event stream: data of several lines stays data") {
  CHECK(text({.data = "a\nb"}) == "data: a\ndata: b\n\n");
  CHECK(text({.data = "a\r\nb\rc\n"}) == "data: a\ndata: b\ndata: c\ndata: \n\n");
  CHECK(text({.data = "\n\nid: 9\nevent: evil\n\n"}) ==
        "data: \ndata: \ndata: id: 9\ndata: event: evil\ndata: \ndata: \n\n");
}

TEST_CASE("event stream: what would become another field is refused") {
  CHECK(text({.data = "1", .event = "a\nb"}).starts_with("refused"));
  CHECK(text({.data = "1", .event = "a\rb"}).starts_with("refused"));
  CHECK(text({.data = "1", .id = "a\nb"}).starts_with("refused"));
  CHECK(text({.data = "1", .id = "a\0b"sv}).starts_with("refused"));
  CHECK(text({.data = "\xff"}).starts_with("refused"));
  CHECK(text({.data = "1", .event = "\xc3"}).starts_with("refused"));
  std::string out = "before";
  CHECK_FALSE(server::append_event(out, {.data = "1", .id = "\r"}));
  CHECK(out == "before");
}

TEST_CASE("event stream: every line of a comment is one") {
  std::string out;
  REQUIRE(server::append_comment(out, "a\r\ndata: b"));
  CHECK(out == ": a\n: data: b\n\n");
  CHECK_FALSE(server::append_comment(out, "\xff"));
}
