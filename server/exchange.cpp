// SPDX-License-Identifier: Apache-2.0
#include "server/exchange.h"

#include "server/answer_state.h"
#include "server/body_state.h"
#include "server/session.h"

#include <algorithm>
#include <span>
#include <utility>

namespace pronghorn::server {
namespace {

// Enough for what is in hand at once in one turn; a burst's memory goes back to the allocator.
constexpr std::size_t kKept = 64;
constexpr std::size_t kKeptCapacity = 64 * 1024;  // of each buffer

inline void trim(std::string& buffer) noexcept {
  buffer.clear();
  if (buffer.capacity() > kKeptCapacity) std::string().swap(buffer);
}

}  // namespace

// `request` is filled anew for each that needs it; where its id is never changes.
Exchange::Exchange(bool trusts_ids) : id(trusts_ids) { RequestBuilder{request}.id(&id); }

void Exchange::keep_head() {
  if (head_view.data() == head.data()) return;
  is_built = false;
  head.assign(head_view);
  for (Field& field : parser.fields()) {
    auto moved = [&](std::string_view view) -> std::string_view {
      if (view.data() == nullptr) return {};
      return {head.data() + (view.data() - head_view.data()), view.size()};
    };
    field = {moved(field.name), moved(field.value)};
  }
  head_view = head;
}

bool Exchange::comes_again() noexcept {
  std::string_view begin = head_view.substr(0, last_begin.size());
  if (last_size == head_view.size() &&
      std::ranges::equal(begin, std::span(last_begin).first(begin.size())))
    return true;
  last_size = static_cast<std::uint32_t>(head_view.size());
  begin.copy(last_begin.data(), begin.size());
  return false;
}

std::unique_ptr<Exchange> ExchangePool::take() {
  if (free_ == nullptr) return std::make_unique<Exchange>(trusts_ids_);
  --count_;
  return std::unique_ptr<Exchange>(std::exchange(free_, free_->next));
}

void ExchangePool::give_back(std::unique_ptr<Exchange> exchange) noexcept {
  if (count_ >= kKept) return;
  Exchange& ex = *exchange;
  RequestBuilder::end(ex.locals);
  if (ex.head.capacity() > kKeptCapacity) ex.known = false;
  if (!ex.known) trim(ex.head);
  trim(ex.pending);
  trim(ex.parser.store);
  trim(ex.sent.head);
  ex.source.reset();
  ex.pending_at = 0;
  ex.body_state.reset();
  ex.next = std::exchange(free_, exchange.release());
  ++count_;
}

ExchangePool::~ExchangePool() {
  while (free_ != nullptr) delete std::exchange(free_, free_->next);
}

std::shared_ptr<ExchangePool> make_exchange_pool(bool trusts_ids) {
  return std::make_shared<ExchangePool>(trusts_ids);
}

}  // namespace pronghorn::server
