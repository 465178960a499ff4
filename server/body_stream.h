// SPDX-License-Identifier: Apache-2.0
// A request's body as it comes, for routes with RouteOptions::stream_body.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/task.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pronghorn {
namespace server {
class BodyState;
}
class Request;

/// What BodyStream::read throws when the body will never be complete: the client left or was too
/// slow, its framing was broken, it was larger than allowed. The answer has been given already
/// (400, 408, 413) where there was anybody to answer; a handler only has to clean up.
class BodyAborted : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A handle on the body; copies are the same body. Bytes are read off the socket only while someone
/// asks for them: by on_data, or by a read() that waits. A client that expects 100 (Continue) gets
/// it when they are first asked for. Use one of the two, callbacks or read().
class BodyStream {
 public:
  /// Each piece, decoded, up to 64 KiB; the view is good for the call.
  void on_data(std::function<void(std::string_view)> call);
  /// Once, after the last piece. An incomplete body never ends: it has an error.
  void on_end(std::function<void()> call);
  /// Once: `Errc::body_incomplete`, `Errc::body_too_large`, `Errc::body_timeout`, `Errc::protocol`;
  /// `Errc::stream_destroyed` when the answer was complete before the body.
  void on_error(std::function<void(const Error&)> call);
  /// No on_data and no reading of the socket until resume().
  void pause() noexcept;
  void resume();

  /// The next piece; nothing at the body's end. One at a time. Throws BodyAborted.
  Task<std::optional<std::string>> read();

 private:
  friend class Request;
  explicit BodyStream(std::shared_ptr<server::BodyState> state) noexcept;
  std::shared_ptr<server::BodyState> state_;
};

}  // namespace pronghorn
