// SPDX-License-Identifier: Apache-2.0
#include "app/run_master.h"

#include "app/access_log_file.h"
#include "app/cli/output.h"
#include "app/descriptor_budget.h"
#include "app/exit_codes.h"
#include "app/identity.h"
#include "app/panel.h"
#include "app/routes.h"
#include "app/version.h"
#include "base/log.h"
#include "base/nonblocking_writer.h"
#include "base/uv/title.h"
#include "config/cpus.h"
#include "config/print.h"
#include "config/program_command.h"
#include "master/master.h"
#include "master/process_setup.h"
#include "server/router_impl.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <expected>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::app {
namespace {

constexpr int kSecondInterrupt = 130;  // Master's word for: die by the signal

// `text` may have further, indented lines (StartFailure::text): facts and hints.
int fail(const cli::Sources& sources, int code, std::string_view text) {
  bool colour = cli::use_colour(sources.colour, STDERR_FILENO);
  std::string_view first = text.substr(0, text.find('\n'));
  std::vector<std::string> hints;
  for (text.remove_prefix(first.size()); !text.empty();) {
    text.remove_prefix(std::min(text.find_first_not_of("\n "), text.size()));
    std::string_view hint = text.substr(0, text.find('\n'));
    if (!hint.empty()) hints.emplace_back(hint);
    text.remove_prefix(hint.size());
  }
  return cli::failure(code, sources.program, first, hints, colour).emit();
}

void configure_log(const config::Config& config, cli::Colour colour) {
  log::Options options{.level = log::Level::info,
                       .form = log::Form::automatic,
                       .colour = cli::use_colour(colour, STDERR_FILENO),
                       .who = "master"};
  static_cast<void>(log::parse_level(config.log.level, options.level));
  log::configure(options);
}

constexpr std::string_view kKeepsRoot = "running as root; workers keep root too (set user = \"…\")";

constexpr std::string_view kKeepsRootGroup =
    "workers are in root's group, to which files of the system may be open (set group = \"…\")";

/// What the workers keep of root; empty: nothing.
std::string_view kept_of_root(const std::optional<master::Identity>& identity) {
  const uid_t uid = identity ? identity->uid : ::geteuid();
  if (uid == 0) return kKeepsRoot;
  if (!identity) return {};  // what was started as somebody else is not ours to judge
  const bool in_group = identity->gid == 0 || std::ranges::count(identity->groups, gid_t{0}) > 0;
  return in_group ? kKeepsRootGroup : std::string_view();
}

std::vector<std::string> notes(const config::Config& config, const config::CpuCount& cpus,
                               std::string_view kept) {
  std::vector<std::string> out;
  struct stat status{};
  if (!config.root.empty() && !config.index.empty() && !config.listing &&
      ::stat((config.root + "/" + config.index.front()).c_str(), &status) != 0) {
    out.push_back(config.root + " has no " + config.index.front() +
                  " and listing is off; turn it on: --listing");
  }
  if (!kept.empty()) out.emplace_back(kept);
  if (config.workers == 0 && !cpus.note().empty()) out.push_back(cpus.note());
  return out;
}

/// Once; at a terminal the panel says it.
void warn_of_root(std::string_view kept) {
  if (kept.empty() || ::isatty(STDERR_FILENO) != 0) return;
  const bool is_user = kept == kKeepsRoot;
  log::warn(is_user ? "workers keep root" : "workers keep root's group",
            {{"hint", is_user ? "set user" : "set group"}}, kept);
}

/// The panel for a terminal, then the one line of standard output.
void announce(const master::Master::Ready& ready, const std::string& what,
              std::vector<std::string> remarks) {
  if (::isatty(STDERR_FILENO) != 0) {
    std::string panel = panel_text({.what = what,
                                    .workers = ready.workers,
                                    .listeners = ready.addresses,
                                    .opened = ready.opened,
                                    .networks = network_addresses(),
                                    .notes = std::move(remarks)});
    NonblockingWriter(STDERR_FILENO).write(panel);
  }
  std::string line = ready_line(ready.addresses, ready.opened, ready.workers, ready.pid);
  // Nobody reading is no reason not to serve, nor to wait.
  NonblockingWriter(STDOUT_FILENO).write(line);
}

/// What the workers of foreign programs are started from; `check` and load_sources have looked at
/// the files.  @errors one that went away meanwhile
std::expected<std::vector<master::Master::Program>, std::string> programs_of(
    const config::Config& config, std::uint32_t cpus) {
  const char* path = std::getenv("PATH");
  std::vector<master::Master::Program> out;
  for (const auto& program : config.programs) {
    auto command = config::program_command(program, path == nullptr ? "" : path);
    if (!command) return std::unexpected(command.error().text);
    out.push_back(
        {.title = program.title(),
         .file = std::move(command->file),
         .args = std::move(command->args),
         .workers = program.workers != 0 ? static_cast<std::uint32_t>(program.workers) : cpus});
  }
  return out;
}

/// Of `run`: the program is all that there is. What it listens on is its own business.
void keep_programs_only(config::Config& config) {
  config.listen.clear();
  static_cast<config::Site&>(config) = {};
  config.hosts.clear();
  config.access_log = "off";
  config.max_connections = 0;
}

/// Of the sites that have a root, the default one first. Opened once: a directory that is renamed,
/// or gone for a moment, is the same one to a new worker.
/// @errors one that went away since the configuration was checked
Result<std::vector<UniqueFd>> open_roots(const config::Config& config) {
  std::vector<const std::string*> paths{&config.root};
  for (const auto& host : config.hosts) paths.push_back(&host.site.root);
  std::vector<UniqueFd> roots;
  for (const std::string* path : paths) {
    if (path->empty()) continue;
    roots.emplace_back(::open(path->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!roots.back()) return std::unexpected(Error::system(errno, "cannot serve '" + *path + "'"));
  }
  return roots;
}

std::vector<int> numbers_of(const std::vector<UniqueFd>& descriptors) {
  std::vector<int> numbers;
  for (const UniqueFd& fd : descriptors) numbers.push_back(fd.get());
  return numbers;
}

/// As the shell expects of a program that Ctrl-C ended.
int die_by_interrupt() {
  ::signal(SIGINT, SIG_DFL);
  ::raise(SIGINT);
  return kSecondInterrupt;
}

}  // namespace

int run_master(MasterStart start, Router router) {
  config::Config& config = start.loaded.config;
  const cli::Sources& sources = start.sources;
  const bool is_run = sources.program_to_run.has_value();
  if (is_run) keep_programs_only(config);
  if (auto routed = add_configured_routes(router, config); !routed) {
    return fail(sources, kBadConfiguration, routed.error().message());
  }
  const auto inherited = master::open_descriptors();
  master::prepare_process();
  configure_log(config, sources.colour);

  auto cpus = config::available_cpus();
  auto workers = static_cast<std::uint32_t>(config.workers != 0 ? config.workers : cpus.count);
  if (is_run) workers = 0;
  auto programs = programs_of(config, cpus.count);
  if (!programs) return fail(sources, kInvalidArgument, programs.error());
  if (auto limit = connection_limit(config.max_connections, raise_descriptor_limit(), workers,
                                    sites_with_root(config));
      !limit) {
    return fail(sources, config.max_connections != 0 ? kBadConfiguration : kTemporaryFailure,
                limit.error().message());
  }
  auto identity = worker_identity(config);
  if (!identity) return fail(sources, identity.error().exit_code, identity.error().text);
  const std::string_view kept = kept_of_root(*identity);
  auto access_log = open_access_log(config);
  if (!access_log) return fail(sources, kNoPermission, access_log.error().message());

  auto roots = open_roots(config);
  if (!roots) return fail(sources, kInvalidArgument, roots.error().message());
  std::string what =
      is_run ? config.programs.front().title()
             : sources.directory.value_or(config.root.empty() ? sources.program : config.root);
  Loop loop;
  master::Master master(loop, {.config = config,
                               .config_toml = config::to_toml(config),
                               .config_file = start.loaded.file,
                               .version = kVersion,
                               .argv = std::move(start.argv),
                               .workers = workers,
                               .programs = std::move(*programs),
                               .access_log = std::move(*access_log),
                               .root_fds = numbers_of(*roots),
                               .inherited = inherited,
                               .counts_clients = config.count_clients() || router.impl().has_limits,
                               .identity = std::move(*identity),
                               .policy = {},
                               .on_ready = [&](const auto& ready) {
                                 warn_of_root(kept);
                                 announce(ready, what, notes(config, cpus, kept));
                               }});
  uv::set_process_title(sources.program + ": master" + (is_run ? " " + what : std::string()));
  if (auto started = master.start(); !started)
    return fail(sources, started.error().exit_code, started.error().text);
  int code = loop.run();
  return code == kSecondInterrupt ? die_by_interrupt() : code;
}

}  // namespace pronghorn::app
