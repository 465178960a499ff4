// SPDX-License-Identifier: Apache-2.0
// Preloaded by bench/run into a master: its workers are started under the program that
// BENCH_UNDER names, an argument a line. Under valgrind a worker could not be started as
// the master does it, by /proc/self/exe: that is valgrind then.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <linux/openat2.h>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

struct Under {
  std::vector<std::string> words;
  std::string program;

  Under() {
    const char* text = std::getenv("BENCH_UNDER");
    std::string_view left = text != nullptr ? text : "";
    while (!left.empty()) {
      const std::size_t end = std::min(left.find('\n'), left.size());
      words.emplace_back(left.substr(0, end));
      left.remove_prefix(std::min(end + 1, left.size()));
    }
    std::string path(4096, '\0');
    const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size());
    if (n > 0) program = path.substr(0, static_cast<std::size_t>(n));
  }
};

const Under under;

// Raw, as ours stands in libc's place.
long raw(long number, const std::array<long, 6>& a) {
  long result = 0;
  register long r10 asm("r10") = a[3];
  register long r8 asm("r8") = a[4];
  register long r9 asm("r9") = a[5];
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace

// launch_child.cpp calls it in a child that shares our memory: nothing is allocated here.
extern "C" long syscall(long number, ...) noexcept {
  std::array<long, 6> a{};
  va_list list;
  va_start(list, number);
  for (long& value : a) value = va_arg(list, long);
  va_end(list);
  if (number == SYS_openat2) {  // valgrind 3.19 has none: without its confinement, then
    const long fd = raw(number, a);
    if (fd >= 0 || errno != ENOSYS) return fd;
    const auto* how = reinterpret_cast<const open_how*>(a[2]);
    return raw(SYS_openat,
               {a[0], a[1], static_cast<long>(how->flags), static_cast<long>(how->mode)});
  }
  const auto* path = reinterpret_cast<const char*>(a[0]);
  if (number != SYS_execve || under.words.empty() || std::strcmp(path, "/proc/self/exe") != 0) {
    return raw(number, a);
  }
  std::array<const char*, 128> argv{};
  std::size_t n = 0;
  for (const std::string& word : under.words) argv[n++] = word.c_str();
  argv[n++] = under.program.c_str();
  auto* const* theirs = reinterpret_cast<char* const*>(a[1]);
  for (std::size_t i = 1; theirs[i] != nullptr && n + 1 < argv.size(); ++i) argv[n++] = theirs[i];
  return raw(number, {reinterpret_cast<long>(argv[0]), reinterpret_cast<long>(argv.data()), a[2]});
}
