// SPDX-License-Identifier: Apache-2.0
#include "server/body_state.h"

#include <pronghorn/server/body_stream.h>

#include "server/session.h"

#include <utility>

namespace pronghorn::server {

void BodyState::ask() {
  if (session_ != nullptr) session_->on_body_asked();
}

void BodyState::wake() {
  if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
}

void BodyState::deliver(std::string_view piece, bool last) {
  auto alive = shared_from_this();
  complete_ = last;
  if (piece.empty() && !last) return;  // only framing came
  if (waiter_) {
    buffered_.append(piece);
    return wake();
  }
  if (on_data_ && !piece.empty()) {
    auto call = on_data_;  // it may replace itself
    call(piece);
  }
  if (complete_) tell_end();
}

void BodyState::tell_end() {
  if (!complete_ || told_end_ || paused_ || !buffered_.empty()) return;
  on_data_ = nullptr;
  on_error_ = nullptr;
  if (!on_end_) return;
  told_end_ = true;
  auto call = std::exchange(on_end_, nullptr);
  call();
}

BodyState::OnError BodyState::detach() noexcept {
  session_ = nullptr;
  if (complete_) return nullptr;  // what is buffered may still be taken
  on_data_ = nullptr;
  on_end_ = nullptr;
  return std::exchange(on_error_, nullptr);
}

void BodyState::fail(const Error& error, const OnError& listener) {
  if (complete_ || error_) return;
  auto alive = shared_from_this();
  error_ = error;
  wake();
  if (listener) listener(error);
}

void BodyState::set_on_data(std::function<void(std::string_view)> call) {
  if (error_) return;
  on_data_ = std::move(call);
  resume();
}

void BodyState::set_on_end(std::function<void()> call) {
  if (error_) return;
  on_end_ = std::move(call);
  tell_end();
}

void BodyState::set_on_error(OnError call) {
  if (error_ && call) return call(*error_);
  if (!complete_) on_error_ = std::move(call);
}

void BodyState::resume() {
  auto alive = shared_from_this();
  paused_ = false;
  if (on_data_ && !buffered_.empty()) {
    auto piece = std::exchange(buffered_, {});
    auto call = on_data_;
    call(piece);
  }
  if (complete_) return tell_end();
  if (wants()) ask();
}

std::optional<std::string> BodyState::take() {
  if (!buffered_.empty()) return std::exchange(buffered_, {});
  if (error_) throw BodyAborted(error_->message());
  return std::nullopt;
}

}  // namespace pronghorn::server

namespace pronghorn {

BodyStream::BodyStream(std::shared_ptr<server::BodyState> state) noexcept
    : state_(std::move(state)) {}

void BodyStream::on_data(std::function<void(std::string_view)> call) {
  state_->set_on_data(std::move(call));
}
void BodyStream::on_end(std::function<void()> call) { state_->set_on_end(std::move(call)); }
void BodyStream::on_error(std::function<void(const Error&)> call) {
  state_->set_on_error(std::move(call));
}
void BodyStream::pause() noexcept { state_->pause(); }
void BodyStream::resume() { state_->resume(); }

namespace {
Task<std::optional<std::string>> next_piece(std::shared_ptr<server::BodyState> state) {
  server::BodyState::Wait wait{*state};
  co_await wait;
  co_return state->take();
}
}  // namespace

Task<std::optional<std::string>> BodyStream::read() { return next_piece(state_); }

BodyStream Request::body_stream() const {
  if (body_state_ == nullptr) return BodyStream(std::make_shared<server::BodyState>(body_));
  if (!*body_state_) *body_state_ = std::make_shared<server::BodyState>(body_);
  return BodyStream(*body_state_);
}

}  // namespace pronghorn
