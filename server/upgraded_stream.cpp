// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/upgraded_stream.h>

#include "server/answer_state.h"

#include <utility>

namespace pronghorn {

UpgradedStream::UpgradedStream(std::shared_ptr<server::AnswerState> state) noexcept
    : state_(std::move(state)) {}
UpgradedStream::~UpgradedStream() {
  if (state_) state_->fail();
}
UpgradedStream& UpgradedStream::operator=(UpgradedStream&& other) noexcept {
  if (this == &other) return *this;
  auto before = std::exchange(state_, std::move(other.state_));
  if (before) before->fail();
  return *this;
}

Result<bool> UpgradedStream::write(std::string_view bytes) {
  if (state_) return state_->write_raw(bytes);
  return std::unexpected(
      Error(Errc::stream_destroyed, make_error_code(Errc::stream_destroyed).message()));
}
void UpgradedStream::on_data(std::function<void(std::string_view)> call) {
  if (state_) state_->set_on_data(std::move(call));
}
void UpgradedStream::pause() noexcept {
  if (state_) state_->paused = true;
}
void UpgradedStream::resume() {
  if (!state_) return;
  state_->paused = false;
  state_->tell();
}
void UpgradedStream::on_end(std::function<void()> call) {
  if (state_) state_->set_on_end(std::move(call));
}
void UpgradedStream::on_drain(std::function<void()> call) {
  if (state_) state_->set_on_drain(std::move(call));
}
void UpgradedStream::on_close(std::function<void()> call) {
  if (state_) state_->set_on_close(std::move(call));
}
void UpgradedStream::on_shutdown(std::function<void()> call) {
  if (state_) state_->set_on_shutdown(std::move(call));
}

void UpgradedStream::end() {
  if (state_) state_->shut();
}
void UpgradedStream::destroy() {
  if (state_) state_->destroy();
}
bool UpgradedStream::is_gone() const noexcept { return !state_ || state_->session == nullptr; }
Loop& UpgradedStream::loop() const noexcept { return *state_->loop; }

}  // namespace pronghorn
