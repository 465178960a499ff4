// SPDX-License-Identifier: Apache-2.0
#include "server/listen_source.h"

namespace pronghorn::server {
namespace {
constexpr char kKey = 0;  // its address
}  // namespace

ListenSource* ListenSource::of(Loop& loop) noexcept {
  return static_cast<ListenSource*>(loop.attached(&kKey));
}

void ListenSource::set(Loop& loop, ListenSource* source) { loop.attach(&kKey, source); }

}  // namespace pronghorn::server
