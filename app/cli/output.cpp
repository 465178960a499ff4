// SPDX-License-Identifier: Apache-2.0
#include "app/cli/output.h"

#include "app/exit_codes.h"
#include "config/problem.h"

#include <fmt/format.h>

#include <cerrno>
#include <unistd.h>

namespace pronghorn::app::cli {
namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

int Output::emit() const {
  write_all(STDERR_FILENO, err);
  const bool written = write_all(STDOUT_FILENO, out);
  return written || code != kSuccess ? code : static_cast<int>(kFailure);
}

Output failure(int code, std::string_view program, std::string_view text,
               const std::vector<std::string>& hints, bool colour) {
  config::Problem problem;
  problem.message = text;
  Output output;
  output.code = code;
  output.err = config::render(problem, program, colour);
  for (const std::string& hint : hints)
    output.err += fmt::format("  {}\n", config::printable(hint));
  return output;
}

}  // namespace pronghorn::app::cli
