// SPDX-License-Identifier: Apache-2.0
#include "master/cluster/reuseport_handle.h"

#include <pronghorn/base/log.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace pronghorn::master {
namespace {

constexpr Millis kRetry{1'000};

}  // namespace

ReuseportHandle::ReuseportHandle(Loop& loop, const Listener& first, std::uint32_t slots,
                                 std::string key)
    : key_(std::move(key)), first_(first), slots_(slots), retry_(loop, [this] { settle(); }) {}

const Listener* ReuseportHandle::socket(std::uint32_t index) const {
  if (index == 0) return &first_;
  return slots_[index].own ? &*slots_[index].own : nullptr;
}

ServerHandle::Join ReuseportHandle::join(Member& member) {
  if (!member.slot() || *member.slot() >= slots_.size()) return {.error = ENOTSUP};
  const std::uint32_t index = *member.slot();
  if (socket(index) == nullptr) {
    auto made = first_.beside();
    if (!made) return {.error = made.error().errno_value()};
    if (refusing_) made->refuse_new();
    slots_[index].own.emplace(std::move(*made));
  }
  return {.fd = socket(index)->fd()};
}

void ReuseportHandle::joined(Member& member) {
  if (find(member.id()) == nullptr) members_.push_back(&member);
  settle();
}

void ReuseportHandle::leave(Member& member, bool is_gone) {
  std::erase(members_, &member);
  // It closes what it borrowed with the server, or is gone.
  for (Slot& slot : slots_) {
    if (slot.borrower == member.id()) slot.borrower.reset();
  }
  // One that leaves takes what is queued, and while we drain nothing more comes.
  if (is_gone || !draining_) settle();
}

void ReuseportHandle::drain(std::function<void()> done) {
  draining_ = true;
  done();
}

void ReuseportHandle::suspicion_changed(Member&) { settle(); }

void ReuseportHandle::refuse_new() {
  refusing_ = true;
  for (Slot& slot : slots_) {
    if (slot.own) slot.own->refuse_new();
  }
}

// Connections that are queued at a socket stay there whatever happens to workers: somebody must
// accept from every one of them, as the kernel goes on choosing it for new clients.
void ReuseportHandle::settle() {
  retry_.stop();
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    slots_[i].refused.clear();
    settle_slot(i);
  }
}

void ReuseportHandle::settle_slot(std::uint32_t index) {
  if (socket(index) == nullptr) return;
  if (is_attended(index)) return take_back(index);
  const auto borrower = slots_[index].borrower;
  const Member* holder = borrower ? find(*borrower) : nullptr;
  if (holder != nullptr && !holder->is_suspect()) return;
  std::vector<Member*> able;
  std::ranges::copy_if(members_, std::back_inserter(able),
                       [](const Member* m) { return !m->is_suspect(); });
  if (able.empty()) return;
  // In the order of joining where they are equal. Not stable_sort: clang-19 rejects libstdc++ 12's.
  std::ranges::sort(able, {}, [this](const Member* m) {
    return std::pair(borrowed_by(*m), std::ranges::find(members_, m) - members_.begin());
  });
  for (Member* member : able) {
    if (!slots_[index].refused.contains(member->id()) && lend(index, *member)) return;
  }
  retry_.start(kRetry);
}

bool ReuseportHandle::is_attended(std::uint32_t index) const {
  return std::ranges::any_of(
      members_, [index](const Member* m) { return m->slot() == index && !m->is_suspect(); });
}

Member* ReuseportHandle::find(std::uint64_t id) const {
  auto found = std::ranges::find(members_, id, &Member::id);
  return found == members_.end() ? nullptr : *found;
}

std::size_t ReuseportHandle::borrowed_by(const Member& member) const {
  return static_cast<std::size_t>(std::ranges::count(slots_, member.id(), &Slot::borrower));
}

bool ReuseportHandle::lend(std::uint32_t index, Member& to) {
  auto loan = ipc::Handle::native(socket(index)->fd());
  loan.on_lost = [this, alive = std::weak_ptr(alive_), index, id = to.id()] {
    if (!alive.expired()) lost(index, id);
  };
  auto sent = to.send(ipc::encode_lend(key_, index), &loan);
  if (sent) {
    // A suspect's copy goes when it reads its channel again; two that accept do no harm.
    take_back(index);
    slots_[index].borrower = to.id();
    return true;
  }
  // A worker that ends is removed next, which settles this again.
  if (sent.error().code() != Errc::ipc_channel_closed) {
    log::warn("socket not lent",
              {{"server", key_}, {"slot", index + 1}, {"why", sent.error().message()}});
  }
  return false;
}

// The borrower is out of descriptors: another one, or the same a second later.
void ReuseportHandle::lost(std::uint32_t index, std::uint64_t borrower) {
  if (slots_[index].borrower != borrower) return;
  slots_[index].borrower.reset();
  slots_[index].refused.insert(borrower);
  settle_slot(index);
}

void ReuseportHandle::take_back(std::uint32_t index) {
  auto borrower = std::exchange(slots_[index].borrower, std::nullopt);
  if (!borrower) return;
  if (Member* member = find(*borrower)) {
    // Unsent: its channel has ended, and its copy with it.
    static_cast<void>(member->send(ipc::encode_unlend(key_, index)));
  }
}

}  // namespace pronghorn::master
