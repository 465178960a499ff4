// SPDX-License-Identifier: Apache-2.0
// The listening of a worker's Servers, as the worker's Cluster wants to know of it.
#pragma once

#include <pronghorn/base/counters.h>
#include <pronghorn/base/uv/loop.h>

#include "server/listen_source.h"

#include <functional>
#include <utility>

namespace pronghorn::app {

class ClusterListen final : public server::ListenSource {
 public:
  /// Becomes the loop's source, in front of `next`.
  ClusterListen(Loop& loop, server::ListenSource& next, WorkerCounters* counters,
                std::function<void()> on_listening)
      : loop_(loop), next_(next), counters_(counters), on_listening_(std::move(on_listening)) {
    set(loop_, this);
  }
  ~ClusterListen() { set(loop_, nullptr); }
  ClusterListen(const ClusterListen&) = delete;
  ClusterListen& operator=(const ClusterListen&) = delete;

  Ticket listen(const server::ListenRequest& request, Client client) override {
    return next_.listen(request, std::move(client));
  }
  void listening(Ticket ticket) override {
    on_listening_();
    next_.listening(ticket);
  }
  void close(Ticket ticket) noexcept override { next_.close(ticket); }
  WorkerCounters* counters() noexcept override { return counters_; }

 private:
  Loop& loop_;
  server::ListenSource& next_;
  WorkerCounters* counters_;
  std::function<void()> on_listening_;
};

}  // namespace pronghorn::app
