// SPDX-License-Identifier: Apache-2.0
// A connected stream socket (uv_tcp_t, also for unix sockets' stream descriptors): reads into a
// buffer that the handler lends, writes at once when the kernel has room. Allocates only for what
// must wait.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace pronghorn::uv {

class Tcp {
 public:
  /// Who gets the events; must outlive the Tcp. Any but read_buffer may destroy the Tcp.
  class Handler {
   public:
    /// Where the next bytes go; one buffer for the whole loop will do (read at once by on_bytes).
    /// An empty one stops reading, as read_stop() does.
    virtual std::span<char> read_buffer() = 0;
    virtual void on_bytes(std::string_view bytes) = 0;
    /// The peer sent FIN (`error` 0) or reading failed (an errno value). Nothing more is read.
    virtual void on_end(int error) = 0;
    /// All that write() took has gone to the kernel, or failed (an errno value).
    virtual void on_written(int error) = 0;

   protected:
    ~Handler() = default;
  };

  /// Takes the descriptor (closed with the Tcp, also on failure). It must be non-blocking.
  static Result<Tcp> open(Loop& loop, int fd, Handler& handler);
  /// None yet: nothing but assignment may be called.
  Tcp() noexcept;
  explicit operator bool() const noexcept { return impl_ != nullptr; }
  ~Tcp();
  Tcp(Tcp&&) noexcept;
  Tcp& operator=(Tcp&&) noexcept;

  /// Starting and stopping costs an epoll_ctl each: only for back-pressure. While stopped, neither
  /// the peer's FIN nor its reset is seen.
  void read_start();
  void read_stop() noexcept;
  bool is_reading() const noexcept;

  /// Sends now what the kernel takes. @returns bytes taken (0: no room, or a write() is waiting),
  /// or -errno.
  ssize_t try_write(std::string_view bytes) noexcept;
  /// Sends when there is room; on_written tells when it is gone, never before this returns. One at
  /// a time. SIGPIPE must be ignored by the process (libuv writes without MSG_NOSIGNAL).
  void write(std::string bytes);
  bool is_writing() const noexcept;
  /// Bytes of the write() that waits, or that has failed, which the kernel has not taken.
  std::size_t unwritten() const noexcept;

  /// FIN after what was written, a waiting write() included.
  void shutdown_write() noexcept;
  int fd() const noexcept;

 private:
  struct Impl;
  struct Close {
    void operator()(Impl*) const noexcept;
  };
  explicit Tcp(std::unique_ptr<Impl, Close> impl);
  std::unique_ptr<Impl, Close> impl_;
};

}  // namespace pronghorn::uv
