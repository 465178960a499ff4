// SPDX-License-Identifier: Apache-2.0
// A Primary with unmodified Node workers.
#pragma once

#include "master/cluster/primary.h"
#include "tests/unit/process/process_fixture.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::test {

struct NodeRig {
  Loop loop;
  std::vector<std::string> events;
  std::map<std::uint64_t, std::vector<Address>> listening;
  std::map<std::uint64_t, std::unique_ptr<Child>> workers;
  std::optional<master::Primary> primary;

  explicit NodeRig(Scheduling scheduling, ipc::Scoreboard* board = nullptr) {
    primary.emplace(loop, master::Primary::Options{.scheduling = scheduling, .board = board},
                    master::Primary::Events{
                        .on_online = [this](auto id) { note(id, "online"); },
                        .on_listening =
                            [this](auto id, const Address& address) {
                              note(id, "listening");
                              listening[id].push_back(address);
                            },
                        .on_leaving = [this](auto id) { note(id, "leaving"); },
                    });
  }
  void note(std::uint64_t id, const char* what) {
    events.push_back(fmt::format("{} {}", id, what));
  }
  Child& start(std::uint64_t id, const char* script) {
    auto& child = workers[id] = std::make_unique<Child>();
    // Node is a worker only with an argv[1].
    child->take(process::fork(loop, script, {"worker"},
                              {.env_merge = {{"NODE_UNIQUE_ID", std::to_string(id)}},
                               .exec_path = "node",
                               .exec_argv = {"-e"}}));
    Child* worker = child.get();
    primary->add(id, {}, [worker](const ipc::InternalMessage& message, const ipc::Handle* handle) {
      ipc::Channel* channel = (*worker)->channel();
      if (channel == nullptr) {
        return Result<bool>(std::unexpect, Errc::ipc_channel_closed, "the channel is closed");
      }
      return handle == nullptr ? channel->send(message) : channel->send(message, *handle);
    });
    (*worker)->on_internal(
        [this, id](const Json& json, ipc::ReceivedHandle&) { primary->take(id, json); });
    (*worker)->on_message([worker](const Json& m) { worker->messages.push_back(m.dump()); });
    (*worker)->on_disconnect([this, id] { primary->remove(id); });
    return *worker;
  }
  /// Until worker `id` listens on so many servers; where on the last one.
  Address wait(std::uint64_t id, std::size_t servers = 1) {
    bool all = run_until(loop, [&] { return listening[id].size() >= servers; });
    REQUIRE_MESSAGE(all, "worker ", id, " listens on ", listening[id].size(), " servers");
    return listening[id].back();
  }
  /// What a client that runs beside the loop prints.
  std::string client(const std::string& script) {
    Child child;
    child.fork_node(loop, script, {.silent = true});
    child.read();
    REQUIRE(run_until(loop, [&] { return child.closed; }));
    return child.out + child.err;
  }
  bool ended(std::uint64_t id) {
    return run_until(loop, [&] { return workers.at(id)->closed; });
  }
};

}  // namespace pronghorn::test
