// SPDX-License-Identifier: Apache-2.0
#include "master/process_setup.h"

#include <pronghorn/base/unique_fd.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <linux/close_range.h>
#include <signal.h>
#include <system_error>
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

std::set<std::int64_t> open_descriptors() {
  std::set<std::int64_t> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    found.insert(std::atoi(it->path().filename().c_str()));
  }
  // Without the one that looks.
  std::erase_if(found, [](auto fd) { return ::fcntl(static_cast<int>(fd), F_GETFD) < 0; });
  return found;
}

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
