// SPDX-License-Identifier: Apache-2.0
#include "ipc/client_memory.h"

#include <utility>

namespace pronghorn::ipc {
namespace {

constexpr std::string_view kWhat = "the table of clients";

}  // namespace

Result<ClientMemory> ClientMemory::create(const ClientTable::Shape& shape) {
  auto memory = SharedMemory::create("pronghorn-clients", ClientTable::bytes(shape), kWhat);
  if (!memory) return std::unexpected(std::move(memory.error()));
  auto table = ClientTable::create(memory->get(), shape);
  if (!table) return std::unexpected(std::move(table.error()));
  return ClientMemory(std::move(*memory), std::move(*table));
}

Result<ClientMemory> ClientMemory::attach(int fd) {
  auto memory = SharedMemory::attach(fd, kWhat);
  if (!memory) return std::unexpected(std::move(memory.error()));
  auto table = ClientTable::attach(memory->get(), memory->size());
  if (!table) return std::unexpected(std::move(table.error()));
  return ClientMemory(std::move(*memory), std::move(*table));
}

}  // namespace pronghorn::ipc
