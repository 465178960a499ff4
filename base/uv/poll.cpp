// SPDX-License-Identifier: Apache-2.0
#include "base/uv/poll.h"

#include "base/uv/box.h"

namespace pronghorn::uv {

struct Poll::Impl : Box<uv_poll_t, Poll::Callback> {
  int wanted = 0;
};

void Poll::Close::operator()(Impl* impl) const noexcept { CloseBox<Impl>{}(impl); }

Result<Poll> Poll::open(Loop& loop, int fd, Callback callback) {
  int status = 0;
  auto box =
      make_box<Impl>(status, [&](uv_poll_t& h) { return uv_poll_init(loop.native(), &h, fd); });
  if (status < 0) return std::unexpected(Error::system(-status, "cannot watch a descriptor"));
  box->payload = std::move(callback);
  return Poll(std::unique_ptr<Impl, Close>(box.release()));
}
Poll::Poll(std::unique_ptr<Impl, Close> impl) : impl_(std::move(impl)) {}
Poll::~Poll() = default;
Poll::Poll(Poll&&) noexcept = default;
Poll& Poll::operator=(Poll&&) noexcept = default;

void Poll::want(int events) {
  if (events == impl_->wanted) return;
  impl_->wanted = events;
  if (events == 0) {
    uv_poll_stop(&impl_->handle);
    return;
  }
  uv_poll_start(&impl_->handle, events, [](uv_poll_t* handle, int status, int ready) {
    auto* impl = box_of<Impl>(handle);
    if (impl->is_silent()) return;
    if (status < 0) impl->wanted = 0;  // libuv stopped the handle
    impl->payload(status < 0 ? 0 : ready, status < 0 ? -status : 0);
  });
}
int Poll::wanted() const noexcept { return impl_->wanted; }
void Poll::unref() noexcept { uv_unref(impl_->base()); }
void Poll::ref() noexcept { uv_ref(impl_->base()); }

}  // namespace pronghorn::uv
