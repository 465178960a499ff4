// SPDX-License-Identifier: Apache-2.0
#include "app/run.h"

#include "app/cli/output.h"
#include "app/cli/sources.h"
#include "app/exit_codes.h"
#include "app/run_master.h"

namespace pronghorn::app {

int run(const cli::Run& command, int argc, char** argv) {
  auto loaded = cli::load_sources(command.sources, config::current_environment(), false);
  if (!loaded) return loaded.error().emit();
  cli::Output{.out = {}, .err = std::move(loaded->warnings), .code = kSuccess}.emit();
  return run_master({.sources = command.sources,
                     .loaded = std::move(loaded->outcome),
                     .argv = {argv, argv + argc}},
                    Router());
}

}  // namespace pronghorn::app
