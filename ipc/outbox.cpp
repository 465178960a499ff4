// SPDX-License-Identifier: Apache-2.0
#include "ipc/outbox.h"

#include <algorithm>
#include <utility>

namespace pronghorn::ipc {
namespace {
// Small lines share one write up to this size; it also bounds how long an answer waits behind one.
constexpr std::size_t kRunBytes = 64 * 1024;
constexpr std::size_t kMaxControlBytes = 64 * 1024;
constexpr int kMaxResends = 3;
// What libuv, and so Node, reads at once.
constexpr std::size_t kPeerReadBytes = 64 * 1024;
// A line with a descriptor that the kernel surely keeps in one piece. It cuts longer ones, at 16 to
// 48 KiB by version and page size, and the read that brings the descriptor ends at the cut.
constexpr std::size_t kUncutBytes = 8 * 1024;
}  // namespace

void Outbox::count_message(std::size_t bytes) {
  queued_ += bytes;
  pushed_ += bytes;
}

void Outbox::push(std::string line) {
  count_message(line.size());
  const std::size_t waiting = is_behind_handle() ? 1 : 0;
  waiting_ += waiting;
  if (!entries_.empty() && !entries_.back().fd) {
    Entry& run = entries_.back();
    if (run.bytes.size() + line.size() <= kRunBytes) {
      run.bytes += line;
      run.waiting += waiting;
      return;
    }
  }
  entries_.push_back({.bytes = std::move(line), .waiting = waiting, .fd = {}});
}

void Outbox::push_handle(std::string line, std::shared_ptr<const UniqueFd> fd, bool resend) {
  count_message(line.size());
  const std::size_t waiting = is_behind_handle() ? 1 : 0;
  waiting_ += waiting;
  ++unsent_handles_;
  entries_.push_back(
      {.bytes = std::move(line), .waiting = waiting, .fd = std::move(fd), .resend = resend});
}

bool Outbox::push_control(std::string_view line) {
  if (control_.size() + line.size() > kMaxControlBytes) return false;
  control_ += line;
  return true;
}

// Node keeps one descriptor between two reads. A line that it gets in two pieces, with the next
// handle's descriptor in the second read, would take that one's: so a second handle leaves only
// when no line before it can have been cut, by our socket, the kernel or the peer's buffer.
bool Outbox::window_is_open() const noexcept {
  return sent_.size() < kWindow && read_ >= closed_till_ && written_ - read_ <= kPeerReadBytes;
}

bool Outbox::is_answer_due() const noexcept {
  return std::ranges::find(sent_, Answer::awaited, &Sent::answer) != sent_.end();
}

bool Outbox::hold_handles() noexcept {
  closed_till_ = written_;
  return is_answer_due();
}

const Outbox::Sent* Outbox::repeated() const noexcept {
  auto found = std::ranges::find(sent_, Answer::again, &Sent::answer);
  return found == sent_.end() ? nullptr : &*found;
}
Outbox::Sent* Outbox::repeated() noexcept {
  return const_cast<Sent*>(std::as_const(*this).repeated());
}

// Whose bytes leave next, answers apart. A line that has begun is finished first.
const Outbox::Entry* Outbox::current() const noexcept {
  const Entry* front = entries_.empty() ? nullptr : &entries_.front();
  if (front != nullptr && front->written > 0) return front;
  if (const Sent* again = repeated()) {
    // Alone, as the peer may have been out of descriptors.
    return again->entry.written == 0 && is_answer_due() ? nullptr : &again->entry;
  }
  if (front == nullptr || sent_.empty()) return front;
  return front->fd && window_is_open() ? front : nullptr;
}
Outbox::Entry* Outbox::current() noexcept {
  return const_cast<Entry*>(std::as_const(*this).current());
}

std::optional<Outbox::Chunk> Outbox::next() const noexcept {
  const Entry* entry = current();
  const bool has_begun = entry != nullptr && entry->written > 0;
  // Lines must not interleave.
  if (!control_.empty() && (control_written_ > 0 || !has_begun)) {
    Chunk chunk{std::string_view(control_).substr(control_written_), -1};
    if (entry != nullptr && !entry->fd) chunk.more = entry->bytes;
    return chunk;
  }
  if (entry == nullptr) return std::nullopt;
  const bool with_fd = entry->fd && !has_begun;
  return Chunk{std::string_view(entry->bytes).substr(entry->written),
               with_fd ? entry->fd->get() : -1};
}

void Outbox::wrote(std::size_t count) {
  Entry* entry = current();
  const bool has_begun = entry != nullptr && entry->written > 0;
  written_ += count;
  if (!control_.empty() && (control_written_ > 0 || !has_begun)) {
    const std::size_t part = std::min(count, control_.size() - control_written_);
    control_written_ += part;
    count -= part;
    if (control_written_ < control_.size()) return;
    control_.clear();
    control_written_ = 0;
    if (count == 0) return;
  }
  entry->written += count;
  queued_ -= count;
  if (!entry->fd) left_ += count;
  const bool is_whole = entry->written == entry->bytes.size();
  if (entry->fd && (has_begun || !is_whole || count > kUncutBytes)) {
    closed_till_ = written_ + entry->bytes.size() - entry->written;
  }
  if (is_whole) finish_current();
}

void Outbox::finish_current() {
  if (Sent* again = repeated(); again != nullptr && &again->entry == current()) {
    again->answer = Answer::awaited;
    again->end = written_;
    return;
  }
  Entry& front = entries_.front();
  waiting_ -= front.waiting;
  if (front.fd) {
    --unsent_handles_;
    sent_.push_back({.entry = std::move(front), .end = written_});
  }
  entries_.pop_front();
}

// In the order in which they were written: a repeated one was written last.
Outbox::Sent* Outbox::first_awaited() noexcept {
  Sent* first = nullptr;
  for (Sent& sent : sent_) {
    if (sent.answer != Answer::awaited) continue;
    if (first == nullptr || sent.end < first->end) first = &sent;
  }
  return first;
}

void Outbox::acknowledged() {
  Sent* sent = first_awaited();
  if (sent == nullptr) return;
  sent->answer = Answer::taken;
  read_ = sent->end;
}

void Outbox::refused() {
  Sent* sent = first_awaited();
  if (sent == nullptr) return;
  read_ = sent->end;
  if (!sent->entry.resend || sent->resent == kMaxResends) {
    sent->answer = Answer::lost;
    return;
  }
  ++sent->resent;
  sent->answer = Answer::again;
  sent->entry.written = 0;
  queued_ += sent->entry.bytes.size();
}

std::optional<Outbox::Outcome> Outbox::take_done() {
  if (sent_.empty()) return std::nullopt;
  const Sent& first = sent_.front();
  if (first.answer == Answer::awaited || first.answer == Answer::again) return std::nullopt;
  const auto outcome = first.answer == Answer::lost ? Outcome::lost : Outcome::taken;
  left_ += first.entry.bytes.size();
  sent_.pop_front();
  // What is still here waits for the socket only.
  if (!is_behind_handle() && std::exchange(waiting_, 0) > 0) {
    for (Entry& entry : entries_) entry.waiting = 0;
  }
  return outcome;
}

std::optional<std::size_t> Outbox::waiting_behind_handle() const noexcept {
  if (!is_behind_handle()) return std::nullopt;
  return waiting_;
}

bool Outbox::is_idle() const noexcept {
  return entries_.empty() && control_.empty() && sent_.empty();
}

void Outbox::clear() {
  entries_.clear();
  sent_.clear();
  control_.clear();
  control_written_ = queued_ = waiting_ = unsent_handles_ = 0;
}

}  // namespace pronghorn::ipc
