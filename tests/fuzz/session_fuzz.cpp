// SPDX-License-Identifier: Apache-2.0
// One connection's bytes: answered whole and cut into pieces alike, and every answer is
// well-formed.
#include <pronghorn/base/counters.h>
#include <pronghorn/server/router.h>

#include "server/date.h"
#include "server/session.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pronghorn;

namespace {

std::string answers(std::string_view input, std::size_t step) {
  Router router;
  if (!router.add("*", "/echo",
                  [](const Request& q) { return Response::text(std::string(q.body())); }))
    std::abort();
  if (!router.add("GET", "/:name",
                  [](const Request& q) { return Response::text(std::string(q.param("name"))); }))
    std::abort();
  config::Limits limits;
  limits.head = 512;
  limits.header_line = 128;
  limits.header_fields = 8;
  limits.uri = 96;
  limits.body = 256;
  limits.pipeline = 4;
  server::DateCache date;
  date.refresh(0);
  WorkerCounters counters;
  server::SessionContext context{
      .router = router, .limits = limits, .date = date, .counters = counters};
  server::Session session(context, "127.0.0.1");
  std::string out;
  for (std::size_t at = 0; at < input.size() && !session.wants_close(); at += step) {
    session.on_bytes(input.substr(at, step), out);
    while (!session.wants_input() && !session.wants_close()) session.on_writable(out);
  }
  if (!session.wants_close()) session.on_eof(out);
  if (counters.requests_active.get() != 0) std::abort();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string whole = answers(input, input.size() + 1);
  if (whole != answers(input, 1) || whole != answers(input, 5)) std::abort();
  if (!whole.empty() && !whole.starts_with("HTTP/1.1 ")) std::abort();
  return 0;
}
