// SPDX-License-Identifier: Apache-2.0
// What a scenario observes, one line of JSON an event; node/events.js prints the same. compare.py
// runs both and compares.
#pragma once

#include <pronghorn/process.h>

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace compare {

using namespace pronghorn;
using process::ChildProcess;
using process::Exit;

/// What is not listened to.
enum Quiet : unsigned { kNothing = 0, kStreams = 1, kOut = 2, kChannel = 4 };

class Stage {
 public:
  Loop loop;

  void say(std::string_view child, std::string_view event, Json fields = Json::object());
  void fact(std::string_view child, std::string_view name, Json value);
  /// Tells all events of the child, and keeps it until the end.
  ChildProcess& watch(const std::string& name, Result<ChildProcess> started,
                      unsigned quiet = kNothing);
  /// Keeps it, and tells nothing.
  ChildProcess& keep(Result<ChildProcess> started);
  /// What is refused before anything starts; of what is not, only that.
  void refused(std::string_view name, const Result<ChildProcess>& started);
  void refused(std::string_view name, const Error& error);
  /// The callback of exec and exec_file.
  process::ExecCallback told(std::string name,
                             std::function<void(const process::ExecResult&)> then = nullptr);
  void synchronous(std::string_view name, const Result<process::SyncResult>& result);
  /// Keeps it until the end.
  void hold(std::shared_ptr<void> what) { held_.push_back(std::move(what)); }

  std::vector<std::string> args;  ///< of this program, argv[1…]

 private:
  std::list<ChildProcess> children_;
  std::vector<std::shared_ptr<void>> held_;
};

Json failure(const Error& error);
/// Each byte a character, as Node's 'latin1': what is read need not be UTF-8.
std::string latin1(std::string_view bytes);
/// The script of a Node child.
std::string child_script(std::string_view name);

using Scenario = void (*)(Stage&);
using Scenarios = std::map<std::string, Scenario, std::less<>>;
void add_start_scenarios(Scenarios& all);
void add_end_scenarios(Scenarios& all);
void add_stdio_scenarios(Scenarios& all);
void add_exec_scenarios(Scenarios& all);
void add_sync_scenarios(Scenarios& all);
void add_channel_scenarios(Scenarios& all);
void add_cluster_scenarios(Scenarios& all);
void add_cluster_listen_scenarios(Scenarios& all);

}  // namespace compare
