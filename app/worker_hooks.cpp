// SPDX-License-Identifier: Apache-2.0
#include "app/worker_hooks.h"

#include "base/log.h"

#include <exception>

namespace pronghorn::app {

Result<void> WorkerHooks::call_start() {
  try {
    for (auto& call : start) {
      if (auto done = call(); !done) return done;
    }
  } catch (const std::exception& error) {
    return std::unexpected(Error(error.what()));
  } catch (...) {
    return std::unexpected(Error("on_start threw what is not a std::exception"));
  }
  return {};
}

void WorkerHooks::call_stop() noexcept {
  for (auto call = stop.rbegin(); call != stop.rend(); ++call) {
    try {
      (*call)();
    } catch (const std::exception& error) {
      log::error("on_stop failed", {{"error", error.what()}});
    } catch (...) {
      log::error("on_stop failed", {{"error", "not a std::exception"}});
    }
  }
}

}  // namespace pronghorn::app
