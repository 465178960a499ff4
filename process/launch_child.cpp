// SPDX-License-Identifier: Apache-2.0
// Runs beside our other threads, in our memory, on a small stack: system calls only, and of those
// the bare ones. libc's setuid(2) would change our threads, and a sanitizer's sigaction(2) its own
// tables.
#include "process/launch_child.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The stack is none that a sanitizer knows.
#define PRONGHORN_BARE __attribute__((no_sanitize("address", "undefined", "thread")))

namespace pronghorn::process {
namespace {

constexpr int kSignals = 64;

// The kernel's struct sigaction, which has no place in libc's headers.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

// All of them, also those that libc keeps for itself: an ignored one would stay so after exec(2),
// and a handler of ours must not run here.
PRONGHORN_BARE void reset_signals() noexcept {
  KernelAction action;
  action.handler = SIG_DFL;
  action.flags = 0;
  action.restorer = nullptr;
  action.mask = 0;
  for (int signum = 1; signum <= kSignals; ++signum)
    ::syscall(SYS_rt_sigaction, signum, &action, nullptr, sizeof action.mask);
}

PRONGHORN_BARE void empty_mask() noexcept {
  std::uint64_t none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

// libuv's order. Without the privilege for it the groups stay, and the kernel decides on the rest.
PRONGHORN_BARE bool take_identity(const ChildPlan& plan) noexcept {
  if (plan.uid == nullptr && plan.gid == nullptr) return true;
  const long grouped = ::syscall(SYS_setgroups, plan.group_count, plan.groups);
  if (plan.no_way_back && grouped != 0) return false;
  if (plan.gid != nullptr && ::syscall(SYS_setgid, *plan.gid) != 0) return false;
  return plan.uid == nullptr || ::syscall(SYS_setuid, *plan.uid) == 0;
}

// Capabilities outlive a change of the user where securebits or ambient ones say so
// (capabilities(7)). A set-user-ID program would give back what was given up.
PRONGHORN_BARE bool give_up_privileges(const ChildPlan& plan) noexcept {
  if (!plan.no_way_back || plan.uid == nullptr) return true;
  __user_cap_header_struct header;
  header.version = _LINUX_CAPABILITY_VERSION_3;
  header.pid = 0;
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
  for (auto& each : none) each.effective = each.permitted = each.inheritable = 0;
  // An older kernel has no ambient ones.
  ::syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::syscall(SYS_capset, &header, none) != 0) return false;
  if (::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  if (*plan.uid == 0) return true;
  // It must not be possible any more; that it is says no errno.
  if (::syscall(SYS_setuid, 0) == 0 || ::syscall(SYS_setresuid, -1, 0, -1) == 0) {
    errno = EPERM;
    return false;
  }
  return true;
}

PRONGHORN_BARE bool place(int source, int target) noexcept {
  // dup3(2) refuses the same number twice.
  if (source == target) return ::syscall(SYS_fcntl, target, F_SETFD, 0) == 0;
  return ::syscall(SYS_dup3, source, target, 0) >= 0;
}

PRONGHORN_BARE bool place_null(int target) noexcept {
  int flags = target == 0 ? O_RDONLY : O_RDWR;
  long fd = ::syscall(SYS_openat, AT_FDCWD, "/dev/null", flags | O_CLOEXEC, 0);
  if (fd < 0 || !place(static_cast<int>(fd), target)) return false;
  if (fd != target) ::syscall(SYS_close, fd);
  return true;
}

PRONGHORN_BARE bool place_descriptors(const ChildPlan& plan) noexcept {
  // First out of the way what a target would overwrite.
  for (int n = 0; n < plan.descriptor_count; ++n) {
    int source = plan.descriptors[n];
    if (source < 0 || source >= plan.descriptor_count || source == n) continue;
    long moved = ::syscall(SYS_fcntl, source, F_DUPFD_CLOEXEC, plan.descriptor_count);
    if (moved < 0) return false;
    plan.descriptors[n] = static_cast<int>(moved);
  }
  for (int n = 0; n < plan.descriptor_count; ++n) {
    int source = plan.descriptors[n];
    if (!(source < 0 ? place_null(n) : place(source, n))) return false;
  }
  // In the child's own table: our flags stay.
  return ::syscall(SYS_close_range, plan.descriptor_count, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

PRONGHORN_BARE bool goes_on(int error) noexcept {
  return error == EACCES || error == ENOENT || error == ENOTDIR || error == ESTALE ||
         error == ENODEV || error == ETIMEDOUT;
}

// As execvp(3). @returns why there is no new program
PRONGHORN_BARE int execute(const ChildPlan& plan) noexcept {
  bool denied = false;
  int error = ENOENT;
  for (const char* const* path = plan.candidates; *path != nullptr; ++path) {
    ::syscall(SYS_execve, *path, plan.argv, plan.env);
    error = errno;
    if (error == ENOEXEC) {
      plan.script_argv[1] = *path;
      ::syscall(SYS_execve, plan.script_argv[0], plan.script_argv, plan.env);
      error = errno;
    }
    if (!goes_on(error)) return error;
    denied = denied || error == EACCES;
  }
  return denied ? EACCES : error;
}

PRONGHORN_BARE void fail(ChildPlan& plan, LaunchStep step, int error) noexcept {
  plan.failure.step = step;
  plan.failure.error = error;
  ::syscall(SYS_exit_group, 127);
}

}  // namespace

PRONGHORN_BARE int launch_child(void* argument) noexcept {
  auto& plan = *static_cast<ChildPlan*>(argument);
  reset_signals();
  if (plan.detached && ::syscall(SYS_setsid) < 0) fail(plan, LaunchStep::session, errno);
  if (plan.own_group && ::syscall(SYS_setpgid, 0, 0) < 0) fail(plan, LaunchStep::session, errno);
  if (plan.cwd != nullptr && ::syscall(SYS_chdir, plan.cwd) != 0)
    fail(plan, LaunchStep::directory, errno);
  if (!take_identity(plan) || !give_up_privileges(plan)) fail(plan, LaunchStep::identity, errno);
  if (!place_descriptors(plan)) fail(plan, LaunchStep::descriptors, errno);
  // Last: a signal may stop us here, and the parent waits for us.
  empty_mask();
  fail(plan, LaunchStep::exec, execute(plan));
  return 127;
}

}  // namespace pronghorn::process
