// SPDX-License-Identifier: Apache-2.0
// Runs a loop until something has happened, with a deadline. For all tests with a loop.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include <uv.h>

#include <cstdint>

namespace pronghorn::testing {

/// @returns false when `done` was not true within 50 seconds: long, as machines are busy. It is
///          asked once a turn: it may consume what it looks at.
template <class Done>
bool run_until(Loop& loop, Done done) {
  // It ticks: what makes `done` true may come just before the loop goes to sleep.
  uv_timer_t awake;
  uv_timer_init(loop.native(), &awake);
  uv_timer_start(&awake, [](uv_timer_t*) {}, 1, 5);
  const std::uint64_t deadline = uv_hrtime() + 50'000'000'000;
  bool in_time = false;
  while (!(in_time = done()) && uv_hrtime() < deadline) uv_run(loop.native(), UV_RUN_ONCE);
  bool closed = false;
  awake.data = &closed;
  uv_close(reinterpret_cast<uv_handle_t*>(&awake),
           [](uv_handle_t* h) { *static_cast<bool*>(h->data) = true; });
  while (!closed) uv_run(loop.native(), UV_RUN_NOWAIT);
  return in_time;
}

/// Turns the loop often enough for anything that is ready to be seen: to show that nothing comes.
inline void turn(Loop& loop, int times = 5) {
  for (int i = 0; i < times; ++i) uv_run(loop.native(), UV_RUN_NOWAIT);
}

}  // namespace pronghorn::testing
