// SPDX-License-Identifier: Apache-2.0
// A session on byte strings: what a connection would do, without one.
#pragma once

#include <pronghorn/base/counters.h>
#include <pronghorn/server/date.h>
#include <pronghorn/server/router.h>

#include "server/access_log.h"
#include "server/request_id.h"
#include "server/session.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::test {

struct Answer {
  int status = 0;
  std::string head, body;
  bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

/// What "/hello" of a Wire answers, without_date().
inline const std::string kHello =
    "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nDate: -\r\nContent-Length: 6\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nConnection: keep-alive\r\n\r\nhello\n";

/// What came out of a session for some input.
struct Outcome {
  std::string bytes;  // as written, with the date replaced; a file's bytes as FILE(offset,length)
  bool closes = false;
  bool lingers = false;
  server::Session::Phase phase = server::Session::Phase::idle;
  bool operator==(const Outcome&) const = default;
};

/// Without what differs from run to run: the date, and how requests are called (RequestId), whose
/// bytes a Content-Length counts.
inline std::string without_date(std::string text) {
  const auto replace = [&text](std::string_view mark, std::size_t size, const std::string& by) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
      text.replace(at + mark.size(), size, by);
    }
  };
  replace("\r\nDate: ", 29, "-");
  for (std::string_view mark : {"<p>Request ", " (request ", "\"request_id\":\""}) {
    replace(mark, server::RequestId::kSize, std::string(server::RequestId::kSize, '-'));
  }
  return text;
}

struct Wire {
  config::Limits limits;
  server::DateCache date;
  WorkerCounters counters;
  Router router;
  server::SessionContext context{
      .router = router, .limits = limits, .date = date, .counters = counters};
  int calls = 0;  // of handlers

  Wire() {
    add("GET", "/hello", [](const Request&) { return Response::text("hello\n"); });
    add("*", "/echo", [](const Request& q) {
      return Response().type("application/octet-stream").body(std::string(q.body()));
    });
    add("GET", "/hi/:name",
        [](const Request& q) { return Response::text(std::string(q.param("name"))); });
    add("GET", "/see", [](const Request& q) {
      std::string text = std::string(q.method()) + "|" + std::string(q.target()) + "|" +
                         std::string(q.path()) + "|" + std::string(q.query()) + "|" +
                         std::string(q.host());
      for (const Field& f : q.headers())
        text += "|" + std::string(f.name) + "=" + std::string(f.value);
      return Response::text(text);
    });
    add("POST", "/form", [](const Request& q) { return Response::text(std::string(q.body())); });
    add("GET", "/throw", [](const Request&) -> Response { throw std::runtime_error("oh\r\nno"); });
    add("GET", "/throw-int", [](const Request&) -> Response { throw 7; });
    add("GET", "/file", [](const Request&) { return Response().body(FileBody{{}, 3, 1000}); });
    add("GET", "/empty-file", [](const Request&) { return Response().body(FileBody{{}, 0, 0}); });
  }

  void add(std::string_view method, std::string_view pattern, Handler::Value handler) {
    auto counted = [this, handler = std::move(handler)](const Request& q) mutable {
      ++calls;
      return handler(q);
    };
    REQUIRE(router.add(method, pattern, std::move(counted)));
  }

  /// Feeds a piece and does what a connection does with the answers.
  static void feed(server::Session& session, std::string_view piece, std::string& out) {
    if (session.wants_input()) session.on_bytes(piece, out);
    serve(session, out);
  }
  static void serve(server::Session& session, std::string& out) {
    while (session.phase() == server::Session::Phase::answering) {
      if (auto file = session.take_file()) {
        out += "FILE(" + std::to_string(file->offset) + "," + std::to_string(file->length) + ")";
        session.on_file_sent(out);
      } else {
        session.on_writable(out);
      }
    }
  }
  static Outcome outcome(const server::Session& session, std::string out) {
    return {without_date(std::move(out)), session.wants_close(), session.needs_linger(),
            session.phase()};
  }

  Outcome run(const std::vector<std::string_view>& pieces, bool eof = false) {
    server::Session session(context, "127.0.0.1");
    std::string out;
    for (std::string_view piece : pieces) feed(session, piece, out);
    if (eof) session.on_eof(out);
    return outcome(session, std::move(out));
  }

  /// The outcome of the bytes in one piece; cut in two at every place and byte by byte it must be
  /// the same.
  Outcome run_all_ways(std::string_view bytes, bool eof = false) {
    Outcome whole = run({bytes}, eof);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      Outcome split = run({bytes.substr(0, cut), bytes.substr(cut)}, eof);
      CAPTURE(cut);
      check_same(whole, split);
    }
    std::vector<std::string_view> singles;
    for (std::size_t i = 0; i < bytes.size(); ++i) singles.push_back(bytes.substr(i, 1));
    check_same(whole, run(singles, eof));
    return whole;
  }

  static void check_same(const Outcome& whole, Outcome split) {
    constexpr std::string_view interim =
        "HTTP/1.1 100 Continue\r\n\r\n";  // depends on what was here
    auto strip = [&](std::string text) {
      for (auto at = text.find(interim); at != std::string::npos; at = text.find(interim)) {
        text.erase(at, interim.size());
      }
      return text;
    };
    CHECK(strip(whole.bytes) == strip(split.bytes));
    CHECK(whole.closes == split.closes);
    CHECK(whole.phase == split.phase);
  }
};

/// Takes final answers apart. HEAD's have no body: say which ones they are.
inline std::vector<Answer> answers(std::string_view bytes, std::string_view methods = {}) {
  std::vector<Answer> all;
  while (!bytes.empty()) {
    auto end = bytes.find("\r\n\r\n");
    REQUIRE(end != std::string_view::npos);
    Answer a;
    a.head = bytes.substr(0, end + 2);
    REQUIRE(a.head.starts_with("HTTP/1.1 "));
    a.status = std::stoi(a.head.substr(9, 3));
    bytes.remove_prefix(end + 4);
    if (a.status == 100) continue;
    bool is_head = all.size() < methods.size() && methods[all.size()] == 'H';
    auto at = a.head.find("\r\nContent-Length: ");
    if (!is_head && at != std::string::npos) {
      auto length = std::stoull(a.head.substr(at + 18));
      REQUIRE(bytes.size() >= length);
      a.body = bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
    all.push_back(std::move(a));
  }
  return all;
}

inline std::vector<int> statuses(std::string_view bytes, std::string_view methods = {}) {
  std::vector<int> all;
  for (const Answer& a : answers(bytes, methods)) all.push_back(a.status);
  return all;
}

}  // namespace pronghorn::test
