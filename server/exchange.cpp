// SPDX-License-Identifier: Apache-2.0
#include "server/exchange.h"

#include "server/answer_state.h"
#include "server/body_state.h"
#include "server/session.h"

#include <utility>

namespace pronghorn::server {
namespace {

// Enough for what is in hand at once in one turn; a burst's memory goes back to the allocator.
constexpr std::size_t kKept = 64;
constexpr std::size_t kKeptCapacity = 64 * 1024;  // of each buffer

void trim(std::string& buffer) noexcept {
  buffer.clear();
  if (buffer.capacity() > kKeptCapacity) std::string().swap(buffer);
}

}  // namespace

void Exchange::keep_head() {
  if (head_view.data() == head.data()) return;
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

std::unique_ptr<Exchange> ExchangePool::take() {
  if (!free_) return std::make_unique<Exchange>();
  --count_;
  auto exchange = std::move(free_);
  free_ = std::move(exchange->next);
  return exchange;
}

void ExchangePool::give_back(std::unique_ptr<Exchange> exchange) noexcept {
  if (count_ >= kKept) return;
  RequestBuilder::end(exchange->locals);
  trim(exchange->head);
  trim(exchange->pending);
  trim(exchange->parser.store);
  trim(exchange->sent.head);
  exchange->source.reset();
  exchange->pending_at = 0;
  exchange->body_state.reset();
  exchange->next = std::move(free_);
  free_ = std::move(exchange);
  ++count_;
}

ExchangePool::~ExchangePool() {
  while (free_) free_ = std::move(free_->next);  // not a recursion of destructors
}

std::shared_ptr<ExchangePool> make_exchange_pool() { return std::make_shared<ExchangePool>(); }

}  // namespace pronghorn::server
