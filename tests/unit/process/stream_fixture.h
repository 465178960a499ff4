// SPDX-License-Identifier: Apache-2.0
// The two ends of a pipe, one of them a Stream that writes down what it tells.
#pragma once

#include "process/pipes.h"
#include "process/stream.h"
#include "tests/unit/base/leaks.h"
#include "tests/unit/base/run_until.h"

#include <doctest/doctest.h>

#include <array>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace pronghorn::test {

using process::PipeKind;
using process::Stream;

struct Rig {
  explicit Rig(Loop& loop, PipeKind kind) {
    auto ends = process::make_pipe(kind);
    REQUIRE(ends.has_value());
    theirs = std::move(ends->theirs);
    // So that a test can look at what is there without waiting for it.
    ::fcntl(theirs.get(), F_SETFL, ::fcntl(theirs.get(), F_GETFL) | O_NONBLOCK);
    auto sides = kind == PipeKind::input    ? Stream::Sides::writable
                 : kind == PipeKind::output ? Stream::Sides::readable
                                            : Stream::Sides::both;
    auto opened = Stream::open(loop, std::move(ends->ours), sides);
    REQUIRE(opened.has_value());
    stream.emplace(std::move(*opened));
    stream->on_end([this] { events += "end "; });
    stream->on_drain([this] { events += "drain "; });
    stream->on_finish([this] { events += "finish "; });
    stream->on_error([this](const Error& e) { events += e.name() + " "; });
    stream->on_close([this] { events += "close "; });
  }
  void collect() {
    stream->on_data([this](std::string_view bytes) { data += bytes; });
  }
  Stream::Written note(std::string name) {
    return [this, name](const Error* e) { events += name + (e ? ":" + e->name() : "") + " "; };
  }
  bool told(std::string_view what) const { return events.find(what) != std::string::npos; }
  /// What the other side can read now.
  std::string take() {
    std::string out;
    std::array<char, 65536> space;
    for (ssize_t n = 0; (n = ::read(theirs.get(), space.data(), space.size())) > 0;) {
      out.append(space.data(), static_cast<std::size_t>(n));
    }
    return out;
  }
  void give(std::string_view bytes) const {
    REQUIRE(::write(theirs.get(), bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
  }

  UniqueFd theirs;
  std::optional<Stream> stream;
  std::string events;
  std::string data;
};

}  // namespace pronghorn::test
