// SPDX-License-Identifier: Apache-2.0
#include "base/uv/async.h"

#include "base/uv/box.h"

namespace pronghorn::uv {

struct Async::Impl : Box<uv_async_t, std::move_only_function<void()>> {};

void Async::Close::operator()(Impl* impl) const noexcept { CloseBox<Impl>{}(impl); }

Async::Async(Loop& loop, std::move_only_function<void()> on_sent) {
  int status = 0;
  auto box = make_box<Impl>(status, [&](uv_async_t& h) {
    return uv_async_init(loop.native(), &h, [](uv_async_t* handle) {
      auto* impl = box_of<Impl>(handle);
      if (!impl->is_silent()) impl->payload();
    });
  });
  impl_.reset(box.release());  // cannot fail: uv_loop_init opened the loop's eventfd
  impl_->payload = std::move(on_sent);
  uv_unref(impl_->base());
}
Async::~Async() = default;
Async::Async(Async&&) noexcept = default;
Async& Async::operator=(Async&&) noexcept = default;

void Async::send() noexcept { uv_async_send(&impl_->handle); }

}  // namespace pronghorn::uv
