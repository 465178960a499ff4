// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/child_process.h>

#include "process/child_state.h"

#include <utility>

namespace pronghorn::process {

ChildProcess::ChildProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  // The old child's last listeners run no more once this has returned.
  ChildProcess old(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}
ChildProcess::~ChildProcess() {
  if (state_) state_->abandon();
}

std::optional<int> ChildProcess::pid() const noexcept { return state_->pid; }
Stream& ChildProcess::in() noexcept { return state_->slots[0].stream; }
Stream& ChildProcess::out() noexcept { return state_->slots[1].stream; }
Stream& ChildProcess::err() noexcept { return state_->slots[2].stream; }
Stream* ChildProcess::stdio(std::size_t n) noexcept {
  bool piped = n < state_->slots.size() && state_->slots[n].is_pipe;
  return piped ? &state_->slots[n].stream : nullptr;
}

std::optional<int> ChildProcess::exit_code() const noexcept {
  return state_->exit ? state_->exit->code : std::nullopt;
}
std::optional<int> ChildProcess::signal_code() const noexcept {
  return state_->exit ? state_->exit->signal : std::nullopt;
}
bool ChildProcess::killed() const noexcept { return state_->killed; }
const std::string& ChildProcess::spawnfile() const noexcept { return state_->command.file; }
const std::vector<std::string>& ChildProcess::spawnargs() const noexcept {
  return state_->command.argv;
}

Result<bool> ChildProcess::kill(Signal signal) { return state_->kill(signal); }
Result<std::size_t> ChildProcess::kill_tree(Signal signal) { return state_->kill_tree(signal); }

Result<bool> ChildProcess::send(const Json& message, ipc::Channel::Sent sent) {
  return state_->send(message, nullptr, std::move(sent));
}
Result<bool> ChildProcess::send(const Json& message, const ipc::Handle& handle,
                                ipc::Channel::Sent sent) {
  return state_->send(message, &handle, std::move(sent));
}
void ChildProcess::disconnect() { state_->disconnect(); }
bool ChildProcess::connected() const noexcept { return state_->channel.connected(); }
ipc::Channel* ChildProcess::channel() noexcept { return state_->channel.channel(); }

void ChildProcess::ref() noexcept {
  if (state_->reaper) state_->reaper->ref();
}
void ChildProcess::unref() noexcept {
  if (state_->reaper) state_->reaper->unref();
}

void ChildProcess::on_spawn(std::move_only_function<void()> listener) {
  state_->events.spawn.add(std::move(listener));
}
void ChildProcess::on_error(std::move_only_function<void(const Error&)> listener) {
  state_->events.error.add(std::move(listener));
}
void ChildProcess::on_exit(std::move_only_function<void(const Exit&)> listener) {
  state_->events.exit.add(std::move(listener));
}
void ChildProcess::on_close(std::move_only_function<void(const Exit&)> listener) {
  state_->events.close.add(std::move(listener));
}
void ChildProcess::on_disconnect(std::move_only_function<void()> listener) {
  state_->channel.disconnects.add(std::move(listener));
}
void ChildProcess::on_message(std::function<void(const Json&)> listener) {
  if (!listener) return;
  on_message([listener = std::move(listener)](const Json& message, ipc::ReceivedHandle&) {
    listener(message);
  });
}
void ChildProcess::on_message(std::function<void(const Json&, ipc::ReceivedHandle&)> listener) {
  if (listener) state_->channel.messages.listen(std::move(listener));
}
void ChildProcess::on_internal(std::function<void(const Json&, ipc::ReceivedHandle&)> listener) {
  state_->channel.internals.add(std::move(listener));
}

void ChildProcessAccess::hold(ChildProcess& child, ChildHooks hooks) {
  child.state_->hold(std::move(hooks));
}
const Error* ChildProcessAccess::start_error(const ChildProcess& child) noexcept {
  return child.state_->start_error ? &*child.state_->start_error : nullptr;
}
ChildProcessAccess::State& ChildProcessAccess::state(ChildProcess& child) noexcept {
  return *child.state_;
}
ChildProcess ChildProcessAccess::make(std::shared_ptr<State> state) {
  return ChildProcess(std::move(state));
}
ChildProcess ChildProcessAccess::failed(Loop& loop, Command command, Error why) {
  auto state = std::make_shared<State>(loop, std::move(command), 0);
  state->reserve_streams(3);
  state->fail_start(std::move(why));
  return make(std::move(state));
}

}  // namespace pronghorn::process
