// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/timer.h>
#include <pronghorn/server/event_stream.h>

#include "server/event_text.h"

#include <cerrno>
#include <utility>

namespace pronghorn {
namespace {

std::unexpected<Error> ended() {
  return std::unexpected(
      Error(std::error_code(EPIPE, std::generic_category()), "the event stream has ended"));
}

}  // namespace

/// Owned by the user's handles alone: the writer's callbacks and the timer only look for it.
struct EventStream::Impl : std::enable_shared_from_this<EventStream::Impl> {
  Impl(ResponseWriter w, EventStreamOptions o, std::string_view last)
      : writer(std::move(w)), options(std::move(o)), last_event_id(last) {}
  ~Impl() {
    if (open) (void)writer.end();
  }

  void listen() {
    open = true;
    std::weak_ptr<Impl> weak = weak_from_this();
    writer.on_drain([weak] {
      if (auto self = weak.lock()) self->drained();
    });
    writer.on_close([weak] {
      if (auto self = weak.lock()) self->finish(false);
    });
    // EventSource never ends its side first: it is the client's leaving.
    writer.on_client_end([weak] {
      if (auto self = weak.lock()) self->finish(true);
    });
    writer.on_shutdown([weak] {
      if (auto self = weak.lock()) self->finish(true);
    });
    if (options.keep_alive <= Millis(0)) return;
    timer.emplace(writer.loop(), [this] {
      auto self = shared_from_this();
      (void)write(":\n\n");
    });
    timer->start(options.keep_alive);
  }

  Result<bool> write(std::string_view text) {
    if (!open) return ended();
    auto written = writer.write(text);
    if (!written) return written;
    if (!*written) waiting += text.size();
    if (waiting > options.send_limit) {
      finish(false);
      return ended();
    }
    if (timer) timer->start(options.keep_alive);
    return written;
  }

  void drained() {
    waiting = 0;
    if (auto call = drain_call) (*call)();
  }

  /// `whole`: the body ends as it should; else the connection is cut.
  void finish(bool whole) {
    if (!std::exchange(open, false)) return;
    timer.reset();
    if (whole) (void)writer.end();
    drain_call = nullptr;
    if (!whole && !writer.is_gone()) {
      ResponseWriter dropped = std::move(writer);
    }
    // From the loop, as the end may be the work of a callback.
    if (auto call = std::exchange(close_call, nullptr)) {
      loop.defer([call] { (*call)(); });
    }
  }

  ResponseWriter writer;
  Loop& loop = writer.loop();
  EventStreamOptions options;
  std::string last_event_id;
  std::optional<uv::Timer> timer;
  std::shared_ptr<std::function<void()>> drain_call, close_call;
  std::size_t waiting = 0;  // bytes that were sent since the writer said stop
  bool open = false;
};

Result<EventStream> EventStream::start(const Request& request, ResponseWriter writer,
                                       EventStreamOptions options) {
  Response head(200);
  head.type("text/event-stream").header("Cache-Control", "no-cache");
  // nginx, and what follows its example, would collect the events.
  head.header("X-Accel-Buffering", "no");
  for (Response::Header& field : options.headers) {
    head.header(std::move(field.name), std::move(field.value));
  }
  options.headers.clear();
  if (auto started = writer.start(std::move(head)); !started) {
    return std::unexpected(started.error());
  }
  const bool is_head = request.method() == "HEAD";
  auto impl = std::make_shared<Impl>(std::move(writer), std::move(options),
                                     request.header("last-event-id"));
  if (is_head) {
    (void)impl->writer.end();
  } else {
    impl->listen();
  }
  return EventStream(std::move(impl));
}

Result<bool> EventStream::send(const ServerEvent& event) {
  std::string text;
  if (auto made = server::append_event(text, event); !made) return std::unexpected(made.error());
  return impl_->write(text);
}

Result<bool> EventStream::comment(std::string_view text) {
  std::string lines;
  if (auto made = server::append_comment(lines, text); !made) {
    return std::unexpected(made.error());
  }
  return impl_->write(lines);
}

void EventStream::end() { impl_->finish(true); }

void EventStream::on_drain(std::function<void()> call) {
  if (is_open()) impl_->drain_call = std::make_shared<std::function<void()>>(std::move(call));
}

void EventStream::on_close(std::function<void()> call) {
  if (is_open()) impl_->close_call = std::make_shared<std::function<void()>>(std::move(call));
}

bool EventStream::is_open() const noexcept { return impl_->open; }
const std::string& EventStream::last_event_id() const noexcept { return impl_->last_event_id; }
Loop& EventStream::loop() const noexcept { return impl_->loop; }

}  // namespace pronghorn
