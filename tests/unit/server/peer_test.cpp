// SPDX-License-Identifier: Apache-2.0
#include "server/peer.h"

#include "wire.h"

#include <doctest/doctest.h>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

// A text of each kind of address; the last two do not fit into the object.
constexpr std::string_view kTexts[] = {"",
                                       "unix",
                                       "127.0.0.1",
                                       "255.255.255.255",
                                       "2001:db8::a:1234",
                                       "2001:db8::ab:1234",
                                       "2001:db8:1111:2222:3333:4444:5555:6666"};

}  // namespace

TEST_CASE("peer: the text that is kept is the text that was given") {
  CHECK(sizeof(server::PeerText) == 17);
  for (std::string_view text : kTexts) {
    std::string given(text);
    server::PeerText kept(given);
    given.assign(given.size(), '?');
    CHECK(kept.view() == text);
  }
  // Nothing is longer than an address.
  CHECK(server::PeerText(std::string(300, 'x')).view() == std::string(INET6_ADDRSTRLEN, 'x'));
}

TEST_CASE("peer: handlers see the client's whole address") {
  Wire w;
  w.add("GET", "/peer", [](const Request& q) { return Response::text(std::string(q.peer())); });
  for (std::string_view text : kTexts) {
    server::Session session(w.context, text);
    std::string out;
    session.on_bytes("GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n", out);
    CHECK(answers(out).front().body == text);
  }
}
