// SPDX-License-Identifier: Apache-2.0
#include "server/log_thread.h"

#include "base/unique_fd.h"

#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>

namespace pronghorn::server {

/// The thread's as well: it may outlive its LogThread.
struct LogThread::Shared {
  enum class Step : std::uint8_t { none, given, written };

  Shared(std::size_t capacity, Write call)
      : memory(std::make_unique_for_overwrite<char[]>(capacity)), write(std::move(call)) {}

  std::mutex mutex;
  std::condition_variable changed;
  Step step = Step::none;
  bool is_over = false;
  UniqueFd file;
  NonblockingWriter writer{-1};
  std::unique_ptr<char[]> memory;
  std::string_view lines;
  Taken taken;
  const Write write;
};

std::unique_ptr<LogThread> LogThread::start(std::size_t capacity, Write write) noexcept try {
  auto shared = std::make_shared<Shared>(capacity, std::move(write));
  std::unique_ptr<LogThread> made(new LogThread(shared));
  // Signals are the loop's: one that ends here could interrupt a write.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([shared] { run(shared); }).detach();
  } catch (...) {
    made.reset();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return made;
} catch (...) {
  return nullptr;
}

LogThread::~LogThread() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->is_over = true;
  shared_->changed.notify_all();
}

void LogThread::run(const std::shared_ptr<Shared>& shared) noexcept {
  Shared& s = *shared;
  std::unique_lock lock(s.mutex);
  while (true) {
    s.changed.wait(lock, [&] { return s.step == Shared::Step::given || s.is_over; });
    if (s.step != Shared::Step::given) return;
    lock.unlock();
    Taken taken = s.write ? s.write(s.writer, s.lines) : s.writer.write_some(s.lines);
    lock.lock();
    s.taken = taken;
    s.step = Shared::Step::written;
    s.changed.notify_all();
  }
}

void LogThread::open(int fd) noexcept {
  UniqueFd file(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  // Without a descriptor of its own, a write that is left behind may find another file there.
  shared_->writer = NonblockingWriter(file ? file.get() : fd);
  shared_->file = std::move(file);
}

NonblockingWriter& LogThread::writer() noexcept { return shared_->writer; }
std::unique_ptr<char[]>& LogThread::memory() noexcept { return shared_->memory; }

void LogThread::give(std::string_view lines) noexcept {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->lines = lines;
    shared_->step = Shared::Step::given;
  }
  shared_->changed.notify_all();
}

std::optional<LogThread::Taken> LogThread::result() noexcept {
  const std::scoped_lock lock(shared_->mutex);
  if (shared_->step != Shared::Step::written) return std::nullopt;
  shared_->step = Shared::Step::none;
  return shared_->taken;
}

bool LogThread::wait_until(std::chrono::steady_clock::time_point end) noexcept {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_until(lock, end,
                                     [&] { return shared_->step == Shared::Step::written; });
}

}  // namespace pronghorn::server
