// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/app/cluster_worker.h>

#include "app/cluster_impl.h"

#include <cassert>
#include <utility>

namespace pronghorn {

Worker::Worker(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::uint64_t Worker::id() const noexcept { return impl_->id; }
Worker::State Worker::state() const noexcept { return impl_->state; }
process::ChildProcess& Worker::process() noexcept {
  process::ChildProcess* child = impl_->process();
  assert(child != nullptr && "process() in a worker");
  return *child;
}
process::Parent& Worker::parent() noexcept {
  process::Parent* parent = impl_->parent();
  assert(parent != nullptr && "parent() in the primary");
  return *parent;
}

Result<bool> Worker::send(const Json& message, ipc::Channel::Sent sent) {
  return impl_->send(message, nullptr, std::move(sent));
}
Result<bool> Worker::send(const Json& message, const ipc::Handle& handle, ipc::Channel::Sent sent) {
  return impl_->send(message, &handle, std::move(sent));
}
void Worker::kill(process::Signal signal) { impl_->kill(signal); }
void Worker::disconnect() { impl_->disconnect(); }
bool Worker::is_connected() const noexcept { return impl_->is_connected(); }
bool Worker::is_dead() const noexcept { return impl_->dead; }
bool Worker::exited_after_disconnect() const noexcept { return impl_->exited_after_disconnect; }

void Worker::on_online(std::function<void()> listener) {
  impl_->events.online.add(std::move(listener));
}
void Worker::on_listening(std::function<void(const Address&)> listener) {
  impl_->events.listening.add(std::move(listener));
}
void Worker::on_message(std::function<void(const Json&)> listener) {
  if (!listener) return;
  on_message([listener = std::move(listener)](const Json& message, ipc::ReceivedHandle&) {
    listener(message);
  });
}
void Worker::on_message(std::function<void(const Json&, ipc::ReceivedHandle&)> listener) {
  impl_->events.message.add(std::move(listener));
}
void Worker::on_disconnect(std::function<void()> listener) {
  impl_->events.disconnect.add(std::move(listener));
}
void Worker::on_exit(std::function<void(const process::Exit&)> listener) {
  impl_->events.exit.add(std::move(listener));
}
void Worker::on_error(std::function<void(const Error&)> listener) {
  impl_->events.error.add(std::move(listener));
}

}  // namespace pronghorn
