// SPDX-License-Identifier: Apache-2.0
// The listeners of one event, called in the order in which they were added (Node's EventEmitter).
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace pronghorn {

/// `Function` is std::move_only_function<void(Args…)>, or std::function where gcc 12 needs it. A
/// listener may add others (called from the next emit on). Whoever emits keeps this object alive
/// until emit() returns.
template <class Function>
class Listeners {
 public:
  void add(Function listener) {
    if (listener) (emitting_ > 0 ? added_ : listeners_).push_back(std::move(listener));
  }
  bool empty() const noexcept { return listeners_.empty() && added_.empty(); }

  template <class... Args>
  void emit(Args&&... args) {
    ++emitting_;
    // clear() during the emit stops it: the closures stay until the end, as one of them runs.
    for (std::size_t i = 0; i < listeners_.size() && !cleared_; ++i) listeners_[i](args...);
    if (--emitting_ > 0) return;
    if (std::exchange(cleared_, false)) listeners_.clear();
    for (auto& listener : added_) listeners_.push_back(std::move(listener));
    added_.clear();
  }

  /// No listener is called any more, also when one of them runs now.
  void clear() {
    added_.clear();
    if (emitting_ > 0) {
      cleared_ = true;
    } else {
      listeners_.clear();
    }
  }

 private:
  std::vector<Function> listeners_;
  std::vector<Function> added_;
  int emitting_ = 0;
  bool cleared_ = false;
};

}  // namespace pronghorn
