// SPDX-License-Identifier: Apache-2.0
// The parent's end of a pipe to a child: Node's child.stdin, stdout, stderr and stdio[n]
// (net.Socket).
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace pronghorn::process {

/// A byte stream with back-pressure both ways. Its listeners come from the loop only, never from
/// within a call, and each may destroy the Stream or its ChildProcess. Several listeners of one
/// event are called in the order in which they were added. A side that the stream does not have
/// (reading stdin, writing stdout) has ended from the start. One with both ends its
/// writing, as by end(), when its reading has ended (Node: allowHalfOpen false).
class Stream {
 public:
  enum class Sides : std::uint8_t { readable, writable, both };
  /// Told once the bytes are in the kernel, or never will be (then with an error).
  using Written = std::move_only_function<void(const Error*)>;
  /// Bytes waiting to be written from which write() says false (Node's highWaterMark).
  static constexpr std::size_t kHighWaterMark = 16 * 1024;

  /// Takes a descriptor of ours alone: it becomes non-blocking. Pipes, sockets, terminals.
  static Result<Stream> open(Loop& loop, UniqueFd fd, Sides sides);
  /// Reads a descriptor that others share, such as standard input: its flags are left alone.
  /// Regular files too. @errors those of dup(2) and epoll_ctl(2)
  static Result<Stream> open_shared(Loop& loop, int fd);
  /// One that is no pipe (`ignore`, `inherit` …): it has ended, and every write fails with EBADF
  /// (`written` is told at once: there is no loop).
  Stream();
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  // Reading. Nothing is read before a listener for data, resume() or pipe().
  /// The bytes hold until the listener returns. Adding one starts the flow.
  void on_data(std::move_only_function<void(std::string_view)> listener);
  /// After the last data, when the other side closed; not after destroy() or an error.
  void on_end(std::move_only_function<void()> listener);
  void pause() noexcept;
  /// Without a listener what is read is thrown away.
  void resume() noexcept;
  bool is_paused() const noexcept;
  bool is_readable() const noexcept;

  // Writing. Bytes are copied; what the kernel takes goes at once.
  /// @returns false when kHighWaterMark or more wait: slow down until on_drain. After end(), or on
  ///          a stream that cannot be written, false, and `written` gets the error.
  bool write(std::string_view bytes, Written written = {});
  /// Closes the writing side after what was written; then on_finish.
  void end(std::string_view last = {});
  void on_drain(std::move_only_function<void()> listener);
  void on_finish(std::move_only_function<void()> listener);
  bool is_writable() const noexcept;
  /// Bytes that wait to be written.
  std::size_t writable_length() const noexcept;

  /// Writes what this reads to `to`, at its pace, and ends it when this ends. Either may go before
  /// the other; when `to` fails the reading goes on into nothing (the reader is not stuck).
  void pipe(Stream& to);

  /// Reading or writing failed (EPIPE: the child closed its end, or left); the stream closes.
  void on_error(std::move_only_function<void(const Error&)> listener);
  /// Last of all: both sides have ended, or destroy(), or an error.
  void on_close(std::move_only_function<void()> listener);
  /// Closes at once; what waits to be written is lost, its callbacks get an error.
  void destroy();
  bool is_open() const noexcept;

  /// Whether reading keeps the loop running (it does at first).
  void ref() noexcept;
  void unref() noexcept;
  /// -1 when closed.
  int fd() const noexcept;

 private:
  friend struct StreamAccess;
  struct Impl;
  explicit Stream(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace pronghorn::process
