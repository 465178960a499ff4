// SPDX-License-Identifier: Apache-2.0
// Owner and box: libuv needs a handle's memory until the close callback, C++ wants the destructor to be
// the end. The box holds {handle, callback}; its deleter silences the callback and closes; the close
// callback frees the box. So an owner may be destroyed inside its own callback. The only uv_close.
#pragma once

#include <memory>

#include <uv.h>

namespace pronghorn::uv {

/// `Payload` holds what libuv must not outlive: buffers, closures. It is freed with the handle.
template <class Handle, class Payload>
struct Box {
  Handle handle{};
  Payload payload{};
  bool silent = false;  // the owner is gone: no more callbacks

  uv_handle_t* base() noexcept { return reinterpret_cast<uv_handle_t*>(&handle); }
  static Box* of(void* handle_pointer) noexcept {
    return static_cast<Box*>(static_cast<uv_handle_t*>(handle_pointer)->data);
  }
};

template <class Box>
struct CloseBox {
  void operator()(Box* box) const noexcept {
    box->silent = true;
    uv_close(box->base(), [](uv_handle_t* handle) { delete static_cast<Box*>(handle->data); });
  }
};

template <class Box>
using BoxPtr = std::unique_ptr<Box, CloseBox<Box>>;

/// A new box whose handle points back to it. `init` runs libuv's init call; when that fails nothing was
/// registered with the loop, so the box is simply freed and the error (negative errno) returned.
template <class Box, class Init>
BoxPtr<Box> make_box(int& status, Init init) {
  auto box = std::make_unique<Box>();
  status = init(box->handle);
  if (status < 0) return nullptr;
  box->base()->data = box.get();
  return BoxPtr<Box>(box.release());
}

}  // namespace pronghorn::uv
