// SPDX-License-Identifier: Apache-2.0
// A session whose handlers answer later, on byte strings: a connection that writes all at once and
// does what the session asks of it.
#pragma once

#include "wire.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::test {

struct Later : Wire {
  /// Writers that handlers left, by name.
  std::map<std::string, ResponseWriter> writers;

  template <class H>
  void on(std::string_view method, std::string_view pattern, H handler, RouteOptions options = {}) {
    REQUIRE(router.add(method, pattern, options, Handler(std::move(handler))));
  }
};

/// One connection. Bytes wait outside while the session does not want them.
class Talk final : private server::SessionOwner {
 public:
  explicit Talk(Later& later) : session(later.context, "127.0.0.1"), context_(later.context) {}

  void send(std::string_view bytes) {
    waiting_.append(bytes);
    settle();
  }
  void finish_sending() {
    eof_ = true;
    settle();
  }
  /// Until nothing moves any more.
  void settle() {
    context_.owner = this;
    for (bool moved = true; moved;) {
      moved = false;
      if (told_) {
        told_ = false;
        session.on_output(out);
        moved = true;
      } else if (auto file = session.take_file()) {
        out += "FILE(" + std::to_string(file->offset) + "," + std::to_string(file->length) + ")";
        session.on_file_sent(out);
        moved = true;
      } else if (unsent == 0 && session.wants_writable()) {
        session.on_writable(out);
        moved = true;
      } else if (!waiting_.empty() && session.wants_input()) {
        session.on_bytes(std::exchange(waiting_, {}), out);
        moved = true;
      } else if (waiting_.empty() && eof_ && !eof_told_ && !session.wants_close()) {
        eof_told_ = true;
        session.on_eof(out);
        moved = true;
      }
    }
  }
  std::string text() const { return without_date(out); }
  std::size_t kept_outside() const { return waiting_.size(); }

  server::Session session;
  std::string out;
  std::size_t unsent = 0;

 private:
  void on_output() noexcept override { told_ = true; }
  std::size_t unsent_output() const noexcept override { return unsent; }

  server::SessionContext& context_;
  std::string waiting_;
  bool told_ = false, eof_ = false, eof_told_ = false;
};

inline int count_of_text(std::string_view text, std::string_view what) {
  int n = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

/// The bytes whole, cut in two at every place, and byte by byte: the same comes out.
inline std::string all_ways(const std::function<void(Later&)>& routes, std::string_view bytes,
                            bool eof = false) {
  auto run = [&](const std::vector<std::string_view>& pieces) {
    Later later;
    routes(later);
    Talk talk(later);
    for (std::string_view piece : pieces) talk.send(piece);
    if (eof) talk.finish_sending();
    return talk.text() + (talk.session.wants_close() ? "|closes" : "") +
           (talk.session.needs_reset() ? "|resets" : "");
  };
  std::string whole = run({bytes});
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    CAPTURE(cut);
    CHECK(run({bytes.substr(0, cut), bytes.substr(cut)}) == whole);
  }
  std::vector<std::string_view> singles;
  for (std::size_t i = 0; i < bytes.size(); ++i) singles.push_back(bytes.substr(i, 1));
  CHECK(run(singles) == whole);
  return whole;
}

}  // namespace pronghorn::test
