// SPDX-License-Identifier: Apache-2.0
#include "app/config_command.h"

#include "app/cli/sources.h"
#include "app/exit_codes.h"
#include "config/print.h"
#include "config/reference.h"

namespace pronghorn::app {

cli::Output config_command(const cli::ShowConfig& show, const config::Environment& environment) {
  if (show.starter) return {.out = config::starter(), .err = {}, .code = kSuccess};
  if (show.reference) return {.out = config::reference(), .err = {}, .code = kSuccess};
  const auto loaded = cli::load_sources(show.sources, environment, false);
  if (!loaded) return loaded.error();
  return {.out = config::print(loaded->outcome, show.changed),
          .err = loaded->warnings,
          .code = kSuccess};
}

}  // namespace pronghorn::app
