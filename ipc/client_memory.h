// SPDX-License-Identifier: Apache-2.0
// The table of clients that all workers of a master share: made by the master, inherited at exec.
#pragma once

#include "base/client_table.h"
#include "ipc/shared_memory.h"

namespace pronghorn::ipc {

class ClientMemory {
 public:
  static Result<ClientMemory> create(const ClientTable::Shape& shape);
  /// An inherited one; the descriptor may be closed afterwards. @errors another version's
  static Result<ClientMemory> attach(int fd);

  ClientTable& table() noexcept { return table_; }
  /// To be inherited; -1 after attach().
  int fd() const noexcept { return memory_.fd(); }

 private:
  ClientMemory(SharedMemory memory, ClientTable table) noexcept
      : memory_(std::move(memory)), table_(std::move(table)) {}

  SharedMemory memory_;
  ClientTable table_;
};

}  // namespace pronghorn::ipc
