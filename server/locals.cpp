// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/locals.h>

namespace pronghorn {

Locals::Node::~Node() = default;

Locals::Node* Locals::find(const std::type_info& type) const noexcept {
  for (Node* node = first_.get(); node != nullptr; node = node->next.get()) {
    if (node->type == type) return node;
  }
  return nullptr;
}

/// What ends is out of the list by then: its destructor may look here.
void Locals::put(std::unique_ptr<Node> node) {
  std::unique_ptr<Node> before;
  for (auto* at = &first_; *at; at = &(*at)->next) {
    if ((*at)->type != node->type) continue;
    before = std::move(*at);
    *at = std::move(before->next);
    break;
  }
  node->next = std::move(first_);
  first_ = std::move(node);
}

void Locals::end_all() noexcept {
  while (first_) {
    auto last = std::move(first_);
    first_ = std::move(last->next);
  }
}

}  // namespace pronghorn
