// SPDX-License-Identifier: Apache-2.0
#include "base/client_table.h"

#include <bit>
#include <cerrno>
#include <netinet/in.h>
#include <new>
#include <optional>
#include <sys/mman.h>
#include <sys/random.h>
#include <utility>

namespace pronghorn {
namespace {

constexpr std::uint64_t kMagic = 0x544c'4349'4e52'5047;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPage = 4096;

/// An address as 128 bits, an IPv4 one in its IPv6 form (RFC 4291 §2.5.5.2).
struct Bits {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

std::uint64_t big_endian(const std::uint8_t* bytes) noexcept {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

Bits masked(Bits bits, unsigned prefix) noexcept {
  auto mask = [](unsigned ones) { return ones == 0 ? 0 : ~std::uint64_t{0} << (64 - ones); };
  return {bits.high & mask(prefix < 64 ? prefix : 64),
          bits.low & mask(prefix > 64 ? prefix - 64 : 0)};
}

constexpr std::uint64_t kMapped = 0xffff'0000'0000;

std::optional<Bits> bits_of(const sockaddr_storage& address, unsigned ipv6_prefix) noexcept {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return Bits{.high = 0, .low = kMapped | ntohl(v4.sin_addr.s_addr)};
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  Bits bits{.high = big_endian(v6.s6_addr), .low = big_endian(v6.s6_addr + 8)};
  return IN6_IS_ADDR_V4MAPPED(&v6) ? bits : masked(bits, ipv6_prefix);
}

}  // namespace

struct alignas(64) ClientTable::Header {
  std::uint64_t magic;
  std::uint32_t version;
  Shape shape;
  SipKey secret;
};

std::size_t ClientTable::bytes(const Shape& shape) noexcept {
  std::size_t all = sizeof(Header) + ClientCounts::bytes(shape.clients, shape.slots) +
                    TokenBuckets::bytes(shape.clients);
  return (all + kPage - 1) / kPage * kPage;
}

ClientTable::ClientTable(void* memory, const Shape& shape, const SipKey& secret) noexcept
    : shape_(shape),
      secret_(secret),
      connections_(static_cast<std::byte*>(memory) + sizeof(Header), shape.clients, shape.slots),
      requests_(static_cast<std::byte*>(memory) + sizeof(Header) +
                    ClientCounts::bytes(shape.clients, shape.slots),
                shape.clients) {}

Result<ClientTable> ClientTable::create(void* memory, const Shape& shape) {
  SipKey secret;
  if (::getrandom(secret.data(), sizeof secret, 0) != sizeof secret) {
    return std::unexpected(Error::system(errno, "no random numbers"));
  }
  new (memory) Header{.magic = kMagic, .version = kVersion, .shape = shape, .secret = secret};
  return ClientTable(memory, shape, secret);
}

Result<ClientTable> ClientTable::attach(void* memory, std::size_t size) {
  const auto* header = static_cast<const Header*>(memory);
  if (size < sizeof(Header) || header->magic != kMagic || header->version != kVersion ||
      header->shape.slots == 0 || bytes(header->shape) != size) {
    return std::unexpected(Error("not this version's table of clients"));
  }
  return ClientTable(memory, header->shape, header->secret);
}

Result<ClientTable> ClientTable::create_private(std::uint32_t clients) {
  const Shape shape{.clients = clients, .slots = 1};
  std::size_t size = bytes(shape);
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    return std::unexpected(Error::system(errno, "no memory for the table of clients"));
  }
  std::unique_ptr<void, Unmap> memory(mapped, Unmap{size});
  auto table = create(memory.get(), shape);
  if (table) table->own_ = std::move(memory);
  return table;
}

void ClientTable::Unmap::operator()(void* memory) const noexcept { ::munmap(memory, size); }

ClientKey ClientTable::key(const sockaddr_storage& address, unsigned ipv6_prefix) const noexcept {
  auto bits = bits_of(address, ipv6_prefix);
  if (!bits) return 0;
  const std::uint64_t words[] = {bits->high, bits->low};
  ClientKey key = sip_hash(secret_, words);
  return key != 0 ? key : 1;
}

}  // namespace pronghorn
