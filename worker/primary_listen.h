// SPDX-License-Identifier: Apache-2.0
// The listening of a worker's Servers by asking the primary. Owned by serve's Worker and by the
// Cluster facade.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include "server/listen_source.h"
#include "worker/primary_link.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace pronghorn::worker {

class PrimaryListen final : public server::ListenSource {
 public:
  /// Whether a host's name is resolved here, as Node does, or is the primary's to know.
  enum class Names : std::uint8_t { resolved, as_they_are };

  /// Becomes the loop's source; `link` and `loop` outlive it.
  PrimaryListen(Loop& loop, PrimaryLink& link, Names names = Names::resolved);
  ~PrimaryListen();
  PrimaryListen(const PrimaryListen&) = delete;
  PrimaryListen& operator=(const PrimaryListen&) = delete;

  Ticket listen(const server::ListenRequest& request, Client client) override;
  void listening(Ticket ticket) override;
  void close(Ticket ticket) noexcept override;

  /// Asks every server to close gracefully; `closed` comes from the loop when the last one has, at
  /// once (from the loop) when there is none. No server gets anything any more: listen() fails with
  /// Errc::ipc_disconnected.
  void close_all(std::function<void()> closed);

 private:
  struct Server;
  struct Closing;

  Result<ipc::ClusterMessage> query_for(const server::ListenRequest& request) const;
  Result<void> ask(const std::shared_ptr<Server>& server);
  void on_granted(Server& server, Result<PrimaryLink::Granted> granted);
  void refuse(Ticket ticket, const Error& error);

  Loop& loop_;
  PrimaryLink& link_;
  Names names_;
  std::map<Ticket, std::shared_ptr<Server>> servers_;
  Ticket next_ = 1;
  std::weak_ptr<Closing> closing_;
  std::shared_ptr<bool> alive_;  // for what is called later
  bool is_closing_ = false;
};

}  // namespace pronghorn::worker
