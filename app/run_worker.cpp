// SPDX-License-Identifier: Apache-2.0
#include "app/run_worker.h"

#include "app/descriptor_budget.h"
#include "app/routes.h"
#include "base/log.h"
#include "base/uv/title.h"
#include "config/access_log_format.h"
#include "config/print.h"
#include "worker/privileges.h"
#include "worker/signals.h"
#include "worker/worker.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::app {
namespace {

constexpr std::chrono::seconds kAlarmGrace{
    5};  // beyond drain_timeout, for a loop that never turns again

/// The sealed memfd that the master handed down (config_fd of Boot).
Result<config::Config> read_config(int fd) {
  UniqueFd file(fd);
  struct stat status{};
  if (::fstat(fd, &status) != 0)
    return std::unexpected(Error::system(errno, "no configuration from the master"));
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  if (n != status.st_size)
    return std::unexpected(Error("the configuration from the master is cut short"));
  return config::from_toml(text);
}

/// A terminal gets the form for people, unless another was asked for.
void choose_log_format(worker::Worker::Options& options) {
  const config::Config& config = options.config;
  const bool is_terminal = config.access_log == "-" && ::isatty(STDERR_FILENO) != 0;
  if (is_terminal && config.access_log_format == config::Config().access_log_format) return;
  auto format = config::parse_log_format(config.access_log_format);
  if (format) {
    options.access_log_format = std::move(*format);
  } else {
    options.fault = Error("'access_log_format': " + format.error().message);
  }
}

/// The master has opened them, but what is below is asked for as who we are: a root that we may not
/// enter.
std::optional<Error> closed_root(const config::Config& config, const std::vector<int>& roots) {
  std::vector<const std::string*> paths{&config.root};
  for (const auto& host : config.hosts) paths.push_back(&host.site.root);
  std::erase_if(paths, [](const std::string* path) { return path->empty(); });
  for (std::size_t i = 0; i < std::min(paths.size(), roots.size()); ++i) {
    if (::faccessat(roots[i], ".", X_OK, 0) == 0) continue;
    return Error::system(errno, "the workers' user cannot enter the root '" + *paths[i] + "'");
  }
  return std::nullopt;
}

/// The directories that the master opened, in the order of the sites that have one: the default
/// site's first.
void use_inherited_roots(config::Config& config, const std::vector<int>& roots) {
  std::size_t next = 0;
  auto replace = [&](std::string& root) {
    if (!root.empty() && next < roots.size())
      root = "/proc/self/fd/" + std::to_string(roots[next++]);
  };
  replace(config.root);
  for (auto& host : config.hosts) replace(host.site.root);
}

/// App::loop() as long as there is one.
struct LoopOfProgram {
  LoopOfProgram(const WorkersProgram& program, Loop& loop) : place(program.loop) {
    if (place != nullptr) *place = &loop;
  }
  LoopOfProgram(const LoopOfProgram&) = delete;
  ~LoopOfProgram() {
    if (place != nullptr) *place = nullptr;
  }
  Loop** place;
};

int fail(const Error& error) {
  log::critical("cannot start", {{"why", error.message()}});
  return 1;
}

}  // namespace

int run_worker(WorkerStart start, Router router) {
  worker::ignore_group_signals();
  std::string name =
      start.boot ? "worker " + std::to_string(start.boot->slot + 1) : "worker " + start.unique_id;
  uv::set_process_title("pronghorn: " + name);
  auto config = start.boot ? read_config(start.boot->config_fd) : start.own_config();
  if (!config) return fail(config.error());
  log::Options log_options{
      .level = log::Level::info, .form = log::Form::automatic, .colour = start.colour, .who = name};
  static_cast<void>(log::parse_level(config->log.level, log_options.level));
  log::configure(log_options);
  if (start.boot && start.boot->uid >= 0) {
    if (auto dropped = worker::check_privileges_dropped(static_cast<uid_t>(start.boot->uid));
        !dropped) {
      return fail(dropped.error());
    }
  }
  worker::end_after_parent(std::chrono::duration_cast<std::chrono::seconds>(config->drain_timeout) +
                           kAlarmGrace);

  std::uint64_t workers = start.boot ? start.boot->doorbells.size() : 1;
  std::uint64_t descriptors = raise_descriptor_limit();
  std::uint64_t& kept_files = config->files.cache_descriptors;
  std::uint64_t sites = sites_with_root(*config);
  kept_files = sites == 0 ? 0
                          : kept_files_limit(kept_files, descriptors, workers,
                                             config->max_connections, sites);
  if (config->max_connections == 0) descriptors -= kept_files;
  auto limit = connection_limit(config->max_connections, descriptors, workers, sites);
  if (!limit) return fail(limit.error());

  worker::Worker::Options options{.config = std::move(*config),
                                  .max_connections = *limit,
                                  .channel = std::move(start.channel),
                                  .boot = std::move(start.boot),
                                  .access_log_format = {},
                                  .colour = start.colour,
                                  .fault = {}};
  choose_log_format(options);
  if (options.boot) {
    options.fault = closed_root(options.config, options.boot->root_fds);
    use_inherited_roots(options.config, options.boot->root_fds);
  }
  std::vector<std::string> hidden;
  if (!start.config_file.empty()) hidden.push_back(start.config_file);
  Loop loop;
  auto routed = add_configured_routes(router, options.config);
  if (routed && !options.fault) routed = add_sites(loop, router, options.config, hidden);
  if (!routed && !options.fault) options.fault = routed.error();

  const bool can_serve = !options.fault;
  LoopOfProgram announced(start.program, loop);
  auto worker = worker::Worker::create(loop, std::move(options), std::move(router));
  if (!worker) return fail(worker.error());
  WorkerHooks* hooks = can_serve ? start.program.hooks : nullptr;
  if (hooks != nullptr) {
    if (auto started = hooks->call_start(); !started) return fail(started.error());
  }
  (*worker)->start();
  int code = loop.run();
  if (hooks != nullptr) hooks->call_stop();
  worker->reset();
  return code;
}

}  // namespace pronghorn::app
