// SPDX-License-Identifier: Apache-2.0
// Owner and box: libuv needs a handle's memory until the close callback, C++ wants the destructor
// to be the end. The box holds {handle, payload}; its deleter silences the callbacks and closes;
// the close callback frees the box. So an owner may be destroyed inside its own callback. The only
// uv_close.
#pragma once

#include <uv.h>

#include <memory>

namespace pronghorn::uv {

/// What every box is to the loop: something that may be silent, and that the close callback frees.
struct BoxBase {
  BoxBase() = default;
  virtual ~BoxBase() = default;
  BoxBase(const BoxBase&) = delete;
  BoxBase& operator=(const BoxBase&) = delete;

  bool silent = false;  // the owner is gone: no more callbacks
};

/// `Payload` holds what libuv must not outlive: buffers, closures. It is freed with the handle.
template <class Handle, class Payload>
struct Box : BoxBase {
  Handle handle{};
  Payload payload{};

  uv_handle_t* base() noexcept { return reinterpret_cast<uv_handle_t*>(&handle); }
};

/// The box of a handle that libuv passes to a callback. `data` is a BoxBase*, whatever the handle
/// is.
template <class Impl, class Handle>
Impl* box_of(Handle* handle) noexcept {
  return static_cast<Impl*>(static_cast<BoxBase*>(handle->data));
}

inline void close_box(uv_handle_t* handle) noexcept {
  static_cast<BoxBase*>(handle->data)->silent = true;
  uv_close(handle, [](uv_handle_t* closed) { delete static_cast<BoxBase*>(closed->data); });
}

template <class Impl>
struct CloseBox {
  void operator()(Impl* box) const noexcept { close_box(box->base()); }
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
  box->base()->data = static_cast<BoxBase*>(box.get());
  return BoxPtr<Impl>(box.release());
}

}  // namespace pronghorn::uv
