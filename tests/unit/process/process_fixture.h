// SPDX-License-Identifier: Apache-2.0
// Children of a test: what they told, and how they ended.
#pragma once

#include "process/child.h"
#include "tests/unit/ipc/channel_fixture.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>

namespace pronghorn::test {

/// Whether there is a Node to test against; says so when there is none.
inline bool has_node() {
  std::istringstream path(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  for (std::string folder; std::getline(path, folder, ':');) {
    if (::access((folder + "/node").c_str(), X_OK) == 0) return true;
  }
  MESSAGE("skipped: no 'node' on PATH");
  return false;
}

struct Child {
  Told told;
  std::optional<process::Exit> exit;
  std::optional<process::ChildProcess> process;

  process::ChildProcess::Handlers handlers() {
    process::ChildProcess::Handlers h;
    h.channel = told.handlers();
    h.on_exit = [this](const process::Exit& e) { exit = e; };
    return h;
  }
  void start(Loop& loop, const process::ForkOptions& options) {
    auto forked = process::ChildProcess::fork(loop, options, handlers());
    REQUIRE(forked.has_value());
    process = std::move(*forked);
  }
  void start_node(Loop& loop, const char* script, std::vector<std::string> env = {}) {
    process::ForkOptions options;
    options.exec_path = "node";
    options.args = {"node", "-e", script};
    options.env = std::move(env);
    start(loop, options);
  }
  bool is_over() const { return exit.has_value() && told.disconnects == 1; }
};

/// One request to 127.0.0.1:port over a connection of its own; the body of the answer, or "".
inline std::string http_get(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval limit{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return "";
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  std::array<char, 4096> space{};
  for (ssize_t n = 0; (n = ::recv(fd.get(), space.data(), space.size(), 0)) > 0;) {
    answer.append(space.data(), static_cast<std::size_t>(n));
  }
  auto body = answer.find("\r\n\r\n");
  return body == std::string::npos ? "" : answer.substr(body + 4);
}

/// Runs a Node program that may use process.env.HELPER, this test program; all it printed, and its
/// exit code.
inline std::string run_node(const char* script) {
  ::setenv("SCRIPT", script, 1);
  ::setenv("HELPER", std::filesystem::read_symlink("/proc/self/exe").c_str(), 1);
  FILE* pipe = ::popen("exec node -e \"$SCRIPT\" 2>&1", "re");
  std::string out;
  std::array<char, 4096> space{};
  for (std::size_t n = 0; (n = std::fread(space.data(), 1, space.size(), pipe)) > 0;) {
    out.append(space.data(), n);
  }
  int status = ::pclose(pipe);
  return out + "exit " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -1) + "\n";
}

}  // namespace pronghorn::test
