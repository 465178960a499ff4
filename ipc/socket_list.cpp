// SPDX-License-Identifier: Apache-2.0
#include "ipc/socket_list.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace pronghorn::ipc {
namespace {

Result<std::size_t> no_answer() {
  return std::unexpected(
      Error(Errc::child_closed_before_reply, "the peer closed before it replied"));
}

}  // namespace

struct HeldSockets::State {
  struct Key {
    std::size_t count = 0;
    bool close_asked = false;
  };
  std::unordered_map<std::string, Key> keys;  // those with sockets
  std::move_only_function<void(const std::string&)> on_all_closed;
};

struct HeldSockets::Token {
  Token(std::shared_ptr<State> s, std::string k) : state(std::move(s)), key(std::move(k)) {
    ++state->keys[key].count;
  }
  ~Token() {
    auto found = state->keys.find(key);
    if (--found->second.count > 0) return;
    bool tell = found->second.close_asked;
    state->keys.erase(found);
    if (tell && state->on_all_closed) state->on_all_closed(key);
  }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  std::shared_ptr<State> state;
  std::string key;
};

HeldSockets::HeldSockets(std::move_only_function<void(const std::string&)> on_all_closed)
    : state_(std::make_shared<State>()) {
  state_->on_all_closed = std::move(on_all_closed);
}

HeldSockets::~HeldSockets() { state_->on_all_closed = nullptr; }

std::shared_ptr<void> HeldSockets::hold(const std::string& key) {
  return std::make_shared<Token>(state_, key);
}

std::size_t HeldSockets::count(const std::string& key) const {
  auto found = state_->keys.find(key);
  return found == state_->keys.end() ? 0 : found->second.count;
}

bool HeldSockets::close_asked(const std::string& key) {
  auto found = state_->keys.find(key);
  if (found == state_->keys.end()) return true;
  found->second.close_asked = true;
  return false;
}

template <class Call>
void SentSockets::ask(Query<Call>& query, Call call, SocketNote question) {
  if (!query.asked.empty()) return query.next.push_back(std::move(call));
  query.asked.push_back(std::move(call));
  questions_.push_back(std::move(question));
}

template <class Call>
std::vector<Call> SentSockets::advance(Query<Call>& query, SocketNote question) {
  auto done = std::exchange(query.asked, std::exchange(query.next, {}));
  if (!query.asked.empty()) questions_.push_back(std::move(question));
  return done;
}

void SentSockets::tell(std::vector<Counted> calls, const Result<std::size_t>& count) {
  for (auto& call : calls) {
    due_.push_back([call = std::move(call), count]() mutable { call(count); });
  }
}

void SentSockets::tell(std::vector<Closed> calls) {
  std::ranges::move(calls, std::back_inserter(due_));
}

void SentSockets::count(std::string_view key, Counted reply) {
  auto found = keys_.find(key);
  if (found == keys_.end()) {
    due_.push_back([reply = std::move(reply)]() mutable { reply(0); });
    return;
  }
  ask(found->second.counts, std::move(reply),
      {.kind = SocketNote::Kind::get_count, .key = found->first});
}

void SentSockets::when_closed(std::string_view key, Closed closed) {
  auto found = keys_.find(key);
  if (found == keys_.end()) return due_.push_back(std::move(closed));
  ask(found->second.closes, std::move(closed),
      {.kind = SocketNote::Kind::notify_close, .key = found->first});
}

void SentSockets::finish(Key& key, const Result<std::size_t>& count) {
  tell(std::move(key.counts.asked), count);
  tell(std::move(key.counts.next), count);
  tell(std::move(key.closes.asked));
  tell(std::move(key.closes.next));
}

// A peer that never got one knows nothing of the key, and Node does not answer then.
void SentSockets::lost(const std::string& key) {
  auto found = keys_.find(key);
  if (found == keys_.end() || --found->second.sent > 0) return;
  finish(found->second, 0);
  keys_.erase(found);
}

void SentSockets::answered(const SocketNote& note) {
  auto found = keys_.find(note.key);
  if (found == keys_.end()) return;
  if (note.kind == SocketNote::Kind::count) {
    tell(advance(found->second.counts, {.kind = SocketNote::Kind::get_count, .key = note.key}),
         note.count);
  } else {
    tell(advance(found->second.closes, {.kind = SocketNote::Kind::notify_close, .key = note.key}));
  }
}

void SentSockets::refuse(Counted reply) {
  std::vector<Counted> calls;
  calls.push_back(std::move(reply));
  tell(std::move(calls), no_answer());
}

void SentSockets::end() {
  for (auto& [name, key] : keys_) finish(key, no_answer());
  keys_.clear();
  questions_.clear();
}

std::optional<SocketNote> SentSockets::take_question() {
  if (questions_.empty()) return std::nullopt;
  SocketNote question = std::move(questions_.front());
  questions_.pop_front();
  return question;
}

std::move_only_function<void()> SentSockets::take_due() {
  auto call = std::move(due_.front());
  due_.pop_front();
  return call;
}

}  // namespace pronghorn::ipc
