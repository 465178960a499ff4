// SPDX-License-Identifier: Apache-2.0
#include "process/process_table.h"

#include "base/unique_fd.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>

namespace pronghorn::process {
namespace {

// "PID (NAME) STATE PPID PGRP …", where NAME may hold anything.
std::optional<ProcessEntry> parse(int pid, std::string_view text) {
  std::size_t name_end = text.rfind(") ");
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 2);
  ProcessEntry out;
  out.pid = pid;
  for (int field = 3; field <= 22 && !text.empty(); ++field) {
    std::string_view word = text.substr(0, text.find(' '));
    auto into = [&](auto& value) {
      std::from_chars(word.data(), word.data() + word.size(), value);
    };
    if (field == 3) out.state = word.empty() ? '\0' : word[0];
    if (field == 4) into(out.parent);
    if (field == 5) into(out.group);
    if (field == 20) into(out.threads);
    if (field == 22) into(out.start);
    text.remove_prefix(word.size() == text.size() ? word.size() : word.size() + 1);
  }
  return out;
}

// @returns an errno value
int read(int pid, std::optional<ProcessEntry>& entry) {
  std::string path = "/proc/" + std::to_string(pid) + "/stat";
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno;
  std::array<char, 1024> text{};
  ssize_t n = ::read(fd.get(), text.data(), text.size());
  if (n < 0) return errno;
  entry = parse(pid, {text.data(), static_cast<std::size_t>(n)});
  return 0;
}

}  // namespace

std::optional<ProcessEntry> read_process(int pid) {
  std::optional<ProcessEntry> entry;
  read(pid, entry);
  return entry;
}

Result<std::vector<ProcessEntry>> read_processes() {
  auto failure = [](int error) {
    return std::unexpected(Error::system(error, "cannot read /proc"));
  };
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return failure(errno);
  std::vector<ProcessEntry> out;
  while (const dirent* each = ::readdir(folder.get())) {
    std::string_view name = each->d_name;
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    std::optional<ProcessEntry> entry;
    int error = read(pid, entry);
    // Any other answer is of a process that has gone, or is hidden from us: not ours to signal.
    if (error == EMFILE || error == ENFILE || error == ENOMEM) return failure(error);
    if (entry) out.push_back(*entry);
  }
  return out;
}

}  // namespace pronghorn::process
