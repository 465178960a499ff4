// SPDX-License-Identifier: Apache-2.0
#include "app/reopen_command.h"

#include <doctest/doctest.h>

using namespace pronghorn;

TEST_CASE("reopen text: what was done, what was not, and the exit code") {
  master::ReopenOutcome outcome{
      .path = "/var/log/a.log", .error = {}, .workers = {{1, 11, 3, {}}, {2, 12, 41, {}}}};
  auto output = app::reopen_output(outcome, false);
  CHECK(output.out == "/var/log/a.log is open anew: 2 workers after 41 ms\n");
  CHECK(output.code == 0);

  outcome.workers[1].ms = -1;
  output = app::reopen_output(outcome, false);
  CHECK(output.out.empty());
  CHECK(output.err ==
        "pronghorn: error: 1 of 2 workers writes to the new /var/log/a.log\n"
        "  worker 2 (pid 12) has not answered; it will write to the new file when it does\n");
  CHECK(output.code == 1);

  outcome.workers[1].error = "no descriptors";
  CHECK(
      app::reopen_output(outcome, false).err.contains("worker 2 (pid 12) cannot: no descriptors"));

  output = app::reopen_output({.path = "/x", .error = "cannot open '/x'", .workers = {}}, false);
  CHECK(output.err ==
        "pronghorn: error: cannot open '/x'\n  the file that is open is still written to\n");
  CHECK(output.code == 1);

  output = app::reopen_output({}, false);
  CHECK(output.out == "there is no log file to open anew\n");
  CHECK(output.code == 0);
}
