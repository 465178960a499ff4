// SPDX-License-Identifier: Apache-2.0
#include "ipc/scoreboard.h"

#include <cassert>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace pronghorn::ipc {
namespace {

constexpr std::uint64_t kMagic =
    0x4452'424f'4e52'5047;             // any eight bytes that a file hardly begins with
constexpr std::uint32_t kVersion = 3;  // counts up when a member of Slot changes its meaning
constexpr std::string_view kWhat = "the scoreboard";

struct alignas(128) Header {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slot_size;
  std::uint32_t slots;
};
static_assert(sizeof(Header) == 128 && sizeof(Slot) % 128 == 0);

std::size_t bytes_for(std::uint32_t slots) {
  return sizeof(Header) + std::size_t{slots} * sizeof(Slot);
}

Slot* slots_of(void* memory) {
  return reinterpret_cast<Slot*>(static_cast<std::byte*>(memory) + sizeof(Header));
}

Error wrong(std::string_view what) {
  return Error("not this version's scoreboard: " + std::string(what));
}

}  // namespace

const char* slot_state_name(SlotState state) noexcept {
  switch (state) {
    case SlotState::empty:
      return "empty";
    case SlotState::starting:
      return "starting";
    case SlotState::ready:
      return "ready";
    case SlotState::suspect:
      return "suspect";
    case SlotState::draining:
      return "draining";
    case SlotState::waiting:
      return "waiting";
    case SlotState::failed:
      return "failed";
    case SlotState::stopped:
      return "stopped";
  }
  return "unknown";
}

Result<Scoreboard> Scoreboard::create(std::uint32_t slots) {
  assert(slots > 0);
  auto memory = SharedMemory::create("pronghorn-scoreboard", bytes_for(slots), kWhat);
  if (!memory) return std::unexpected(std::move(memory.error()));
  for (std::uint32_t i = 0; i < slots; ++i) new (slots_of(memory->get()) + i) Slot;
  new (memory->get()) Header{kMagic, kVersion, sizeof(Slot), slots};
  return Scoreboard(std::move(*memory), slots);
}

Result<Scoreboard> Scoreboard::attach(int fd) {
  auto memory = SharedMemory::attach(fd, kWhat);
  if (!memory) return std::unexpected(std::move(memory.error()));
  if (memory->size() < bytes_for(1)) return std::unexpected(wrong("too small"));
  const auto* header = static_cast<const Header*>(memory->get());
  if (header->magic != kMagic) return std::unexpected(wrong("magic"));
  if (header->version != kVersion) return std::unexpected(wrong("version"));
  if (header->slot_size != sizeof(Slot)) return std::unexpected(wrong("slot size"));
  std::uint32_t slots = header->slots;
  if (slots == 0 || bytes_for(slots) != memory->size()) return std::unexpected(wrong("size"));
  return Scoreboard(std::move(*memory), slots);
}

Slot& Scoreboard::slot(std::uint32_t index) noexcept {
  assert(index < size());
  return slots_of(memory_.get())[index];
}
const Slot& Scoreboard::slot(std::uint32_t index) const noexcept {
  assert(index < size());
  return slots_of(memory_.get())[index];
}
int Scoreboard::fd() const noexcept { return memory_.fd(); }

}  // namespace pronghorn::ipc
