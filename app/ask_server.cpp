// SPDX-License-Identifier: Apache-2.0
#include "app/ask_server.h"

#include "app/exit_codes.h"
#include "master/control_client.h"
#include "master/control_path.h"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace pronghorn::app {
namespace {

cli::Output several(const cli::Ask& asked, std::string_view name,
                    const std::vector<master::ControlSocket>& sockets) {
  bool colour = cli::use_colour(asked.colour, STDERR_FILENO);
  std::string pids;
  for (const auto& socket : sockets)
    pids += fmt::format("{}{}", pids.empty() ? "" : ", ", socket.pid);
  return cli::failure(kInvalidArgument, "pronghorn",
                      fmt::format("{} servers run here: pids {}", sockets.size(), pids),
                      {fmt::format("try: pronghorn {} --pid {}", name, sockets.front().pid)},
                      colour);
}

std::expected<std::string, cli::Output> find_socket(const cli::Ask& asked, std::string_view name) {
  if (asked.control) return *asked.control;
  // The variable that `serve` takes its `control` key from, unless a server is named otherwise.
  const char* variable = std::getenv("PRONGHORN_CONTROL");
  if (!asked.pid && variable != nullptr && *variable != '\0') return variable;
  std::string folder = master::control_folder();
  if (asked.pid) return master::control_path(folder, static_cast<int>(*asked.pid));
  auto sockets = master::find_control_sockets(folder);
  if (sockets.empty()) {
    return std::unexpected(unavailable(
        asked, "no server of this user is running",
        {"looked in " + folder, "try: --control PATH, if its configuration sets 'control'"}));
  }
  if (sockets.size() > 1) return std::unexpected(several(asked, name, sockets));
  return sockets.front().path;
}

}  // namespace

std::expected<std::string, cli::Output> ask_server(const cli::Ask& asked, std::string_view name,
                                                   Millis timeout) {
  auto socket = find_socket(asked, name);
  if (!socket) return std::unexpected(std::move(socket).error());
  auto answer = master::ask(*socket, name, timeout);
  if (!answer) return std::unexpected(unavailable(asked, answer.error().message()));
  return *answer;
}

cli::Output unavailable(const cli::Ask& asked, const std::string& text,
                        const std::vector<std::string>& hints) {
  bool colour = cli::use_colour(asked.colour, STDERR_FILENO);
  return cli::failure(kUnavailable, "pronghorn", text, hints, colour);
}

}  // namespace pronghorn::app
