// SPDX-License-Identifier: Apache-2.0
#include "base/nonblocking_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace pronghorn {
namespace {

// As many whole lines as fit into `limit`; the first line alone when even that one does not.
std::string_view whole_lines(std::string_view lines, std::size_t limit) noexcept {
  if (lines.size() <= limit) return lines;
  if (auto end = lines.substr(0, limit).rfind('\n'); end != lines.npos) {
    return lines.substr(0, end + 1);
  }
  auto end = lines.find('\n', limit);
  return lines.substr(0, end == lines.npos ? end : end + 1);
}

}  // namespace

NonblockingWriter::NonblockingWriter(int fd) noexcept : fd_(fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return;
  if (S_ISSOCK(info.st_mode)) {
    way_ = Way::socket;
    return;
  }
  // A file is not opened again: with `>log 2>&1` standard output keeps the old description and its
  // offset, and would overwrite what an O_APPEND description of ours has added.
  if (S_ISREG(info.st_mode)) {
    way_ = Way::direct;
    return;
  }
  // Pipes, terminals and other devices: proc(5), opening the link makes a new description. It fails
  // without /proc, for a terminal of another user, for a FIFO without reader: then poll must do.
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  own_.reset(::open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (own_) {
    fd_ = own_.get();
    way_ = Way::own;
  }
}

std::size_t NonblockingWriter::write(std::string_view lines) noexcept {
  Taken taken = write_some(lines);
  auto left = std::ranges::count(lines.substr(taken.bytes), '\n');
  return static_cast<std::size_t>(left) + (taken.cut ? 1 : 0);
}

NonblockingWriter::Taken NonblockingWriter::write_some(std::string_view lines) noexcept {
  Taken done;
  while (done.bytes < lines.size()) {
    // A file takes everything in one write. Everything else is atomic up to PIPE_BUF: a pipe by
    // pipe(7), a unix stream because one message of that size is one buffer in the kernel.
    std::string_view rest = lines.substr(done.bytes);
    std::string_view chunk =
        way_ == Way::direct ? rest : whole_lines(rest, kMaxLine - (torn_ ? 1 : 0));
    std::size_t taken = write_chunk(chunk);
    done.bytes += taken;
    if (taken == chunk.size()) continue;
    done.error = error_;
    if (taken > 0 && torn_) {
      auto end = lines.find('\n', done.bytes);
      done.bytes = end == lines.npos ? lines.size() : end + 1;
      done.cut = true;
    }
    break;
  }
  return done;
}

// Bytes of `chunk` taken; sets torn_ and, where that is less than all, error_.
std::size_t NonblockingWriter::write_chunk(std::string_view chunk) noexcept {
  char newline = '\n';
  iovec parts[2] = {{&newline, 1}, {const_cast<char*>(chunk.data()), chunk.size()}};
  msghdr message{};
  message.msg_iov = torn_ ? parts : parts + 1;
  message.msg_iovlen = torn_ ? 2 : 1;

  ssize_t n = -1;
  do {
    if (way_ == Way::ask && (chunk.size() + message.msg_iovlen - 1 > kMaxLine || !is_writable())) {
      error_ = EAGAIN;
      return 0;
    }
    n = way_ == Way::socket ? ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
                            : ::writev(fd_, message.msg_iov, static_cast<int>(message.msg_iovlen));
  } while (n < 0 && errno == EINTR);
  error_ = n < 0 ? errno : EAGAIN;  // a short write: the next one says why
  if (n <= 0) return 0;

  std::size_t taken = static_cast<std::size_t>(n) - (torn_ ? 1 : 0);
  torn_ = taken > 0 && chunk[taken - 1] != '\n';
  return taken;
}

// Room for PIPE_BUF bytes, unless another process takes it between here and the write: the one case
// in which a write could wait, and only where the descriptor could not be opened again.
bool NonblockingWriter::is_writable() const noexcept {
  pollfd watched{fd_, POLLOUT, 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & (POLLERR | POLLNVAL)) == 0 &&
         (watched.revents & POLLOUT) != 0;
}

}  // namespace pronghorn
