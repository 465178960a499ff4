// SPDX-License-Identifier: Apache-2.0
// spawn and fork: Node's child_process.spawn and child_process.fork.
#pragma once

#include <pronghorn/process/child_process.h>
#include <pronghorn/process/options.h>

#include <string>
#include <vector>

namespace pronghorn::process {

/// Starts `file` with `args` (argv[1…]), found on the child's PATH when it has no '/'. With
/// `options.shell` `file` is one command for the shell, and `args` must be empty.
///
/// ENOENT, EACCES, EAGAIN, EMFILE and ENFILE come to on_error, then on_close: the result holds a
/// child without pid. @errors wrong arguments, before anything starts: Errc::invalid_arg_value (NUL
/// bytes, an empty file, arguments beside a shell), Errc::out_of_range (a negative time),
/// Errc::unknown_signal, Errc::ipc_one_pipe, EBADF (a descriptor in stdio that is not open),
/// Errc::unsupported_serialization; and what else the kernel refuses: E2BIG, EPERM (uid, gid) …
[[nodiscard]] Result<ChildProcess> spawn(Loop& loop, std::string file,
                                         std::vector<std::string> args = {},
                                         const SpawnOptions& options = {});

/// Starts options.exec_path with {exec_argv…, module_path, args…} and a channel as descriptor 3
/// (wherever `ipc` stands in stdio). For a Node script say `.exec_path = "node"`: empty, it is this
/// program again, which a child that was started so and has not asked for parent() is refused.
/// @errors as spawn; Errc::ipc_required
[[nodiscard]] Result<ChildProcess> fork(Loop& loop, std::string module_path,
                                        std::vector<std::string> args = {},
                                        const ForkOptions& options = {});

}  // namespace pronghorn::process
