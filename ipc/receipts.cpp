// SPDX-License-Identifier: Apache-2.0
#include "ipc/receipts.h"

#include <utility>

namespace pronghorn::ipc {

void Receipts::settle(std::uint64_t at, const Error* error) {
  for (; due_ < waiting_.size() && waiting_[due_].at <= at; ++due_) {
    if (error != nullptr && waiting_[due_].at == at) waiting_[due_].error = *error;
  }
}

void Receipts::fail(const Error& error) {
  for (; due_ < waiting_.size(); ++due_) waiting_[due_].error = error;
}

std::move_only_function<void()> Receipts::take_due() {
  Entry entry = std::move(waiting_.front());
  waiting_.pop_front();
  --due_;
  return
      [entry = std::move(entry)]() mutable { entry.sent(entry.error ? &*entry.error : nullptr); };
}

}  // namespace pronghorn::ipc
