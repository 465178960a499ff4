// SPDX-License-Identifier: Apache-2.0
// cluster: what listen() means in workers. Each is primary and worker.
#include "cluster_stage.h"
#include "shared_server.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <vector>

namespace compare {

namespace {

constexpr const char* kAnyPort = "127.0.0.1:0";

std::string at_port(std::string_view port) { return "127.0.0.1:" + std::string(port); }

void taken(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    c.serve(at_port(std::getenv("TAKEN"))).on_error([&c](const Error&) {
      c.cluster.worker().disconnect();
    });
    return;
  }
  c.watch();
  auto server = std::make_shared<SharedServer>(c.stage.loop, "taken");
  Worker& worker = c.fork({{"TAKEN", std::to_string(server->port())}});
  worker.on_exit([server](const Exit&) { server->close(); });
}

void port_zero(ClusterStage& c) {
  auto tell = [&c](Server& server) { (void)c.cluster.worker().send(server.address()->port); };
  if (c.cluster.is_worker()) {
    c.serve(kAnyPort, [&c, tell](Server& server) {
      tell(server);
      c.serve(kAnyPort, tell);
    });
    return;
  }
  c.watch();
  c.cluster.on_message([&c, ports = std::vector<int>()](Worker&, const Json& port) mutable {
    ports.push_back(port);
    if (ports.size() < 4) return;
    std::set<int> different(ports.begin(), ports.end());
    c.stage.fact("cluster", "ports",
                 {std::ranges::count(ports, *different.begin()),
                  std::ranges::count(ports, *different.rbegin()), different.size() - 2});
    c.cluster.disconnect();
  });
  c.fork();
  c.fork();
}

void same_port(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    c.serve(kAnyPort, [&c](Server& server) {
      c.serve(at_port(std::to_string(server.address()->port))).on_error([&c](const Error&) {
        c.cluster.worker().disconnect();
      });
    });
    return;
  }
  c.watch();
  c.fork();
}

void exclusive(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    const Server::ListenOptions alone{.exclusive = true};
    if (const char* port = std::getenv("PORT")) {
      c.serve(at_port(port), {}, alone).on_error([&c](const Error&) {
        c.cluster.worker().disconnect();
      });
    } else {
      c.serve(
          kAnyPort, [&c](Server& server) { (void)c.cluster.worker().send(server.address()->port); },
          alone);
    }
    return;
  }
  c.watch();
  Worker& first = c.fork();
  first.on_message([&c, &first](const Json& port) {
    c.fork({{"PORT", port.dump()}}).on_exit([&first](const Exit&) { first.kill(); });
  });
}

void unix_socket(ClusterStage& c) {
  if (c.cluster.is_worker()) {
    c.serve("unix:socket");
    return;
  }
  c.watch();
  auto is_there = [&c](const char* name) {
    c.stage.fact("cluster", name, std::filesystem::exists("socket"));
  };
  c.cluster.on_listening([&c, is_there, listening = 0](Worker&, const Address&) mutable {
    if (++listening < 2) return;
    is_there("there");
    c.cluster.disconnect();
  });
  c.cluster.on_exit([is_there, gone = 0](Worker&, const Exit&) mutable {
    if (++gone == 2) is_there("left");
  });
  c.fork();
  c.fork();
}

}  // namespace

void add_cluster_listen_scenarios(Scenarios& all) {
  all["cl-eaddrinuse"] = on_cluster<taken>;
  all["cl-port-zero"] = on_cluster<port_zero>;
  all["cl-same-port"] = on_cluster<same_port>;
  all["cl-exclusive"] = on_cluster<exclusive>;
  all["cl-unix"] = on_cluster<unix_socket>;
}

}  // namespace compare
