// SPDX-License-Identifier: Apache-2.0
#include "base/uv/signal.h"

#include "base/uv/box.h"

#include <cassert>

namespace pronghorn::uv {

struct Signal::Impl : Box<uv_signal_t, std::move_only_function<void()>> {};

void Signal::Close::operator()(Impl* impl) const noexcept { CloseBox<Impl>{}(impl); }

Signal::Signal(Loop& loop, int signum, std::move_only_function<void()> on_signal) {
  int status = 0;
  auto box =
      make_box<Impl>(status, [&](uv_signal_t& h) { return uv_signal_init(loop.native(), &h); });
  assert(box && "uv_loop_init has made the signal pipe: nothing is left to fail");
  impl_.reset(box.release());
  impl_->payload = std::move(on_signal);
  status = uv_signal_start(
      &impl_->handle,
      [](uv_signal_t* handle, int) {
        auto* impl = box_of<Impl>(handle);
        if (!impl->is_silent()) impl->payload();
      },
      signum);
  assert(status == 0 && "not a signal that can be caught");
  uv_unref(impl_->base());
}
Signal::~Signal() = default;
Signal::Signal(Signal&&) noexcept = default;
Signal& Signal::operator=(Signal&&) noexcept = default;

}  // namespace pronghorn::uv
