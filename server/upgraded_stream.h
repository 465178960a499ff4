// SPDX-License-Identifier: Apache-2.0
// A connection that a handler has taken over by ResponseWriter::upgrade: bytes both ways, without
// HTTP.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>

#include <functional>
#include <memory>
#include <string_view>

namespace pronghorn {
namespace server {
struct AnswerState;
}
class ResponseWriter;

/// Move-only; dropping it closes the connection at once, as destroy() does. The request that it
/// came from lives as long as the connection. No timeout of HTTP holds but timeouts.write; a
/// server's close() waits for it.
class UpgradedStream {
 public:
  UpgradedStream(UpgradedStream&&) noexcept = default;
  UpgradedStream& operator=(UpgradedStream&& other) noexcept;
  ~UpgradedStream();

  /// As ResponseWriter::write. @errors `Errc::stream_destroyed`, `Errc::write_after_end`
  Result<bool> write(std::string_view bytes);
  /// What the client sends; beginning with what came behind the request's head. Nothing is read
  /// before there is a listener, nor between pause() and resume(). The view is good for the call.
  void on_data(std::function<void(std::string_view)> call);
  void pause() noexcept;
  void resume();
  /// The client sends no more (FIN), and may still read. Without a listener that is end().
  void on_end(std::function<void()> call);
  void on_drain(std::function<void()> call);
  /// Called once when the connection is gone, unless by destroy() or with the server.
  void on_close(std::function<void()> call);

  /// As ResponseWriter::on_shutdown.
  void on_shutdown(std::function<void()> call);

  /// FIN after what was written. What the client still sends is dropped, and it has
  /// timeouts.linger to close its side.
  void end();
  /// Closes at once; what is unsent is lost.
  void destroy();
  bool is_gone() const noexcept;
  Loop& loop() const noexcept;

 private:
  friend class ResponseWriter;
  explicit UpgradedStream(std::shared_ptr<server::AnswerState> state) noexcept;
  std::shared_ptr<server::AnswerState> state_;
};

}  // namespace pronghorn
