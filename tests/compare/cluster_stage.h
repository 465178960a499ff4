// SPDX-License-Identifier: Apache-2.0
// What a cluster tells, as node/cluster-events.js prints it. A scenario is primary and worker: its
// workers are this program with the same argument.
#pragma once

#include <pronghorn/cluster.h>
#include <pronghorn/http.h>

#include "stage.h"

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace compare {

class ClusterStage {
 public:
  explicit ClusterStage(Stage& s) : stage(s), cluster(s.loop) {}
  ~ClusterStage();

  Stage& stage;
  Cluster cluster;

  /// Both levels of all events; the cluster's have words of their own.
  void watch();
  Worker& fork(const process::Environment& env = {});
  /// A worker as its primary sees it at this moment.
  Json now(const Worker& worker) const;
  /// What a worker says of itself.
  void own(std::string_view event, Json fields = Json::object());
  /// A server of a worker that answers with its worker's number.
  Server& serve(const std::string& where, std::function<void(Server&)> told = {},
                const Server::ListenOptions& options = {});
  /// The worker says with which code it ends.
  void tell_end() { tells_end_ = true; }

 private:
  bool tells_end_ = false;
  std::list<Server> servers_;
};

template <void (*scenario)(ClusterStage&)>
void on_cluster(Stage& stage) {
  auto cluster = std::make_shared<ClusterStage>(stage);
  stage.hold(cluster);
  scenario(*cluster);
}

}  // namespace compare
