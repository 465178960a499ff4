// SPDX-License-Identifier: Apache-2.0
#include "app/serve.h"

#include "app/cli/output.h"
#include "app/cli/sources.h"
#include "app/exit_codes.h"
#include "app/run_master.h"
#include "app/run_worker.h"
#include "ipc/channel.h"

#include <cstdlib>
#include <unistd.h>

namespace pronghorn::app {
namespace {

int fail(const cli::Sources& sources, const Error& error) {
  return cli::failure(kFailure, sources.program, error.message(), {},
                      cli::use_colour(sources.colour, STDERR_FILENO))
      .emit();
}

/// The worker of a primary that is not ours reads the configuration itself.
Result<config::Config> load_own(const cli::Sources& sources) {
  auto loaded =
      cli::load_sources(sources, config::current_environment(), !sources.system_file.empty());
  if (!loaded) {
    loaded.error().emit();
    return std::unexpected(Error("the configuration is wrong"));
  }
  return loaded->outcome.config;
}

}  // namespace

std::string config_file_of_master() {
  const char* file = std::getenv("PRONGHORN_CONFIG");
  return file == nullptr ? std::string() : file;
}

int serve(const cli::Sources& sources, int argc, char** argv, Router router,
          const WorkersProgram& program) {
  std::string unique_id;
  auto channel = ipc::take_inherited_channel(&unique_id);
  if (!channel) return fail(sources, channel.error());
  auto boot = ipc::Boot::take_from_environment();
  if (!boot) return fail(sources, boot.error());
  if (*channel && !unique_id.empty()) {  // as Node tells a cluster worker from a forked program
    return run_worker({.channel = std::move(*channel),
                       .unique_id = unique_id,
                       .boot = std::move(*boot),
                       .config_file = config_file_of_master(),
                       .colour = cli::use_colour(sources.colour, STDERR_FILENO),
                       .own_config = [&] { return load_own(sources); },
                       .program = program},
                      std::move(router));
  }
  auto loaded =
      cli::load_sources(sources, config::current_environment(), !sources.system_file.empty());
  if (!loaded) return loaded.error().emit();
  cli::Output{.out = {}, .err = std::move(loaded->warnings), .code = kSuccess}.emit();
  return run_master(
      {.sources = sources, .loaded = std::move(loaded->outcome), .argv = {argv, argv + argc}},
      std::move(router));
}

}  // namespace pronghorn::app
