// SPDX-License-Identifier: Apache-2.0
// The options of spawn, fork, exec, exec_file and the synchronous forms: Node's names, C++'s types.
// docs/reference/child_process.md has every one with its edges.
#pragma once

#include <pronghorn/ipc/limits.h>
#include <pronghorn/process/environment.h>
#include <pronghorn/process/signal.h>
#include <pronghorn/process/stdio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace pronghorn::process {

using Milliseconds = std::chrono::milliseconds;

/// How long a child that was told to end by `timeout` may take before SIGKILL (Node never
/// escalates). Milliseconds::max() never escalates.
inline constexpr Milliseconds kDefaultKillGrace{5000};
/// Node's maxBuffer: bytes of each of stdout and stderr.
inline constexpr std::size_t kDefaultMaxBuffer = 1024 * 1024;
inline constexpr std::size_t kUnlimited = SIZE_MAX;

/// Whether there is a shell, and which: `true` is /bin/sh, a text its path.
class Shell {
 public:
  Shell() = default;
  Shell(bool on) : path_(on ? "/bin/sh" : "") {}       // NOLINT(google-explicit-constructor)
  Shell(const char* path) : path_(path) {}             // NOLINT(google-explicit-constructor)
  Shell(std::string path) : path_(std::move(path)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const noexcept { return !path_.empty(); }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// 'advanced' is V8's own format, and refused (Errc::unsupported_serialization).
enum class Serialization : std::uint8_t { json, advanced };

/// What the collected output becomes.
enum class Encoding : std::uint8_t {
  buffer,  ///< the bytes as they came
  utf8,    ///< what is no UTF-8 becomes U+FFFD; a character that max_buffer cuts is left out
};

struct SpawnOptions {
  std::string cwd{};        ///< empty: inherited
  Environment env{};        ///< replaces the environment, PATH for finding the file included
  Environment env_merge{};  ///< changes it
  std::optional<std::string> argv0{};  ///< argv[0]; else the file
  StdioList stdio{};                   ///< pipes
  bool detached = false;               ///< setsid(2): a session and process group of its own
  /// setpgid(2): a process group of its own in our session. The terminal's Ctrl-C does not reach
  /// it, and it keeps its share of the CPU, which the kernel may give by session (sched(7),
  /// autogroup).
  bool own_group = false;
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  /// With uid or gid: the supplementary groups (initgroups(3)); Node's children have none.
  std::vector<gid_t> groups{};
  /// With uid: gives up every privilege for good, set-user-ID programs included, or fails to start.
  bool no_way_back = false;
  Shell shell{};             ///< the file is one command for it; arguments beside it are refused
  std::stop_token signal{};  ///< Node's AbortSignal; may be stopped from any thread
  Milliseconds timeout{0};   ///< 0: none
  Milliseconds kill_grace = kDefaultKillGrace;
  Signal kill_signal = SIGTERM;  ///< for timeout and signal
  Serialization serialization = Serialization::json;
  ipc::ChannelLimits channel_limits{};
};

struct ForkOptions {
  std::string cwd{};
  Environment env{};
  Environment env_merge{};
  std::optional<std::string> argv0{};
  StdioList stdio{};    ///< must hold an `ipc`; default: inherit, inherit, inherit, ipc
  bool silent = false;  ///< pipes in place of inherit, where stdio is not given
  bool detached = false;
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  std::string exec_path{};               ///< what is started; empty: this program (/proc/self/exe)
  std::vector<std::string> exec_argv{};  ///< its arguments before the module
  std::stop_token signal{};
  Milliseconds timeout{0};
  Milliseconds kill_grace = kDefaultKillGrace;
  Signal kill_signal = SIGTERM;
  Serialization serialization = Serialization::json;
  ipc::ChannelLimits channel_limits{};
};

/// exec and exec_file. `shell` is exec's alone by default: /bin/sh there, none in exec_file.
struct ExecOptions {
  std::string cwd{};
  Environment env{};
  Environment env_merge{};
  Encoding encoding = Encoding::buffer;
  std::optional<Shell> shell{};
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  std::size_t max_buffer = kDefaultMaxBuffer;  ///< bytes a stream; one more ends the child
  std::stop_token signal{};
  Milliseconds timeout{0};
  Milliseconds kill_grace = kDefaultKillGrace;
  Signal kill_signal = SIGTERM;  ///< for timeout, signal and max_buffer
};

/// spawn_sync, exec_sync and exec_file_sync.
struct SyncOptions {
  std::string cwd{};
  Environment env{};
  Environment env_merge{};
  std::optional<std::string> argv0{};
  /// Pipes. exec_sync and exec_file_sync copy stderr to ours at the end where this is not given.
  StdioList stdio{};
  std::optional<std::string> input{};  ///< what the child reads; overrides stdio[0]
  Encoding encoding = Encoding::buffer;
  std::optional<Shell> shell{};
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  std::size_t max_buffer = kDefaultMaxBuffer;
  Milliseconds timeout{0};
  Milliseconds kill_grace = kDefaultKillGrace;
  Signal kill_signal = SIGTERM;
};

}  // namespace pronghorn::process
