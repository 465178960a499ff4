// SPDX-License-Identifier: Apache-2.0
#include "ipc/scoreboard.h"

#include <cassert>
#include <cerrno>
#include <fcntl.h>
#include <new>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

namespace pronghorn::ipc {
namespace {

constexpr std::uint64_t kMagic =
    0x4452'424f'4e52'5047;             // any eight bytes that a file hardly begins with
constexpr std::uint32_t kVersion = 1;  // counts up when a member of Slot changes its meaning
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

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

Result<void*> map(int fd, std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED)
    return std::unexpected(Error::system(errno, "cannot map the scoreboard"));
  return memory;
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
  Scoreboard board;
  board.bytes_ = bytes_for(slots);
  board.fd_.reset(::memfd_create("pronghorn-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Sealed, because a process that shrank it would kill all the others with SIGBUS.
  if (!board.fd_ || ::ftruncate(board.fd_.get(), static_cast<off_t>(board.bytes_)) != 0 ||
      ::fcntl(board.fd_.get(), F_ADD_SEALS, kSeals) != 0) {
    return std::unexpected(Error::system(errno, "cannot create the scoreboard"));
  }
  auto memory = map(board.fd_.get(), board.bytes_);
  if (!memory) return std::unexpected(std::move(memory.error()));
  board.memory_ = *memory;
  board.slots_ = slots;
  for (std::uint32_t i = 0; i < slots; ++i) new (slots_of(board.memory_) + i) Slot;
  new (board.memory_) Header{kMagic, kVersion, sizeof(Slot), slots};
  return board;
}

Result<Scoreboard> Scoreboard::attach(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0)
    return std::unexpected(Error::system(errno, "cannot open the scoreboard"));
  int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return std::unexpected(wrong("not sealed"));
  Scoreboard board;
  board.bytes_ = static_cast<std::size_t>(info.st_size);
  if (board.bytes_ < bytes_for(1)) return std::unexpected(wrong("too small"));
  auto memory = map(fd, board.bytes_);
  if (!memory) return std::unexpected(std::move(memory.error()));
  board.memory_ = *memory;
  const auto* header = static_cast<const Header*>(board.memory_);
  if (header->magic != kMagic) return std::unexpected(wrong("magic"));
  if (header->version != kVersion) return std::unexpected(wrong("version"));
  if (header->slot_size != sizeof(Slot)) return std::unexpected(wrong("slot size"));
  board.slots_ = header->slots;
  if (board.slots_ == 0 || bytes_for(board.slots_) != board.bytes_)
    return std::unexpected(wrong("size"));
  return board;
}

Scoreboard::~Scoreboard() {
  if (memory_ != nullptr) ::munmap(memory_, bytes_);
}
Scoreboard::Scoreboard(Scoreboard&& other) noexcept
    : fd_(std::move(other.fd_)),
      memory_(std::exchange(other.memory_, nullptr)),
      bytes_(other.bytes_),
      slots_(other.slots_) {}
Scoreboard& Scoreboard::operator=(Scoreboard&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(memory_, other.memory_);
  std::swap(bytes_, other.bytes_);
  std::swap(slots_, other.slots_);
  return *this;
}

Slot& Scoreboard::slot(std::uint32_t index) noexcept {
  assert(index < size());
  return slots_of(memory_)[index];
}
const Slot& Scoreboard::slot(std::uint32_t index) const noexcept {
  assert(index < size());
  return slots_of(memory_)[index];
}
int Scoreboard::fd() const noexcept { return fd_.get(); }

}  // namespace pronghorn::ipc
