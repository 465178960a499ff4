// SPDX-License-Identifier: Apache-2.0
// Whether this process takes another connection now. The worker's gate implements it; a server that
// is alone needs none.
#pragma once

namespace pronghorn::server {

class AcceptPolicy {
 public:
  /// Asked before each accept of a wake-up but the first; false ends the wake-up.
  virtual bool takes_another() noexcept = 0;
  /// After a wake-up's accepts, or an accept that found nothing. May call Server::set_accepting().
  virtual void on_wakeup_end() noexcept = 0;
  /// Accepting failed for want of descriptors or memory, and rests for a while.
  virtual void on_accept_failed() noexcept = 0;
  /// A connection of this process has closed. May call Server::set_accepting().
  virtual void on_connection_closed() noexcept = 0;

 protected:
  ~AcceptPolicy() = default;
};

}  // namespace pronghorn::server
