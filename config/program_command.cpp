// SPDX-License-Identifier: Apache-2.0
#include "config/program_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::config {
namespace {

constexpr std::string_view kNode = "node";

/// 0, or why it cannot be executed.
int exec_errno(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return ::access(file.c_str(), X_OK) == 0 ? 0 : errno;
}

bool is_on_path(std::string_view name, std::string_view path) {
  while (true) {
    const auto colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    // An empty entry is the working directory (execvp(3)).
    if (exec_errno(fmt::format("{}/{}", folder.empty() ? "." : folder, name)) == 0) return true;
    if (colon == std::string_view::npos) return false;
    path.remove_prefix(colon + 1);
  }
}

ProgramFault fault(int error, const std::string& file, std::string hint = {}) {
  const std::string why = error == ENOENT   ? "no such file"
                          : error == EISDIR ? "it is a directory"
                                            : errno_text(error);
  return {error, fmt::format("cannot run '{}': {}", file, why), std::move(hint)};
}

std::expected<ProgramCommand, ProgramFault> script_command(const Program& program,
                                                           std::string_view path) {
  const std::string node(program.node.empty() ? kNode : std::string_view(program.node));
  const bool has_slash = node.find('/') != std::string::npos;
  if (has_slash) {
    if (const int error = exec_errno(node); error != 0) return std::unexpected(fault(error, node));
  } else if (!is_on_path(node, path)) {
    return std::unexpected(ProgramFault{
        ENOENT, fmt::format("cannot run '{}': there is no '{}' on the PATH", program.file, node),
        "where it is somewhere else, name it: --node PATH, or 'node' in [[programs]]"});
  }
  struct stat status{};
  if (::stat(program.file.c_str(), &status) != 0) {
    return std::unexpected(fault(errno, program.file));
  }
  // Node takes a directory, too (its package.json or index.js).
  if (!S_ISDIR(status.st_mode) && ::access(program.file.c_str(), R_OK) != 0) {
    return std::unexpected(fault(errno, program.file));
  }
  ProgramCommand command{node, {program.file}};
  command.args.insert(command.args.end(), program.args.begin(), program.args.end());
  return command;
}

}  // namespace

bool Program::is_script() const noexcept {
  return !node.empty() || file.ends_with(".js") || file.ends_with(".cjs") || file.ends_with(".mjs");
}

std::string Program::title() const {
  if (!name.empty()) return name;
  const auto slash = file.find_last_of('/');
  std::string last = slash == std::string::npos ? file : file.substr(slash + 1);
  return last.empty() ? file : last;
}

std::expected<ProgramCommand, ProgramFault> program_command(const Program& program,
                                                            std::string_view path) {
  if (program.is_script()) return script_command(program, path);
  const int error = exec_errno(program.file);
  if (program.file.find('/') != std::string::npos) {
    if (error == 0) return ProgramCommand{program.file, program.args};
  } else {
    if (error == 0) return ProgramCommand{"./" + program.file, program.args};
    if (error == ENOENT && is_on_path(program.file, path)) {
      return ProgramCommand{program.file, program.args};
    }
  }
  return std::unexpected(
      fault(error, program.file,
            error == EACCES ? "a script of Node's ends in .js, .cjs or .mjs, or is run with --node"
                            : std::string()));
}

}  // namespace pronghorn::config
