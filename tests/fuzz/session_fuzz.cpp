// SPDX-License-Identifier: Apache-2.0
// One connection's bytes: answered whole and cut into pieces alike, and every answer is
// well-formed: what is sent can be taken apart again without knowing what was asked.
#include <pronghorn/base/counters.h>
#include <pronghorn/server/router.h>

#include "server/date.h"
#include "server/session.h"
#include "server/syntax.h"
#include "tests/fuzz/without_ids.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pronghorn;

namespace {

constexpr std::string_view kInterim = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kFile = "a piece of a file";

void must(bool holds) {
  if (!holds) std::abort();
}

/// What a connection would write.
struct Outcome {
  std::string bytes;
  std::uint64_t requests = 0;
  bool operator==(const Outcome&) const = default;
};

/// No answer's body looks like an answer.
Response hex(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return Response::text(std::move(text));
}

void add_routes(Router& router) {
  auto add = [&](std::string_view method, std::string_view pattern, auto handler) {
    if (!router.add(method, pattern, handler)) std::abort();
  };
  add("*", "/echo", [](const Request& q) { return hex(q.body()); });
  add("GET", "/:name", [](const Request& q) { return hex(q.param("name")); });
  add("GET", "/f", [](const Request&) { return Response().body(FileBody{{}, 0, kFile.size()}); });
}

void serve(server::Session& session, std::string& out) {
  while (!session.wants_input() && !session.wants_close()) {
    if (session.take_file()) {
      out += kFile;
      session.on_file_sent(out);
    } else {
      session.on_writable(out);
    }
  }
}

/// All of one connection.
template <typename NextCut>
Outcome converse(server::SessionContext& context, std::string_view input, NextCut& next_cut) {
  server::Session session(context, "127.0.0.1");
  Outcome seen;
  for (std::size_t at = 0; at < input.size() && !session.wants_close();) {
    std::string piece(input.substr(at, next_cut()));  // so that no view of it may be kept
    at += piece.size();
    session.on_bytes(piece, seen.bytes);
    serve(session, seen.bytes);
  }
  if (!session.wants_close()) session.on_eof(seen.bytes);
  must(session.wants_close() && context.counters.requests_active.get() == 0);
  seen.requests = session.requests();
  // Whether a 100 comes depends on what was here when the head was read.
  for (auto at = seen.bytes.find(kInterim); at != seen.bytes.npos; at = seen.bytes.find(kInterim)) {
    seen.bytes.erase(at, kInterim.size());
  }
  seen.bytes = test::without_ids(std::move(seen.bytes));
  return seen;
}

/// `next_cut` gives the size of each piece.
template <typename NextCut>
Outcome outcome(std::string_view input, NextCut next_cut) {
  Router router;
  add_routes(router);
  config::Limits limits;
  limits.head = 512;
  limits.header_line = 128;
  limits.header_fields = 8;
  limits.uri = 96;
  limits.body = 256;
  limits.pipeline = 4;
  limits.chunk_extensions = 64;
  limits.trailers = 64;
  server::DateCache date;
  date.refresh(0);
  WorkerCounters counters;
  server::SessionContext context{
      .router = router, .limits = limits, .date = date, .counters = counters};
  Outcome seen = converse(context, input, next_cut);
  must(counters.requests.get() == seen.requests);
  // Twice more: heads that came before are not read again.
  auto whole = [&] { return input.size() + 1; };
  must(seen == converse(context, input, whole) && seen == converse(context, input, whole));
  return seen;
}

/// Of an answer's head; 0 when it has none.
std::size_t content_length(std::string_view head) {
  std::size_t length = 0;
  constexpr std::string_view kField = "\r\nContent-Length: ";
  if (auto at = head.find(kField); at != head.npos) {
    head.remove_prefix(at + kField.size());
    must(std::from_chars(head.data(), head.data() + head.size(), length).ec == std::errc());
    must(!head.contains(kField) && !head.contains("\r\nTransfer-Encoding: "));
  }
  return length;
}

/// An answer to HEAD has a length and no body: then the next answer, or the end, follows.
void take_apart(const Outcome& seen) {
  std::string_view rest = seen.bytes;
  std::uint64_t answers = 0;
  for (; !rest.empty(); ++answers) {
    must(rest.starts_with("HTTP/1.1 "));
    auto end = rest.find("\r\n\r\n");
    must(end != rest.npos);
    std::string_view head = rest.substr(0, end + 2);
    rest.remove_prefix(end + 4);
    must(std::ranges::count(head, '\n') == std::ranges::count(head, '\r'));
    std::size_t body = content_length(head);
    if (!rest.empty() && !rest.starts_with("HTTP/1.1 ")) {
      must(rest.size() >= body);
      rest.remove_prefix(body);
    }
    if (head.contains("\r\nConnection: close\r\n")) must(rest.empty());
  }
  must(answers == seen.requests);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Outcome whole = outcome(input, [&] { return size + 1; });
  take_apart(whole);
  must(whole == outcome(input, [] { return 1; }));
  must(whole == outcome(input, [] { return 5; }));
  // Pieces of sizes that the input itself chooses.
  std::size_t next = 0;
  must(whole == outcome(input, [&] { return 1 + data[next++ % size] % 61; }));
  return 0;
}
