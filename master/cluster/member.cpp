// SPDX-License-Identifier: Apache-2.0
#include "master/cluster/member.h"

#include <utility>

namespace pronghorn::master {

Result<bool> Member::ask(std::int64_t seq, const ipc::InternalMessage& message,
                         const ipc::Handle* handle, Replied replied) {
  auto sent = send_(message, handle);
  if (sent) asked_.insert_or_assign(seq, std::move(replied));
  return sent;
}

void Member::take_reply(const ipc::ClusterMessage& reply) {
  if (!reply.ack) return;
  // Out of the map first: what it calls may ask again.
  auto asked = asked_.extract(*reply.ack);
  if (asked && asked.mapped()) asked.mapped()(reply);
}

}  // namespace pronghorn::master
