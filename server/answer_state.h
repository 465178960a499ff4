// SPDX-License-Identifier: Apache-2.0
// What the writer of an answer (ResponseWriter, then UpgradedStream) and the session of its request
// share: the writer notes what is to be sent, the session puts it out. Either may go first.
#pragma once

#include <pronghorn/server/response_writer.h>

#include "server/exchange.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::server {

class Session;
class SessionOwner;
struct SessionContext;

struct AnswerState final : std::enable_shared_from_this<AnswerState> {
  enum class Stage : std::uint8_t {
    waiting,    // nothing but informational answers so far
    responded,  // `head` is the whole answer
    started,    // `head`, then `output`
    ended,      // … and no more
    upgraded,   // `head` is a 101's; `output` is raw
    shut,       // … then FIN
    failed,     // dropped, thrown, destroyed, or wrong: an error answer or a cut
    finished,   // the session is done with it
  };
  using Headers = ResponseWriter::Headers;

  explicit AnswerState(Session& of);
  ~AnswerState();

  // The writer's side: answer_state.cpp, upgraded_stream.cpp
  Result<void> respond(Response response);
  Result<void> informational(int status, const Headers& headers);
  Result<void> start(Response response, std::optional<std::uint64_t> content_length);
  Result<bool> write(std::string_view bytes);
  Result<void> end(const Headers& trailers);
  Result<void> upgrade(Response response);
  Result<bool> write_raw(std::string_view bytes);
  void shut();
  void destroy();
  /// What it said is void.
  void fail() noexcept { fail_with(500); }
  /// The writer is gone. One that was dropped unanswered is a mistake, which the log names.
  void drop() noexcept;
  /// `code` is answered if nothing was yet.
  void fail_with(int code) noexcept;
  void set_on_data(std::function<void(std::string_view)> call);
  void set_on_drain(std::function<void()> call);
  void set_on_end(std::function<void()> call);
  void set_on_client_end(std::function<void()> call);
  void set_on_close(std::function<void()> call);
  void set_on_shutdown(std::function<void()> call);

  /// The session has something to put out, or to take in.
  void tell() noexcept;
  /// 100 (Continue), where no final head has gone yet: a client may wait for it all the same.
  void put_continue();

  // The session's side: answer_session.cpp
  bool wants_data() const noexcept { return on_data && !paused; }
  void drained();
  void shut_down();
  void deliver(std::string_view bytes);
  /// The client sends no more. Harmless when said again.
  void client_ended();
  /// The answer is out: the writer can do nothing more.
  void finish() noexcept;
  /// It was given up: keeps the request, which somebody may still read, and tells so.
  static void orphan(std::unique_ptr<Exchange> exchange, const SessionContext& context);

  struct Listeners {
    std::function<void()> drain, close, end, shutdown;
    std::function<void(std::string_view)> data;
  };
  Listeners take_listeners() noexcept;

  Session* session;     // null: nothing goes out any more
  SessionOwner* owner;  // as long as the session
  Loop* loop;
  Request* request;                    // good until finish()
  std::unique_ptr<Exchange> exchange;  // once the session has no use for it
  std::optional<Response> head;
  std::string output;       // after the head; before it, informational answers up to head_at
  std::size_t head_at = 0;  // where in `output` the head belongs
  std::optional<std::uint64_t> length;
  std::uint64_t written = 0;
  int status = 0;               // of the head that was sent
  std::string head_text;        // the same, for an access log that wants it
  std::uint64_t bytes_out = 0;  // head and body as sent
  int fail_status = 500;        // of the answer of one that failed before
  Stage stage = Stage::waiting;
  bool is_head;  // the request's method is HEAD
  bool is_http10;
  bool is_upgrade = false;
  bool head_sent = false;
  bool started_before_failure = false;  // then it is cut
  bool bodiless = false;                // nothing of what is written goes out
  bool chunked = false;
  bool told = false;         // the session knows, or is about to look
  bool needs_drain = false;  // write() said false
  bool paused = false;
  bool client_done = false;  // client_ended() was called

  std::function<void()> on_drain, on_close, on_end, on_shutdown;
  std::function<void(std::string_view)> on_data;

 private:
  Error unusable() const;
  Result<void> refuse(Error why);
  Result<void> refuse(Errc code);
  Result<void> take_head(Response response, Stage next);
  bool take_output(std::string_view bytes);
};

}  // namespace pronghorn::server
