// SPDX-License-Identifier: Apache-2.0
#include "process/tree.h"

#include "base/unique_fd.h"
#include "process/process_table.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ranges>
#include <sys/syscall.h>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pronghorn::process {
namespace {

// Each pass stops all that it finds; only what forks faster than /proc can be read needs many, or
// what gets no CPU to stop on.
constexpr int kMaxPasses = 100;

struct Member {
  UniqueFd pidfd;
  bool stood;  // stopped by somebody before us

  int send(int signum) const noexcept {
    return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signum, nullptr, 0) == 0 ? 0 : errno;
  }
};

class Tree {
 public:
  Tree(const TreeRoot& root, bool stop) : root_(root), stop_(stop) {}

  /// @returns whether there was a new one, or may be: one that was told to stop and still runs may
  /// be within fork(2), which ends before the signal is looked at
  Result<bool> look() {
    auto processes = read_processes();
    if (!processes) return std::unexpected(processes.error());
    std::size_t before = members_.size();
    bool is_running = false;
    for (const ProcessEntry* each : below_root(*processes)) {
      if (each->is_dead()) continue;
      if (is_known(*each)) {
        is_running |= stop_ && each->state == 'R';
        continue;
      }
      if (int error = adopt(*each); error != 0)
        return std::unexpected(Error::system(error, "cannot signal a process tree"));
    }
    return members_.size() > before || is_running;
  }

  /// From the leaves up: a group whose parent dies first is woken by the kernel.
  Result<std::size_t> send(int signum) {
    std::size_t sent = 0;
    int refused = 0;
    for (const Member& each : std::views::reverse(members_)) {
      int error = each.send(signum);
      if (error == 0) ++sent;
      if (error != 0 && error != ESRCH) refused = error;
    }
    if (sent == 0 && refused != 0)
      return std::unexpected(Error::system(refused, "cannot signal a process tree"));
    return sent;
  }

  void go_on() noexcept {
    for (const Member& each : std::views::reverse(members_))
      if (stop_ && !each.stood) each.send(SIGCONT);
  }

 private:
  bool is_known(const ProcessEntry& entry) const {
    auto found = known_.find(entry.pid);
    return found != known_.end() && found->second == entry.start;
  }

  /// Whether the root's number, as process and as group, is not a stranger's by now.
  bool is_ours(const std::vector<ProcessEntry>& processes) const {
    auto found = std::ranges::find(processes, root_.pid, &ProcessEntry::pid);
    if (found == processes.end()) return true;
    return root_.is_running && found->parent == ::getpid();
  }

  /// The known ones too: a child may have come below each.
  std::vector<const ProcessEntry*> below_root(const std::vector<ProcessEntry>& processes) const {
    bool ours = is_ours(processes);
    std::unordered_multimap<int, const ProcessEntry*> children;
    std::vector<const ProcessEntry*> found;
    std::unordered_set<int> seen;
    auto add = [&](const ProcessEntry& entry) {
      if (seen.insert(entry.pid).second) found.push_back(&entry);
    };
    for (const ProcessEntry& each : processes) {
      children.emplace(each.parent, &each);
      bool is_root = ours && root_.is_running && each.pid == root_.pid;
      bool in_group = ours && root_.detached && each.group == root_.pid;
      if (is_root || in_group || is_known(each)) add(each);
    }
    for (std::size_t n = 0; n < found.size(); ++n) {
      auto [first, last] = children.equal_range(found[n]->pid);
      for (; first != last; ++first) add(*first->second);
    }
    return found;
  }

  /// @returns an errno value that makes going on senseless
  int adopt(const ProcessEntry& entry) {
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, entry.pid, 0)));
    if (!pidfd) return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : 0;
    // The pidfd is of whoever has the number now.
    auto again = read_process(entry.pid);
    if (!again || again->start != entry.start) return 0;
    known_[entry.pid] = entry.start;
    members_.push_back({std::move(pidfd), again->state == 'T'});
    if (stop_) members_.back().send(SIGSTOP);
    return 0;
  }

  TreeRoot root_;
  bool stop_;
  std::vector<Member> members_;  // each after its parent
  std::unordered_map<int, unsigned long long> known_;
};

bool stops(int signum) {
  return signum == SIGSTOP || signum == SIGTSTP || signum == SIGTTIN || signum == SIGTTOU;
}

}  // namespace

Result<std::size_t> signal_tree(const TreeRoot& root, int signum) {
  Tree tree(root, signum != 0);
  for (int pass = 0; pass < kMaxPasses; ++pass) {
    auto found = tree.look();
    if (!found) {
      tree.go_on();
      return std::unexpected(found.error());
    }
    if (!*found) break;
  }
  if (signum == SIGSTOP) return tree.send(signum);
  // SIGCONT takes back a stop signal that waits, and any other waits until SIGCONT.
  if (stops(signum)) tree.go_on();
  auto sent = tree.send(signum);
  if (!stops(signum)) tree.go_on();
  return sent;
}

}  // namespace pronghorn::process
