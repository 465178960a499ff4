// SPDX-License-Identifier: Apache-2.0
#include "base/uv/process.h"

#include "base/unique_fd.h"
#include "base/uv/box.h"

#include <cerrno>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace pronghorn::uv {
namespace {

struct Payload {
  Process::OnExit on_exit;
  UniqueFd pidfd;
  bool running = false;  // started and not yet reaped
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const auto& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

}  // namespace

struct Process::Impl : Box<uv_process_t, Payload> {};

// An owner that goes while the child lives must leave the handle: uv_close on a running process
// would stop libuv from reaping it. It is closed by the exit callback instead, or by ~Loop.
void Process::Close::operator()(Impl* impl) const noexcept {
  if (!impl->payload.running) {
    CloseBox<Impl>{}(impl);
    return;
  }
  impl->silent = true;
  uv_unref(impl->base());
}

Result<Process> Process::spawn(Loop& loop, const Options& options, OnExit on_exit) {
  auto args = pointers(options.args);
  std::vector<char*> env;
  if (options.env) env = pointers(*options.env);
  std::vector<uv_stdio_container_t> stdio;
  for (int fd : options.descriptors) {
    uv_stdio_container_t c{};
    c.flags = fd < 0 ? UV_IGNORE : UV_INHERIT_FD;
    c.data.fd = fd;
    stdio.push_back(c);
  }
  // Our own are close-on-exec from birth; this is for what we were started with ourselves.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);

  uv_process_options_t o{};
  o.file = options.file.c_str();
  o.args = args.data();
  o.env = options.env ? env.data() : nullptr;
  o.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
  o.stdio = stdio.data();
  o.stdio_count = static_cast<int>(stdio.size());
  o.flags = options.detached ? UV_PROCESS_DETACHED : 0;
  o.exit_cb = [](uv_process_t* handle, std::int64_t code, int signal) {
    auto* impl = box_of<Impl>(handle);
    impl->payload.running = false;
    impl->payload.pidfd.reset();
    if (impl->silent) {
      CloseBox<Impl>{}(impl);
      return;
    }
    impl->payload.on_exit(signal > 0 ? -1 : static_cast<int>(code), signal);
  };

  auto box = std::make_unique<Impl>();
  box->base()->data = static_cast<BoxBase*>(box.get());
  int status = uv_spawn(loop.native(), &box->handle, &o);
  std::unique_ptr<Impl, Close> impl(box.release());  // a failed uv_spawn needs uv_close as well
  std::string what = "cannot start '" + options.file + "'";
  if (status < 0) return std::unexpected(Error::system(-status, what));
  impl->payload.running = true;
  // Opened before the loop turns, so the child cannot have been reaped yet; for the same reason its
  // number is still its own here, and a child that we could never signal is ended by it.
  impl->payload.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, impl->handle.pid, 0)));
  if (!impl->payload.pidfd) {
    int reason = errno;
    ::kill(impl->handle.pid, SIGKILL);
    return std::unexpected(Error::system(reason, what));
  }
  impl->payload.on_exit = std::move(on_exit);
  return Process(std::move(impl));
}

Process::Process(std::unique_ptr<Impl, Close> impl) : impl_(std::move(impl)) {}
Process::~Process() = default;
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;

int Process::pid() const noexcept { return impl_->handle.pid; }
bool Process::kill(int signum) noexcept {
  return impl_->payload.pidfd &&
         ::syscall(SYS_pidfd_send_signal, impl_->payload.pidfd.get(), signum, nullptr, 0) == 0;
}
void Process::unref() noexcept { uv_unref(impl_->base()); }

}  // namespace pronghorn::uv
