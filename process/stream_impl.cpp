// SPDX-License-Identifier: Apache-2.0
#include "process/stream_impl.h"

#include <cerrno>

namespace pronghorn::process {

Result<void> Stream::Impl::watch(int descriptor) {
  auto opened =
      uv::Poll::open(loop, descriptor, [this](int events, int error) { on_poll(events, error); });
  if (!opened) return std::unexpected(opened.error());
  poll.emplace(std::move(*opened));
  return {};
}

void Stream::Impl::update() {
  if (!fd) return;
  if (kind == Kind::file) {
    if (wants_read()) read_later();
    return;
  }
  bool writing = !queue.empty();
  poll->want((wants_read() ? uv::Poll::kReadable : 0) | (writing ? uv::Poll::kWritable : 0));
  // What was written leaves before the loop ends, as in Node.
  if (referenced || writing) {
    poll->ref();
  } else {
    poll->unref();
  }
}

void Stream::Impl::on_poll(int events, int error) {
  auto self = shared_from_this();
  // libuv reports EPOLLERR as an error without saying which: the calls themselves do.
  bool readable = error != 0 || (events & uv::Poll::kReadable) != 0;
  bool writable = error != 0 || (events & uv::Poll::kWritable) != 0;
  bool moved = readable && wants_read() && read_some();
  if (writable && !queue.empty() && flush()) moved = true;
  if (error != 0 && !moved && fd) fail(Error::system(EIO, "poll"));
  update();
  settle();
}

void Stream::Impl::settle_later() {
  if (settle_scheduled || gone) return;
  settle_scheduled = true;
  loop.defer([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->settle_scheduled = false;
    self->settle();
  });
}

void Stream::Impl::settle() {
  auto self = shared_from_this();
  auto written = std::exchange(told, {});
  for (Told& one : written) {
    if (gone) return;
    if (silent) break;
    one.written(one.error.get());
  }
  if (std::exchange(drain_due, false)) on_drain.emit();
  if (std::exchange(finish_due, false)) on_finish.emit();
  if (auto error = std::exchange(error_due, nullptr)) on_error.emit(*error);
  if (std::exchange(end_due, false)) finish_reading();
  close_when_done();
  // A listener may have made something due that comes before the close: next time, then.
  bool is_last = told.empty() && !finish_due && !error_due && !end_due;
  if (!close_due || !is_last || gone) return;
  close_due = false;
  on_close.emit();
  if (auto listener = std::exchange(on_gone, {})) listener();
}

void Stream::Impl::close_when_done() {
  bool reading_done = !reads || (read_ended && !end_due);
  bool writing_done = !writes || finished;
  if (fd && reading_done && writing_done) close_fd();
}

void Stream::Impl::close_fd() {
  poll.reset();
  nested.reset();
  fd.reset();
  queue.clear();
  close_due = true;
  settle_later();
  wake_feeders();
}

void Stream::Impl::fail(const Error& error) {
  if (!fd) return;
  error_due = std::make_shared<const Error>(error);
  lose_waiting(error_due);
  end_due = finish_due = drain_due = false;
  close_fd();
}

void Stream::Impl::destroy() {
  if (!fd) return;
  if (!waiters.empty()) {
    lose_waiting(std::make_shared<const Error>(Error::system(ECANCELED, "write")));
  }
  end_due = finish_due = drain_due = false;
  close_fd();
}

void Stream::Impl::abandon() noexcept {
  gone = true;
  // Listeners may own what destroys others: nothing of ours is half done when they go.
  auto lost = std::exchange(waiters, {});
  auto untold = std::exchange(told, {});
  if (fd) close_fd();
  targets.clear();
  drop_listeners();
  if (auto listener = std::exchange(on_gone, {})) loop.defer(std::move(listener));
}

void Stream::Impl::silence() noexcept {
  silent = true;
  auto lost = std::exchange(waiters, {});
  auto untold = std::exchange(told, {});
  drop_listeners();
  if (collector) flow(Flow::flowing);  // nobody is left to resume it
}

void Stream::Impl::drop_listeners() noexcept {
  on_data.clear();
  on_end.clear();
  on_drain.clear();
  on_finish.clear();
  on_close.clear();
  on_error.clear();
}

}  // namespace pronghorn::process
