// SPDX-License-Identifier: Apache-2.0
#include "server/connection_context.h"

#include "server/access_log.h"
#include "server/connection.h"
#include "server/date.h"

#include <algorithm>
#include <ctime>

namespace pronghorn::server {
namespace {
/// Room for a head and one piece of a file (connection_write.cpp). An answer that needed more is
/// not paid for by all that follow.
constexpr std::size_t kOutBytes = 288 * 1024;
constexpr std::size_t kOutAtMost = 1024 * 1024;
}  // namespace

ConnectionContext::ConnectionContext(Loop& l, SessionContext& s, const config::Limits& limit,
                                     const config::Timeouts& timeout, Deadlines& d, Owner& o)
    : loop(l),
      session(s),
      limits(limit),
      timeouts(timeout),
      deadlines(d),
      owner(o),
      writable(l),
      receive_memory_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)),
      self_(std::make_shared<ConnectionContext*>(this)),
      log_timer_(l, [this] { flush_log(); }) {
  log_timer_.unref();
  session.loop = &loop;
  receive = {receive_memory_.get(), kReceiveBytes};
  out.reserve(kOutBytes);
}

ConnectionContext::~ConnectionContext() {
  *self_ = nullptr;
  if (session.access_log != nullptr) session.access_log->flush();
}

void ConnectionContext::begin_call() {
  session.now_ms = loop.now_ms();
  if (session.now_ms != dated_ms_) {
    dated_ms_ = session.now_ms;
    session.date.refresh(std::time(nullptr));
  }
  if (out.capacity() > kOutAtMost) {
    out = std::string();
    out.reserve(kOutBytes);
  }
  out.clear();
  in_session_ = true;
}

void ConnectionContext::end_call() {
  in_session_ = false;
  if (session.access_log != nullptr && !flush_scheduled_) schedule_flush();
}

void ConnectionContext::log_written() noexcept {
  if (session.access_log != nullptr && !flush_scheduled_) schedule_flush();
}

void ConnectionContext::schedule_flush() {
  const auto wait = session.access_log->wait();
  if (!wait) return;
  flush_scheduled_ = true;
  if (wait->count() > 0) return log_timer_.start(*wait);
  loop.defer([self = self_] {
    if (*self != nullptr) (*self)->flush_log();
  });
}

void ConnectionContext::wake(Connection& connection) {
  woken_.push_back(&connection);
  if (woken_.size() > 1) return;
  loop.defer([self = self_] {
    if (*self != nullptr) (*self)->flush_woken();
  });
}

void ConnectionContext::forget(Connection& connection) noexcept {
  std::ranges::replace(woken_, &connection, nullptr);
  std::ranges::replace(flushing_, &connection, nullptr);
}

void ConnectionContext::flush_woken() {
  std::swap(woken_, flushing_);
  for (std::size_t i = 0; i < flushing_.size(); ++i) {
    if (flushing_[i] != nullptr) flushing_[i]->flush();
  }
  flushing_.clear();
}

void ConnectionContext::flush_log() noexcept {
  flush_scheduled_ = false;
  if (session.access_log == nullptr) return;
  session.access_log->flush();
  schedule_flush();  // what was not taken
}

}  // namespace pronghorn::server
