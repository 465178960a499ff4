// SPDX-License-Identifier: Apache-2.0
// A Primary with workers that only note what they are sent.
#pragma once

#include "master/cluster/primary.h"
#include "support.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <map>
#include <optional>
#include <poll.h>
#include <set>
#include <string>
#include <vector>

namespace pronghorn::test {

using ipc::Json;
using master::Listener;
using master::Primary;

struct PrimaryRig {
  struct Sent {
    Json json;
    ipc::HandleType type = ipc::HandleType::net_native;
    UniqueFd fd;
    std::string text;
    std::function<void()> on_lost{};
  };
  struct Worker {
    std::deque<Sent> sent;  // what ask() returns stays
    int fails_with = 0;     // errno of every send with a socket; -1: the channel has ended
  };

  Loop loop;
  std::optional<ipc::Scoreboard> board;
  std::map<std::uint64_t, Worker> workers;
  std::vector<std::string> events;
  std::optional<Primary> primary;
  std::int64_t seq = 100;

  explicit PrimaryRig(Scheduling scheduling = Scheduling::shared, std::uint32_t slots = 0,
                      std::size_t max_servers = 1024) {
    if (slots > 0) board = ipc::Scoreboard::create(slots).value();
    options.scheduling = scheduling;
    options.max_servers = max_servers;
    options.board = board ? &*board : nullptr;
    restart();
  }
  Primary::Options options;
  Address last_address;

  /// Another primary, with `options` as they are now.
  void restart() {
    primary.emplace(loop, options,
                    Primary::Events{
                        .on_online = [this](auto id) { note("online", id); },
                        .on_listening =
                            [this](auto id, const Address& a) {
                              note(fmt::format("listening {}:{}", a.address, a.port), id);
                              last_address = a;
                            },
                        .on_leaving = [this](auto id) { note("leaving", id); },
                    });
  }

  void note(const std::string& what, std::uint64_t id) {
    events.push_back(fmt::format("{} {}", id, what));
  }
  void add(std::uint64_t id, std::optional<std::uint32_t> slot = {}) {
    Worker& worker = workers[id];
    primary->add(
        id, slot,
        [&worker](const ipc::InternalMessage& m, const ipc::Handle* handle) -> Result<bool> {
          if (worker.fails_with < 0)
            return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
          if (worker.fails_with > 0 && handle != nullptr)
            return std::unexpected(Error::system(worker.fails_with, "cannot send"));
          Sent sent{.json = Json::parse(m.text()), .fd = {}, .text = m.text(), .on_lost = {}};
          if (handle != nullptr) {
            sent.type = handle->type;
            sent.on_lost = handle->on_lost;
            sent.fd.reset(::fcntl(handle->fd, F_DUPFD_CLOEXEC, 3));
          }
          worker.sent.push_back(std::move(sent));
          return true;
        });
  }
  /// A message of NODE_CLUSTER with these members.
  bool say(std::uint64_t id, Json message) {
    message["cmd"] = "NODE_CLUSTER";
    if (!message.contains("seq")) message["seq"] = seq++;
    return primary->take(id, message);
  }
  /// As Node's workers ask for a TCP server of 127.0.0.1; `more` replaces and adds.
  static Json tcp_query(std::uint16_t port, const Json& more = Json::object()) {
    Json query = {
        {"act", "queryServer"}, {"index", 0},       {"data", nullptr}, {"address", "127.0.0.1"},
        {"port", port},         {"addressType", 4}, {"flags", 0},      {"backlog", false}};
    query.update(more);
    return query;
  }
  /// The answer, which must be one.
  Sent& ask(std::uint64_t id, const Json& query) {
    auto before = workers[id].sent.size();
    REQUIRE(say(id, query));
    // What is lent to a worker follows its answer.
    REQUIRE(workers[id].sent.size() > before);
    Sent& answer = workers[id].sent[before];
    CHECK(answer.json.at("ack") == seq - 1);
    return answer;
  }
  int refused(std::uint64_t id, const Json& query) {
    Sent& answer = ask(id, query);
    CHECK(!answer.fd);
    return answer.json.at("errno").is_null() ? 0 : -answer.json.at("errno").get<int>();
  }
  void close(std::uint64_t id, const std::string& key) {
    say(id, {{"act", "close"}, {"key", key}});
  }
};

inline config::ListenAddress where(const UniqueFd& fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size);
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    return {::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text), ntohs(v6.sin6_port), {}};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
  return {::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text), ntohs(v4.sin_port), {}};
}

inline int option(const UniqueFd& fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd.get(), level, name, &value, &size);
  return value;
}

/// A connection that waits at this socket, after at most 10 s.
inline UniqueFd accept_one(const UniqueFd& fd, int ms = 10'000) {
  pollfd entry{fd.get(), POLLIN, 0};
  ::poll(&entry, 1, ms);
  return UniqueFd(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

}  // namespace pronghorn::test
