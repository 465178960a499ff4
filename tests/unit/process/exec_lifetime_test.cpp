// SPDX-License-Identifier: Apache-2.0
// Who may go while a command runs: its ChildProcess, what its callback owns, the loop.
#include "tests/unit/process/exec_support.h"

#include <memory>
#include <vector>

namespace pronghorn::process {
namespace {

using test::exit_code;
using test::exit_signal;
using test::Outcome;
using test::run_to_end;

using namespace std::chrono_literals;

TEST_CASE("exec: the callback comes also when the ChildProcess was dropped, its listeners do not") {
  Loop loop;
  Outcome outcome;
  int heard = 0;
  {
    auto child = exec(loop, "echo kept; sleep 0.05; echo on", {}, outcome.callback());
    REQUIRE(child.has_value());
    child->on_exit([&](const Exit&) { ++heard; });
    child->on_close([&](const Exit&) { ++heard; });
    child->out().on_data([&](std::string_view) { ++heard; });
  }
  run_to_end(loop);
  REQUIRE(outcome.calls == 1);
  CHECK(outcome.result->out == "kept\non\n");
  CHECK(heard == 0);
}

TEST_CASE("exec: limits hold also when the ChildProcess was dropped") {
  Loop loop;
  Outcome outcome;
  (void)exec(loop, "exec sleep 100", {.timeout = 100ms}, outcome.callback());
  run_to_end(loop);
  REQUIRE(outcome.calls == 1);
  CHECK(outcome.result->exit == exit_signal(SIGTERM));
}

TEST_CASE("exec: the callback may destroy the ChildProcess, and start another") {
  Loop loop;
  Outcome second;
  std::unique_ptr<ChildProcess> child;
  int late = 0;
  auto first = exec(loop, "true", {}, [&](const ExecResult& r) {
    CHECK(r.ok());
    child.reset();
    (void)exec(loop, "echo again", {}, second.callback());
  });
  REQUIRE(first.has_value());
  child = std::make_unique<ChildProcess>(std::move(*first));
  child->on_close([&](const Exit&) { ++late; });
  run_to_end(loop);
  CHECK(second.calls == 1);
  CHECK(second.result->out == "again\n");
  CHECK(late == 0);
}

TEST_CASE("exec: a listener for exit may destroy the ChildProcess, the callback still comes") {
  Loop loop;
  Outcome outcome;
  std::optional<ChildProcess> child;
  auto started = exec(loop, "echo out", {}, outcome.callback());
  REQUIRE(started.has_value());
  child = std::move(*started);
  child->on_exit([&](const Exit&) { child.reset(); });
  run_to_end(loop);
  CHECK(outcome.calls == 1);
  CHECK(outcome.result->out == "out\n");
}

TEST_CASE("exec: no callback of a write comes once the first has dropped the ChildProcess") {
  Loop loop;
  Outcome outcome;
  std::optional<ChildProcess> child;
  auto started = exec(loop, "cat", {}, outcome.callback());
  REQUIRE(started.has_value());
  child = std::move(*started);
  int dropped = 0;
  int late = 0;
  child->in().write("a", [&](const Error*) {
    ++dropped;
    child->in().end();
    child.reset();
  });
  child->in().write("b", [&](const Error*) { ++late; });
  run_to_end(loop);
  CHECK(dropped == 1);
  CHECK(late == 0);
  CHECK(outcome.calls == 1);
}

TEST_CASE("exec: a loop that goes takes what is on its way with it, and calls nothing") {
  int calls = 0;
  int pid = 0;
  {
    Loop loop;
    auto token = std::make_shared<int>();
    auto child = exec(loop, "exec sleep 100", {.timeout = 100s},
                      [&calls, token](const ExecResult&) { ++calls; });
    REQUIRE(child.has_value());
    pid = *child->pid();
    (void)exec(loop, "pronghorn-no-such", {.cwd = "/pronghorn/no/such"},
               [&calls](const ExecResult&) { ++calls; });
  }
  CHECK(calls == 0);
  ::kill(pid, SIGKILL);
}

TEST_CASE("exec: a callback that owns its own child is no leak when the loop goes") {
  struct Owner {
    std::optional<ChildProcess> child;
  };
  std::weak_ptr<Owner> watched;
  int pid = 0;
  {
    Loop loop;
    auto owner = std::make_shared<Owner>();
    watched = owner;
    auto child = exec(loop, "exec sleep 100", {}, [owner](const ExecResult&) {});
    REQUIRE(child.has_value());
    pid = *child->pid();
    owner->child = std::move(*child);
  }
  CHECK(watched.expired());
  ::kill(pid, SIGKILL);
}

TEST_CASE("exec: fifty at once keep their outputs apart") {
  Loop loop;
  std::vector<Outcome> outcomes(50);
  std::vector<ChildProcess> children;
  for (int i = 0; i < 50; ++i) {
    auto child = exec(loop, "echo " + std::to_string(i) + "; exit " + std::to_string(i), {},
                      outcomes[static_cast<std::size_t>(i)].callback());
    REQUIRE(child.has_value());
    if (i % 2 == 0) children.push_back(std::move(*child));
  }
  run_to_end(loop);
  for (int i = 0; i < 50; ++i) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(i)];
    REQUIRE(outcome.calls == 1);
    CHECK(outcome.result->out == std::to_string(i) + "\n");
    CHECK(outcome.result->exit == exit_code(i));
  }
}

}  // namespace
}  // namespace pronghorn::process
