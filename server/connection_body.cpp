// SPDX-License-Identifier: Apache-2.0
// Bodies that are not among the answers' bytes. Of a body, what the kernel does not take is not
// kept: it can be had again. The socket's room is waited for (WritableSet).
#include "server/connection.h"

#include <algorithm>
#include <cerrno>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace pronghorn::server {
namespace {

/// Up to this, a file's rest is read and leaves with what stands before it; above it goes by
/// sendfile(2). Measured over loopback, CPU of the sender for 32, 64, 100, 256, 1024
/// KiB: 7.6, 16.6, 19, 53, 209 us read and sent, 8.9, 15.9, 21, 38, 136 by sendfile with a checked
/// end; from shared bytes 6.6, 16, 16, 45, 167.
constexpr std::size_t kReadAtMost = 64 * 1024;
/// The end of a file that has a stamp, read and sent only when the stamp is still the file's.
constexpr std::size_t kCheckedEnd = 4 * 1024;

FileStamp stamp_of(const struct stat& info) noexcept {
  return {static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

bool is_unchanged(const SharedFile& file) noexcept {
  if (file.stamp() == nullptr) return true;
  struct stat now{};
  return ::fstat(file.fd(), &now) == 0 && stamp_of(now) == *file.stamp();
}

}  // namespace

/// `out` and some of the piece. False: the connection is at its end.
bool Connection::send_piece(std::string& out, std::size_t& budget) {
  if (budget == 0) {
    if (!send(out, budget)) return false;
    return unsent() > 0 || yield();
  }
  if (piece_->bytes() != nullptr) return send_shared(out, budget);
  if (piece_->length > kReadAtMost) return send_from_file(out, budget);
  return send_read(out, budget);
}

bool Connection::send_shared(std::string& out, std::size_t& budget) {
  std::string_view rest = std::string_view(*piece_->bytes()).substr(piece_->offset, piece_->length);
  rest = rest.substr(0, budget);
  iovec parts[] = {{out.data(), out.size()}, {const_cast<char*>(rest.data()), rest.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t n = 0;
  do {
    n = ::sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN) return false;
  std::size_t sent = count_sent(n, budget);
  std::size_t of_head = std::min(sent, out.size());
  bool is_full = sent < out.size() + rest.size();
  piece_->offset += sent - of_head;
  piece_->length -= sent - of_head;
  if (of_head < out.size()) return enqueue(std::string_view(out).substr(of_head));
  out.clear();
  return !is_full || await_room();
}

bool Connection::send_from_file(std::string& out, std::size_t& budget) {
  // sendfile(2) knows no MSG_DONTWAIT; a handle's descriptor does not block.
  if (!tcp_ && !attach()) return cut();
  if (!send(out, budget, MSG_MORE)) return false;
  if (unsent() > 0) return true;
  out.clear();
  const SharedFile& file = *piece_->file();
  std::uint64_t kept = file.stamp() != nullptr ? kCheckedEnd : 0;
  auto at = static_cast<off_t>(piece_->offset);
  auto want = std::min<std::uint64_t>(piece_->length - kept, std::max<std::size_t>(budget, 1));
  ssize_t n = ::sendfile(fd(), file.fd(), &at, want);
  if (n == 0) return cut();  // shorter than when the head was made; never padded
  if (n < 0) {
    switch (errno) {
      case EAGAIN:
        return await_room();
      case EINTR:
        return true;
      case EINVAL:  // a file system without splice
      case ENOSYS:
        return send_read(out, budget);
      default:
        return cut();
    }
  }
  std::size_t sent = count_sent(n, budget);
  piece_->offset += sent;
  piece_->length -= sent;
  return true;
}

bool Connection::send_read(std::string& out, std::size_t& budget) {
  std::size_t head = out.size();
  return (append_piece(out) && out.size() > head) ? send(out, budget) : cut();
}

bool Connection::await_room() {
  if (!tcp_ && !attach()) return cut();
  if (!is_watched_ && !context_.writable.add(fd(), *this)) return cut();
  return is_watched_ = awaits_room_ = true;
}

/// The client took a turn's share, and gets the next at the end of the turn.
bool Connection::yield() {
  window_moved_ = true;
  on_output();
  return awaits_room_ = true;
}

/// False: the file is shorter than its length was when the head was made, or another.
bool Connection::append_piece(std::string& out) {
  const SharedFile& file = *piece_->file();
  auto want = std::min<std::uint64_t>(piece_->length, kReadAtMost);
  std::size_t head = out.size();
  ssize_t n = 0;
  out.resize_and_overwrite(head + want, [&](char* bytes, std::size_t) {
    do {
      n = ::pread(file.fd(), bytes + head, want, static_cast<off_t>(piece_->offset));
    } while (n < 0 && errno == EINTR);
    return head + static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  });
  if (n <= 0) return false;
  piece_->offset += static_cast<std::uint64_t>(n);
  piece_->length -= static_cast<std::uint64_t>(n);
  // Looked at after reading: what the kernel has of the file by then is of one version.
  return piece_->length > 0 || is_unchanged(file);
}

/// A body that cannot be sent as promised.
bool Connection::cut() noexcept {
  abort();
  return false;
}

}  // namespace pronghorn::server
