// SPDX-License-Identifier: Apache-2.0
// Owner and box: libuv needs a handle's memory until the close callback, C++ wants the destructor
// to be the end. The box holds {handle, payload}; its deleter silences the callbacks and closes;
// the close callback frees the box. So an owner may be destroyed inside its own callback. The only
// uv_close.
#pragma once

#include <uv.h>

#include <memory>

namespace pronghorn::uv {

/// `Payload` holds what libuv must not outlive: buffers, closures. It is freed with the handle.
/// Each idle connection has a box: nothing but the two is in it.
template <class Handle, class Payload>
struct Box {
  Box() = default;
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  Handle handle{};
  Payload payload{};

  uv_handle_t* base() noexcept { return reinterpret_cast<uv_handle_t*>(&handle); }
  /// The owner is gone: no more callbacks.
  bool is_silent() const noexcept {
    return uv_is_closing(reinterpret_cast<const uv_handle_t*>(&handle)) != 0;
  }
};

/// The box of a handle that libuv passes to a callback; `Impl` is what make_box() was asked for.
template <class Impl, class Handle>
Impl* box_of(Handle* handle) noexcept {
  return static_cast<Impl*>(handle->data);
}

template <class Impl>
void close_box(Impl* box) noexcept {
  uv_close(box->base(), [](uv_handle_t* closed) { delete box_of<Impl>(closed); });
}

template <class Impl>
struct CloseBox {
  void operator()(Impl* box) const noexcept { close_box(box); }
};

template <class Impl>
using BoxPtr = std::unique_ptr<Impl, CloseBox<Impl>>;

/// A new box whose handle points back to it. `init` runs libuv's init call; when that fails nothing
/// was registered with the loop, so the box is simply freed and the error (negative errno)
/// returned.
template <class Impl, class Init>
BoxPtr<Impl> make_box(int& status, Init init) {
  auto box = std::make_unique<Impl>();
  status = init(box->handle);
  if (status < 0) return nullptr;
  box->base()->data = box.get();
  return BoxPtr<Impl>(box.release());
}

}  // namespace pronghorn::uv
