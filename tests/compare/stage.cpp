// SPDX-License-Identifier: Apache-2.0
// One scenario by its name: prints its events, one line of JSON each, until nothing is left to wait
// for.
#include "stage.h"

#include <pronghorn/process/signal.h>

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace compare {

namespace {

Json end(const Exit& exit) {
  Json fields = {{"code", nullptr}, {"signal", ""}};
  if (exit.code) fields["code"] = *exit.code;
  if (exit.signal) fields["signal"] = process::signal_name(*exit.signal);
  return fields;
}

}  // namespace

Json failure(const Error& error) {
  const FailedCall none;
  const FailedCall& call = error.call() != nullptr ? *error.call() : none;
  return {{"code", error.name()},
          {"errno", -error.errno_value()},
          {"syscall", call.syscall},
          {"path", call.path},
          {"spawnargs", call.spawnargs}};
}

std::string latin1(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return text;
}

std::string child_script(std::string_view name) {
  return std::string(std::getenv("COMPARE_CHILDREN")) + "/" + std::string(name);
}

void Stage::say(std::string_view child, std::string_view event, Json fields) {
  fields["child"] = child;
  fields["event"] = event;
  std::string line = fields.dump() + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(3);
}

void Stage::fact(std::string_view child, std::string_view name, Json value) {
  say(child, "fact", {{"name", name}, {"value", std::move(value)}});
}

ChildProcess& Stage::keep(Result<ChildProcess> started) {
  if (!started) {
    std::fprintf(stderr, "not started: %s\n", started.error().message().c_str());
    std::exit(2);
  }
  return children_.emplace_back(std::move(*started));
}

ChildProcess& Stage::watch(const std::string& name, Result<ChildProcess> started, unsigned quiet) {
  ChildProcess& child = keep(std::move(started));
  child.on_spawn([=, this] { say(name, "spawn"); });
  child.on_error([=, this](const Error& error) { say(name, "error", failure(error)); });
  child.on_exit([=, this](const Exit& exit) { say(name, "exit", end(exit)); });
  child.on_close([=, this](const Exit& exit) { say(name, "close", end(exit)); });
  auto read = [&](process::Stream& stream, std::string word) {
    stream.on_data(
        [=, this](std::string_view bytes) { say(name, word, {{"text", latin1(bytes)}}); });
    stream.on_end([=, this] { say(name, word + "-end"); });
  };
  if (child.stdio(1) != nullptr && (quiet & (kStreams | kOut)) == 0) read(child.out(), "out");
  if (child.stdio(2) != nullptr && (quiet & kStreams) == 0) read(child.err(), "err");
  if (child.channel() != nullptr && (quiet & kChannel) == 0) {
    child.on_message(
        [=, this](const Json& message) { say(name, "message", {{"message", message}}); });
    child.on_disconnect(
        [=, this, &child] { say(name, "disconnect", {{"connected", child.connected()}}); });
  }
  return child;
}

void Stage::refused(std::string_view name, const Result<ChildProcess>& started) {
  if (started) return say(name, "accepted");
  refused(name, started.error());
}

void Stage::refused(std::string_view name, const Error& error) {
  say(name, "refused", failure(error));
}

process::ExecCallback Stage::told(std::string name,
                                  std::function<void(const process::ExecResult&)> then) {
  return [=, this](const process::ExecResult& r) {
    const bool failed = r.error && r.error->code() == make_error_code(Errc::command_failed);
    Json fields = end(failed ? r.exit : Exit{});
    fields["error"] = failed ? "failed" : r.error ? r.error->name() : "";
    fields["killed"] = r.killed;
    fields["out"] = latin1(r.out);
    fields["err"] = latin1(r.err);
    say(name, "callback", std::move(fields));
    if (then) then(r);
  };
}

void Stage::synchronous(std::string_view name, const Result<process::SyncResult>& result) {
  if (!result) return refused(name, result.error());
  Json fields = end(result->exit);
  fields["error"] = result->error ? failure(*result->error) : Json();
  fields["out"] = latin1(result->out);
  fields["err"] = latin1(result->err);
  say(name, "sync", std::move(fields));
}

}  // namespace compare

int main(int argc, char** argv) {
  compare::Scenarios all;
  compare::add_start_scenarios(all);
  compare::add_end_scenarios(all);
  compare::add_stdio_scenarios(all);
  compare::add_exec_scenarios(all);
  compare::add_sync_scenarios(all);
  compare::add_channel_scenarios(all);
  compare::add_cluster_scenarios(all);
  compare::add_cluster_listen_scenarios(all);
  auto found = all.find(argc > 1 ? argv[1] : "");
  if (found == all.end()) {
    for (const auto& [name, scenario] : all) std::puts(name.c_str());
    return 64;
  }
  compare::Stage stage;
  stage.args.assign(argv + 1, argv + argc);
  found->second(stage);
  return stage.loop.run();
}
