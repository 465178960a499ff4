// SPDX-License-Identifier: Apache-2.0
#include "base/uv/timer.h"

#include "base/uv/box.h"

#include <algorithm>

namespace pronghorn::uv {

struct Timer::Impl : Box<uv_timer_t, std::move_only_function<void()>> {};

void Timer::Close::operator()(Impl* impl) const noexcept { CloseBox<Impl>{}(impl); }

Timer::Timer(Loop& loop, std::move_only_function<void()> on_timeout) {
  int status = 0;
  auto box =
      make_box<Impl>(status, [&](uv_timer_t& h) { return uv_timer_init(loop.native(), &h); });
  impl_.reset(box.release());  // uv_timer_init cannot fail
  impl_->payload = std::move(on_timeout);
}
Timer::~Timer() = default;
Timer::Timer(Timer&&) noexcept = default;
Timer& Timer::operator=(Timer&&) noexcept = default;

void Timer::start(Millis delay, Millis repeat) {
  // uv_timer_start counts from the time of this turn, which may be long past: never fire early.
  auto turn_age = monotonic_ms() - static_cast<std::int64_t>(uv_now(impl_->handle.loop));
  uv_timer_start(
      &impl_->handle,
      [](uv_timer_t* handle) {
        auto* impl = box_of<Impl>(handle);
        if (!impl->is_silent()) impl->payload();
      },
      static_cast<std::uint64_t>(std::max<Millis::rep>(delay.count(), 0) +
                                 std::max<Millis::rep>(turn_age, 0)),
      static_cast<std::uint64_t>(std::max<Millis::rep>(repeat.count(), 0)));
}
void Timer::stop() noexcept { uv_timer_stop(&impl_->handle); }
bool Timer::is_active() const noexcept { return uv_is_active(impl_->base()) != 0; }
void Timer::unref() noexcept { uv_unref(impl_->base()); }

}  // namespace pronghorn::uv
