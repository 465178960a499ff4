// SPDX-License-Identifier: Apache-2.0
#include "process/child.h"

#include "base/uv/process.h"
#include "process/environment.h"

#include <cerrno>
#include <linux/close_range.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace pronghorn::process {
namespace {

constexpr int kFirstPrivate = 3;

// What an embedding program or our own parent left inheritable must not live on in a worker. The
// descriptors meant for the child lose the mark there: libuv clears it (uv_spawn, UV_INHERIT_FD).
void close_all_on_exec() noexcept {
  ::syscall(SYS_close_range, kFirstPrivate, ~0U, CLOSE_RANGE_CLOEXEC);
}

struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};

Result<SocketPair> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(Error::system(errno, "cannot create a channel"));
  }
  return SocketPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Exit exit_of(int code, int signal) {
  Exit exit;
  (signal > 0 ? exit.signal : exit.code) = signal > 0 ? signal : code;
  return exit;
}

}  // namespace

struct ChildProcess::Impl {
  explicit Impl(ipc::Channel c) : channel(std::move(c)) {}
  ipc::Channel channel;
  std::optional<uv::Process> process;
  bool running = true;
};

Result<ChildProcess> ChildProcess::fork(Loop& loop, const ForkOptions& options, Handlers handlers) {
  auto ends = socket_pair();
  if (!ends) return std::unexpected(std::move(ends.error()));
  auto channel = ipc::Channel::open(loop, std::move(ends->ours), std::move(handlers.channel),
                                    options.channel_limits);
  if (!channel) return std::unexpected(std::move(channel.error()));

  uv::Process::Options spawn;
  spawn.file = options.exec_path;
  spawn.args = options.args;
  spawn.env = child_environment(options.env, options.unset,
                                {"NODE_CHANNEL_FD=3", "NODE_CHANNEL_SERIALIZATION_MODE=json"});
  spawn.descriptors = {0, 1, 2, ends->theirs.get()};
  spawn.descriptors.insert(spawn.descriptors.end(), options.descriptors.begin(),
                           options.descriptors.end());
  spawn.detached = options.detached;

  auto impl = std::make_unique<Impl>(std::move(*channel));
  // The user's closure lives with libuv's handle and not in Impl: it may destroy the ChildProcess.
  auto on_exit = [self = impl.get(), told = std::move(handlers.on_exit)](int code,
                                                                         int signal) mutable {
    self->running = false;
    if (told) told(exit_of(code, signal));
  };
  close_all_on_exec();
  auto process = uv::Process::spawn(loop, spawn, std::move(on_exit));
  if (!process) return std::unexpected(std::move(process.error()));
  impl->process = std::move(*process);
  return ChildProcess(std::move(impl));
}

ChildProcess::ChildProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChildProcess::~ChildProcess() = default;
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&&) noexcept = default;

int ChildProcess::pid() const noexcept { return impl_->process->pid(); }
bool ChildProcess::kill(int signum) noexcept { return impl_->process->kill(signum); }
bool ChildProcess::is_running() const noexcept { return impl_->running; }
ipc::Channel& ChildProcess::channel() noexcept { return impl_->channel; }

}  // namespace pronghorn::process
