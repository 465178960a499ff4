// SPDX-License-Identifier: Apache-2.0
// The sockets of one server that live in two processes, counted by key (Node's SocketListSend and
// SocketListReceive, node-ipc 3.3). Pure; driven by Channel.
#pragma once

#include <pronghorn/base/result.h>

#include "ipc/wire.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::ipc {

/// The receiver's side: how many sockets of each key the peer gave us and still live.
class HeldSockets {
 public:
  /// `on_all_closed`: the peer has asked for it, and the last socket of the key has gone.
  explicit HeldSockets(std::move_only_function<void(const std::string&)> on_all_closed);
  /// What is held lives on, and tells nobody.
  ~HeldSockets();
  HeldSockets(const HeldSockets&) = delete;
  HeldSockets& operator=(const HeldSockets&) = delete;

  /// One more; it counts until the last copy is gone, which may be after this object.
  std::shared_ptr<void> hold(const std::string& key);
  std::size_t count(const std::string& key) const;
  /// The peer wants to be told when none is left. @returns true when that is now
  bool close_asked(const std::string& key);

 private:
  struct State;
  struct Token;
  std::shared_ptr<State> state_;
};

/// The sender's side: questions to the peer, one of each kind and key in flight at a time, so that
/// an answer always belongs to the sockets that were sent before its question.
class SentSockets {
 public:
  using Counted = std::move_only_function<void(Result<std::size_t>)>;
  using Closed = std::move_only_function<void()>;

  void sent(const std::string& key) { ++keys_[key].sent; }
  void lost(const std::string& key);
  void count(std::string_view key, Counted reply);
  void when_closed(std::string_view key, Closed closed);
  /// There is no channel to ask over.
  void refuse(Counted reply);
  void refuse(Closed closed) { due_.push_back(std::move(closed)); }
  /// An answer of the peer's; one that nobody waits for is ignored.
  void answered(const SocketNote& note);
  /// The channel has ended: everybody is told so.
  void end();

  /// A question to be sent now, if any.
  std::optional<SocketNote> take_question();
  std::size_t due() const noexcept { return due_.size(); }
  /// The next to be told. Only when due() is not 0.
  std::move_only_function<void()> take_due();

 private:
  template <class Call>
  struct Query {
    std::vector<Call> asked;  // wait for the answer that is under way
    std::vector<Call> next;   // came later: for them it is asked again
  };
  struct Key {
    std::size_t sent = 0;
    Query<Counted> counts;
    Query<Closed> closes;
  };
  template <class Call>
  void ask(Query<Call>& query, Call call, SocketNote question);
  template <class Call>
  std::vector<Call> advance(Query<Call>& query, SocketNote question);
  void tell(std::vector<Counted> calls, const Result<std::size_t>& count);
  void tell(std::vector<Closed> calls);
  void finish(Key& key, const Result<std::size_t>& count);

  std::map<std::string, Key, std::less<>> keys_;
  std::deque<SocketNote> questions_;
  std::deque<std::move_only_function<void()>> due_;
};

}  // namespace pronghorn::ipc
