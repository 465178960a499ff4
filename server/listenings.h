// SPDX-License-Identifier: Apache-2.0
// What the listen() calls of one Server have become: sockets of its own, or what the loop's
// ListenSource grants. Owned by Server.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>

#include "base/listen_socket.h"
#include "base/uv/timer.h"
#include "server/listen_source.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace pronghorn::server {

class Listenings {
 public:
  using Id = std::uint64_t;
  class Owner {
   public:
    /// Accept from it, until release_socket() of the same `lent`; 0 is never released.
    virtual Result<void> accept_from(UniqueFd listener, std::uint64_t lent,
                                     std::uint32_t profile) = 0;
    virtual void release_socket(std::uint64_t lent) = 0;
    virtual bool take_connection(UniqueFd connection, std::uint32_t profile) = 0;
    virtual void on_close_asked(std::function<void()> closed) = 0;

   protected:
    ~Owner() = default;
  };

  Listenings(Loop& loop, Owner& owner);
  ~Listenings();
  Listenings(const Listenings&) = delete;
  Listenings& operator=(const Listenings&) = delete;

  /// Keeps the loop running from now on until close(), or until it fails. What becomes of it comes
  /// from the loop.
  /// @param profile  told to the Owner with what comes of it
  void open(const ListenRequest& request, bool exclusive, std::uint32_t profile = 0);
  void on_listening(std::function<void(const Address&)> listener);
  void on_error(std::function<void(const Error&)> listener);
  std::optional<Address> address() const;
  /// Nothing comes any more; the listeners that were given to the Owner are its own.
  void close() noexcept;

 private:
  struct Listening {
    ListenSource* source = nullptr;  // null: a socket of our own
    ListenSource::Ticket ticket = 0;
    std::optional<Address> address{};
    SocketFile file{};
    std::uint32_t profile = 0;
  };
  struct Events;

  void open_own(Id id, const ListenRequest& request);
  ListenSource::Client client(Id id);
  std::uint32_t profile_of(Id id) const;
  void on_granted(Id id, Result<ListenSource::Grant> grant);
  void opened(Id id);
  void failed(Id id, const Error& error);
  void let_go(Listening& listening) noexcept;
  void later(std::function<void(Listenings&)> call);

  Loop& loop_;
  Owner& owner_;
  std::map<Id, Listening> listenings_;
  std::optional<uv::Timer> hold_;  // keeps the loop running, as Node's server does
  std::shared_ptr<Events> events_;
  std::shared_ptr<Listenings*> self_;  // empty once we are gone: for deferred calls
  Id next_ = 1;
};

}  // namespace pronghorn::server
