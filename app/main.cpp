// SPDX-License-Identifier: Apache-2.0
// The program `pronghorn`: one command of app/cli each.
#include "app/check_command.h"
#include "app/cli/parse.h"
#include "app/config_command.h"
#include "app/reopen_command.h"
#include "app/run.h"
#include "app/serve.h"
#include "app/status_command.h"
#include "base/standard_descriptors.h"
#include "base/uv/title.h"
#include "config/load.h"

namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace pronghorn;
  using namespace pronghorn::app;
  ensure_standard_descriptors();
  argv = uv::setup_args(argc, argv);
  const auto environment = config::current_environment();
  return std::visit(
      Overloaded{
          [&](const cli::Serve& command) { return serve(command.sources, argc, argv, Router()); },
          [&](const cli::Run& command) { return run(command, argc, argv); },
          [&](const cli::Check& check) { return check_command(check, environment).emit(); },
          [&](const cli::ShowConfig& show) { return config_command(show, environment).emit(); },
          [](const cli::Status& status) { return run_status(status); },
          [](const cli::Reopen& reopen) { return run_reopen(reopen); },
          [](const cli::Output& output) { return output.emit(); },
      },
      cli::parse_program(argc, argv));
}
