// SPDX-License-Identifier: Apache-2.0
#include "process/launch.h"

#include "process/launch_child.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <sched.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pronghorn::process {
namespace {

// The child needs a few hundred bytes; the rest is for what a debug build makes of it.
constexpr std::size_t kStackBytes = 64 * 1024;
constexpr std::size_t kGuardBytes = 4096;

/// The child's stack: it must not be ours, which the vfork'ed child would write over.
class ChildStack {
 public:
  ChildStack()
      : memory_(::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0)) {
    if (is_there()) ::mprotect(memory_, kGuardBytes, PROT_NONE);
  }
  ~ChildStack() {
    if (is_there()) ::munmap(memory_, kStackBytes);
  }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;
  bool is_there() const noexcept { return memory_ != MAP_FAILED; }
  void* top() const noexcept { return static_cast<char*>(memory_) + kStackBytes; }

 private:
  void* memory_;
};

/// Blocks every signal, also those that libc keeps for itself: no handler of ours may run in the
/// child, nor a cancellation leave it half made.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    std::uint64_t all = ~std::uint64_t{0};
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
  }
  ~SignalsBlocked() {
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  std::uint64_t before_ = 0;
};

/// A child that changes its user takes PR_SET_DUMPABLE from the memory that it shares with us.
class DumpableKept {
 public:
  explicit DumpableKept(bool is_at_risk)
      : restore_(is_at_risk && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1) {}
  ~DumpableKept() {
    if (restore_) ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  DumpableKept(const DumpableKept&) = delete;
  DumpableKept& operator=(const DumpableKept&) = delete;

 private:
  bool restore_;
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const auto& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

// execvp's search, by the child's PATH.
std::vector<std::string> candidates(const LaunchPlan& plan) {
  if (plan.file.empty()) return {};
  if (plan.file.contains('/')) return {plan.file};
  std::string_view path = "/bin:/usr/bin";
  for (std::string_view entry : plan.env) {
    if (!entry.starts_with("PATH=")) continue;
    path = entry.substr(5);
    break;
  }
  std::vector<std::string> out;
  while (true) {
    std::size_t colon = path.find(':');
    std::string candidate(path.substr(0, colon));
    if (!candidate.empty()) candidate += '/';  // an empty one is the current folder
    candidate += plan.file;
    if (candidate.size() < PATH_MAX) out.push_back(std::move(candidate));
    if (colon == std::string_view::npos) return out;
    path.remove_prefix(colon + 1);
  }
}

void reap(int pidfd) noexcept {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) != 0 && errno == EINTR) {
  }
}

}  // namespace

std::expected<Launched, LaunchFailure> launch(const LaunchPlan& plan) {
  std::vector<std::string> paths = candidates(plan);
  std::vector<char*> path_pointers = pointers(paths);
  std::vector<char*> argv = pointers(plan.argv);
  std::vector<char*> env = pointers(plan.env);
  std::vector<const char*> script_argv{"/bin/sh", ""};
  for (std::size_t n = 1; n < plan.argv.size(); ++n) script_argv.push_back(argv[n]);
  script_argv.push_back(nullptr);
  std::vector<int> descriptors = plan.descriptors;

  ChildPlan child{};
  child.candidates = path_pointers.data();
  child.argv = argv.data();
  child.script_argv = script_argv.data();
  child.env = env.data();
  child.cwd = plan.cwd.empty() ? nullptr : plan.cwd.c_str();
  child.descriptors = descriptors.data();
  child.descriptor_count = static_cast<int>(descriptors.size());
  child.detached = plan.detached;
  child.own_group = plan.own_group && !plan.detached;
  child.uid = plan.uid ? &*plan.uid : nullptr;
  child.gid = plan.gid ? &*plan.gid : nullptr;
  child.groups = plan.groups.data();
  child.group_count = plan.groups.size();
  child.no_way_back = plan.no_way_back;

  ChildStack stack;
  if (!stack.is_there()) return std::unexpected(LaunchFailure{errno, LaunchStep::clone});
  Launched launched;
  int pidfd = -1;
  {
    DumpableKept dumpable(plan.uid || plan.gid);
    SignalsBlocked blocked;
    launched.pid = ::clone(launch_child, stack.top(),
                           CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, &pidfd);
    if (launched.pid < 0) child.failure = {errno, LaunchStep::clone};
  }
  if (launched.pid < 0) return std::unexpected(child.failure);
  launched.pidfd.reset(pidfd);
  if (child.failure.error != 0) {
    reap(pidfd);
    return std::unexpected(child.failure);
  }
  return launched;
}

}  // namespace pronghorn::process
