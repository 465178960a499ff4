// SPDX-License-Identifier: Apache-2.0
// Children of a test: what they told, and how they ended.
#pragma once

#include <pronghorn/process/spawn.h>

#include "tests/unit/ipc/channel_fixture.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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

/// A child whose events are noted in their order: "spawn", "exit 0", "exit SIGTERM", "close 0" …
struct Child {
  std::optional<process::ChildProcess> process;
  std::vector<std::string> events;
  std::string out;
  std::string err;
  std::vector<std::string> messages;
  std::vector<std::string> internals;
  std::vector<ipc::ReceivedHandle> handles;
  std::vector<Error> errors;
  std::optional<process::Exit> exit;
  bool closed = false;

  process::ChildProcess* operator->() { return &*process; }
  /// Listens for everything but messages and output, which wait.
  void take(Result<process::ChildProcess> made) {
    if (!made) FAIL(made.error().message());
    process = std::move(*made);
    process->on_spawn([this] { events.emplace_back("spawn"); });
    process->on_error([this](const Error& error) {
      events.push_back("error " + error.name());
      errors.push_back(error);
    });
    process->on_disconnect([this] { events.emplace_back("disconnect"); });
    process->on_exit([this](const process::Exit& e) {
      exit = e;
      events.push_back("exit " + text(e));
    });
    process->on_close([this](const process::Exit& e) {
      closed = true;
      events.push_back("close " + text(e));
    });
  }
  Child& read() {
    process->out().on_data([this](std::string_view bytes) { out += bytes; });
    process->err().on_data([this](std::string_view bytes) { err += bytes; });
    return *this;
  }
  Child& receive() {
    auto note = [this](std::vector<std::string>& into) {
      return [this, &into](const Json& m, ipc::ReceivedHandle& handle) {
        into.push_back(m.dump());
        if (handle) handles.push_back(std::move(handle));
      };
    };
    process->on_message(note(messages));
    process->on_internal(note(internals));
    return *this;
  }
  void spawn(Loop& loop, std::string file, std::vector<std::string> args = {},
             const process::SpawnOptions& options = {}) {
    take(process::spawn(loop, std::move(file), std::move(args), options));
  }
  void shell(Loop& loop, std::string script, process::SpawnOptions options = {}) {
    options.shell = true;
    take(process::spawn(loop, std::move(script), {}, options));
  }
  /// A shell with a channel as its descriptor 3.
  void fork_shell(Loop& loop, std::string script, process::ForkOptions options = {}) {
    options.exec_path = "/bin/sh";
    options.exec_argv = {"-c"};
    take(process::fork(loop, std::move(script), {}, options));
  }
  void fork_node(Loop& loop, std::string script, process::ForkOptions options = {}) {
    options.exec_path = "node";
    options.exec_argv = {"-e"};
    take(process::fork(loop, std::move(script), {}, options));
  }
  bool saw(std::string_view event) const {
    return std::find(events.begin(), events.end(), event) != events.end();
  }
  static std::string text(const process::Exit& e) {
    return e.signal ? process::signal_name(*e.signal) : std::to_string(e.code.value());
  }
};

using Events = std::vector<std::string>;

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
