// SPDX-License-Identifier: Apache-2.0
// A Master on a real loop, with tests/tools/fake_worker.cpp as its workers.
#pragma once

#include "base/uv/timer.h"
#include "master/control_client.h"
#include "master/master.h"
#include "master/status.h"
#include "support.h"

#include <doctest/doctest.h>

#include <functional>
#include <future>
#include <optional>
#include <utility>

namespace pronghorn::test {

struct MasterRig {
  /// With a control socket of its own.
  void start(master::Master::Options options) {
    options.config.control = folder / "control.sock";
    options.exec_path = PRONGHORN_FAKE_WORKER;
    options.on_ready = [this](const master::Master::Ready& r) {
      ready = r;
      ++ready_calls;
    };
    master.emplace(loop, std::move(options));
    auto started = master->start();
    REQUIRE_MESSAGE(started, started.error().text);
  }
  void wait_ready() {
    REQUIRE(run_until(loop, [this] { return ready_calls > 0; }));
  }
  master::ServerStatus status() {
    auto answer = std::async(std::launch::async, [&] {
      return master::ask(folder / "control.sock", "status", Millis(10'000));
    });
    REQUIRE(
        run_until(loop, [&] { return answer.wait_for(Millis(0)) == std::future_status::ready; }));
    auto text = answer.get();
    REQUIRE_MESSAGE(text, text.error().message());
    return master::parse_status(*text).value();
  }
  bool wait_status(const std::function<bool(const master::ServerStatus&)>& wanted,
                   Millis limit = Millis(20'000)) {
    auto end = Clock::now() + limit;
    while (Clock::now() < end) {
      if (wanted(status())) return true;
    }
    return false;
  }
  /// Runs until the master has stopped the loop.
  int finish(Millis limit = Millis(20'000)) {
    uv::Timer guard(loop, [this] { loop.stop(), late = true; });
    guard.start(limit);
    int code = loop.run();
    CHECK(!late);
    return code;
  }

  Folder folder;
  Loop loop;
  std::optional<master::Master> master;
  master::Master::Ready ready;
  int ready_calls = 0;
  bool late = false;
};

}  // namespace pronghorn::test
