// SPDX-License-Identifier: Apache-2.0
#include "master/process_setup.h"

#include <pronghorn/base/unique_fd.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <unistd.h>

namespace pronghorn::master {
namespace {

void write_file(const std::string& path, const std::string& text) noexcept {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  // Not permitted is normal: then the kernel's own choice stands.
  if (fd) [[maybe_unused]]
    auto written = ::write(fd.get(), text.data(), text.size());
}

}  // namespace

void prepare_process() noexcept {
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

std::string oom_score() noexcept {
  UniqueFd fd(::open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC));
  char text[16];
  ssize_t n = fd ? ::read(fd.get(), text, sizeof text) : 0;
  while (n > 0 && text[n - 1] == '\n') --n;
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string();
}

void protect_from_oom() noexcept { write_file("/proc/self/oom_score_adj", "-500"); }

void set_oom_score(int pid, const std::string& score) noexcept {
  if (!score.empty()) write_file("/proc/" + std::to_string(pid) + "/oom_score_adj", score);
}

}  // namespace pronghorn::master
