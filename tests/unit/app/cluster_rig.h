// SPDX-License-Identifier: Apache-2.0
// A cluster whose workers are this test program: the case "helper cluster worker", which does what
// the variable WORKER says.
#pragma once

#include <pronghorn/cluster.h>
#include <pronghorn/http.h>

#include "tests/unit/process/process_fixture.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pronghorn::test {

struct ClusterRig {
  Loop loop;
  std::optional<Cluster> cluster{std::in_place, loop};
  Events events;
  std::map<std::uint64_t, Address> addresses;
  std::vector<std::string> messages;

  explicit ClusterRig(ClusterSettings settings = {},
                      Scheduling scheduling = Scheduling::round_robin) {
    cluster->set_scheduling_policy(scheduling);
    settings.args = {{"--test-case=helper cluster worker", "--no-skip"}};
    using process::Stdio;
    settings.stdio = {Stdio::ignore, Stdio::ignore, Stdio::inherit, Stdio::ipc};
    REQUIRE(cluster->setup_primary(settings).has_value());
    note_all();
  }
  /// A worker that does `what`.
  Worker& fork(const std::string& what, process::Environment env = {}) {
    return cluster->fork(env.set("WORKER", what));
  }
  /// Workers from now on are Node's, and run `script`.
  void be_node(const std::string& script) {
    // Node is a worker only with an argv[1].
    REQUIRE(
        cluster
            ->setup_primary(
                {.exec = script, .args = {{"worker"}}, .exec_path = "node", .exec_argv = {{"-e"}}})
            .has_value());
  }
  bool saw(const std::string& event) const {
    return std::find(events.begin(), events.end(), event) != events.end();
  }
  bool until(const std::string& event) {
    const bool seen = run_until(loop, [&] { return saw(event); });
    if (!seen) MESSAGE("waited for: " << event);
    return seen;
  }

 private:
  void note_all() {
    auto note = [this](const char* what) {
      return [this, what](Worker& w) { events.push_back(what + std::to_string(w.id())); };
    };
    cluster->on_online(note("online "));
    cluster->on_disconnect(note("disconnect "));
    cluster->on_listening([this](Worker& w, const Address& address) {
      events.push_back("listening " + std::to_string(w.id()));
      addresses[w.id()] = address;
    });
    cluster->on_message(
        [this](Worker&, const Json& message) { messages.push_back(message.dump()); });
    cluster->on_exit([this](Worker& w, const process::Exit& exit) {
      events.push_back("exit " + std::to_string(w.id()) + " " + Child::text(exit));
    });
  }
};

inline UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  return fd;
}

}  // namespace pronghorn::test
