// SPDX-License-Identifier: Apache-2.0
#include "server/request_id.h"

#include "base/sip_hash.h"
#include "server/syntax.h"

#include <algorithm>
#include <ctime>
#include <sys/random.h>
#include <unistd.h>

namespace pronghorn::server {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's 32

/// A counter under a key of this thread alone: who sees ids can neither foretell others nor tell
/// how many there were, and two workers or two starts never share a sequence.
class Sequence {
 public:
  Sequence() noexcept {
    if (::getrandom(key_.data(), sizeof key_, GRND_NONBLOCK) == sizeof key_) return;
    // A kernel without entropy yet, early at boot: unique all the same, if not secret.
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    key_ = {static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                static_cast<std::uint64_t>(now.tv_nsec),
            static_cast<std::uint64_t>(::getpid()) ^ reinterpret_cast<std::uintptr_t>(this)};
  }
  void next(char* at) noexcept {
    ++last_;
    write(at, {last_, 0});
    write(at + RequestId::kSize / 2, {last_, 1});
  }

 private:
  // 40 bits of a hash are 8 digits.
  void write(char* at, const std::array<std::uint64_t, 2>& words) const noexcept {
    std::uint64_t hash = sip_hash(key_, words);
    for (std::size_t i = 0; i < RequestId::kSize / 2; ++i, hash >>= 5) at[i] = kDigits[hash & 31];
  }

  SipKey key_{};
  std::uint64_t last_ = 0;
};

/// The client's, when it has exactly one that is usable.
std::string_view foreign_id(std::span<const Field> fields) noexcept {
  std::string_view found;
  for (const Field& field : fields) {
    if (!iequals(field.name, RequestId::kField)) continue;
    if (!found.empty() || !is_usable_id(field.value)) return {};
    found = field.value;
  }
  return found;
}

}  // namespace

bool is_usable_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= RequestId::kMost && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
           std::string_view("-._~+/=:@,").contains(c);
  });
}

std::string_view RequestId::get(std::span<const Field> fields) noexcept {
  if (size_ == 0) {
    if (std::string_view given = trusts_ ? foreign_id(fields) : std::string_view();
        !given.empty()) {
      size_ = static_cast<std::uint32_t>(given.copy(text_.data(), kMost));
    } else {
      thread_local Sequence sequence;
      sequence.next(text_.data());
      size_ = kSize;
    }
  }
  return {text_.data(), size_};
}

}  // namespace pronghorn::server
