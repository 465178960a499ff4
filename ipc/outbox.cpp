// SPDX-License-Identifier: Apache-2.0
#include "ipc/outbox.h"

#include <utility>

namespace pronghorn::ipc {
namespace {
// Small lines share one write up to this size; it also bounds how long an answer waits behind one.
constexpr std::size_t kRunBytes = 64 * 1024;
constexpr std::size_t kMaxControlBytes = 64 * 1024;
constexpr int kMaxResends = 3;
}  // namespace

void Outbox::count_message(std::size_t bytes) {
  queued_ += bytes;
  pushed_ += bytes;
  if (!followers_.empty()) ++waiting_;
}

void Outbox::push(std::string line) {
  count_message(line.size());
  if (!followers_.empty()) ++followers_.back();
  if (!entries_.empty() && !entries_.back().fd) {
    std::string& run = entries_.back().bytes;
    if (run.size() + line.size() <= kRunBytes) {
      run += line;
      return;
    }
  }
  entries_.push_back({.bytes = std::move(line), .fd = {}});
}

void Outbox::push_handle(std::string line, UniqueFd fd, bool resend) {
  count_message(line.size());
  followers_.push_back(0);
  entries_.push_back({.bytes = std::move(line), .fd = std::move(fd), .resend = resend});
}

bool Outbox::push_control(std::string_view line) {
  if (control_.size() + line.size() > kMaxControlBytes) return false;
  control_ += line;
  return true;
}

// A chunk that has begun is finished first, whichever it is: lines must not interleave.
bool Outbox::control_is_next() const noexcept {
  if (control_.empty()) return false;
  return control_written_ > 0 || entries_.empty() || entries_.front().written == 0;
}

std::optional<Outbox::Chunk> Outbox::next() const noexcept {
  if (control_is_next()) return Chunk{std::string_view(control_).substr(control_written_), -1};
  if (entries_.empty() || unacknowledged_) return std::nullopt;
  const Entry& front = entries_.front();
  return Chunk{std::string_view(front.bytes).substr(front.written),
               front.written == 0 ? front.fd.get() : -1};
}

void Outbox::wrote(std::size_t count) {
  if (control_is_next()) {
    control_written_ += count;
    if (control_written_ < control_.size()) return;
    control_.clear();
    control_written_ = 0;
    return;
  }
  Entry& front = entries_.front();
  front.written += count;
  queued_ -= count;
  if (!front.fd) left_ += count;
  if (front.written < front.bytes.size()) return;
  if (front.fd) unacknowledged_ = std::move(front);
  entries_.pop_front();
}

// What waited behind it up to the next handle waits no longer.
void Outbox::handle_is_done(const Entry& entry) {
  left_ += entry.bytes.size();
  waiting_ -= followers_.front();
  followers_.pop_front();
  if (!followers_.empty()) --waiting_;
}

bool Outbox::acknowledged() {
  if (!unacknowledged_) return false;
  handle_is_done(*unacknowledged_);
  unacknowledged_.reset();
  return true;
}

Outbox::Nacked Outbox::refused() {
  if (!unacknowledged_) return Nacked::nothing;
  Entry entry = std::move(*unacknowledged_);
  unacknowledged_.reset();
  if (!entry.resend || entry.resent == kMaxResends) {
    handle_is_done(entry);
    return Nacked::lost;
  }
  ++entry.resent;
  entry.written = 0;
  queued_ += entry.bytes.size();
  entries_.push_front(std::move(entry));
  return Nacked::will_resend;
}

std::optional<std::size_t> Outbox::waiting_behind_handle() const noexcept {
  if (followers_.empty()) return std::nullopt;
  return waiting_;
}

bool Outbox::is_idle() const noexcept {
  return entries_.empty() && control_.empty() && !unacknowledged_;
}

void Outbox::clear() {
  entries_.clear();
  unacknowledged_.reset();
  followers_.clear();
  control_.clear();
  control_written_ = queued_ = waiting_ = 0;
}

}  // namespace pronghorn::ipc
