// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/response_writer.h>

#include "server/answer_state.h"

#include <utility>

namespace pronghorn {

ResponseWriter::ResponseWriter(std::shared_ptr<server::AnswerState> state) noexcept
    : state_(std::move(state)) {}
ResponseWriter::~ResponseWriter() {
  if (state_) state_->drop();
}
ResponseWriter& ResponseWriter::operator=(ResponseWriter&& other) noexcept {
  if (this == &other) return *this;
  auto before = std::exchange(state_, std::move(other.state_));
  if (before) before->drop();
  return *this;
}

namespace {
// Of a writer that was moved from, or has become an UpgradedStream.
std::unexpected<Error> spent() {
  return std::unexpected(Error(Errc::headers_sent, make_error_code(Errc::headers_sent).message()));
}
}  // namespace

Result<void> ResponseWriter::respond(Response response) {
  if (!state_) return spent();
  return state_->respond(std::move(response));
}
Result<void> ResponseWriter::informational(int status, const Headers& headers) {
  if (!state_) return spent();
  return state_->informational(status, headers);
}
Result<void> ResponseWriter::start(Response head, std::optional<std::uint64_t> content_length) {
  if (!state_) return spent();
  return state_->start(std::move(head), content_length);
}
Result<bool> ResponseWriter::write(std::string_view bytes) {
  if (!state_) return spent();
  return state_->write(bytes);
}
Result<void> ResponseWriter::end(const Headers& trailers) {
  if (!state_) return spent();
  return state_->end(trailers);
}
Result<UpgradedStream> ResponseWriter::upgrade(Response head) {
  if (!state_) return spent();
  if (auto taken = state_->upgrade(std::move(head)); !taken) {
    return std::unexpected(taken.error());
  }
  return UpgradedStream(std::move(state_));
}

void ResponseWriter::on_drain(std::function<void()> call) {
  if (state_) state_->set_on_drain(std::move(call));
}
void ResponseWriter::on_close(std::function<void()> call) {
  if (state_) state_->set_on_close(std::move(call));
}
void ResponseWriter::on_client_end(std::function<void()> call) {
  if (state_) state_->set_on_client_end(std::move(call));
}
void ResponseWriter::on_shutdown(std::function<void()> call) {
  if (state_) state_->set_on_shutdown(std::move(call));
}
bool ResponseWriter::is_gone() const noexcept { return !state_ || state_->session == nullptr; }
Loop& ResponseWriter::loop() const noexcept { return *state_->loop; }

}  // namespace pronghorn
