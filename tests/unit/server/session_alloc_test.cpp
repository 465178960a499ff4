// SPDX-License-Identifier: Apache-2.0
#include "allocation_count.h"
#include "wire.h"

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("session: answering allocates nothing in the steady state") {
  Wire w;
  w.limits.requests_per_connection = 0;
  std::string browser =
      "GET /hi/some%20one?q=1 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: Mozilla/5.0 (X11; "
      "Linux)\r\n"
      "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip\r\n"
      "Connection: keep-alive\r\n\r\n";
  struct Row {
    const char* what;
    std::string bytes;
  };
  for (const auto& [what, bytes] : {
           Row{"literal", "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"},
           Row{"parameter, decoded", browser},
           Row{"body", "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"},
           Row{"chunked body",
               "POST /form HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               "5\r\nhello\r\n0\r\n\r\n"},
           Row{"not found", "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"},
       }) {
    CAPTURE(what);
    std::string out;
    server::Session whole(w.context, "127.0.0.1");
    server::Session pieces(w.context, "127.0.0.1");
    auto one = [&] {
      out.clear();
      whole.on_bytes(bytes, out);
      pieces.on_bytes(std::string_view(bytes).substr(0, 20), out);
      pieces.on_bytes(std::string_view(bytes).substr(20), out);
    };
    for (int i = 0; i < 10; ++i) one();
    auto before = allocations;
    for (int i = 0; i < 1000; ++i) one();
    CHECK(allocations - before == 0);
    CHECK(whole.phase() == server::Session::Phase::idle);
    CHECK(whole.requests() == 1010);
  }
}
