// SPDX-License-Identifier: Apache-2.0
#include "ipc/shared_memory.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>

namespace pronghorn::ipc {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Result<void*> map(int fd, std::size_t size, std::string_view what) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory != MAP_FAILED) return memory;
  return std::unexpected(Error::system(errno, "cannot map " + std::string(what)));
}

}  // namespace

Result<SharedMemory> SharedMemory::create(const char* name, std::size_t size,
                                          std::string_view what) {
  SharedMemory made;
  made.fd_.reset(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!made.fd_ || ::ftruncate(made.fd_.get(), static_cast<off_t>(size)) != 0 ||
      ::fcntl(made.fd_.get(), F_ADD_SEALS, kSeals) != 0) {
    return std::unexpected(Error::system(errno, "cannot create " + std::string(what)));
  }
  auto memory = map(made.fd_.get(), size, what);
  if (!memory) return std::unexpected(std::move(memory.error()));
  made.memory_ = *memory;
  made.size_ = size;
  return made;
}

Result<SharedMemory> SharedMemory::attach(int fd, std::string_view what) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) {
    return std::unexpected(Error::system(errno, "cannot open " + std::string(what)));
  }
  int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
    return std::unexpected(Error(std::string(what) + " is not sealed"));
  }
  SharedMemory mapped;
  auto memory = map(fd, static_cast<std::size_t>(info.st_size), what);
  if (!memory) return std::unexpected(std::move(memory.error()));
  mapped.memory_ = *memory;
  mapped.size_ = static_cast<std::size_t>(info.st_size);
  return mapped;
}

SharedMemory::~SharedMemory() {
  if (memory_ != nullptr) ::munmap(memory_, size_);
}

}  // namespace pronghorn::ipc
