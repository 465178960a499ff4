// SPDX-License-Identifier: Apache-2.0
// A worker's side over a socketpair, and a bare socket that speaks a primary's bytes.
#pragma once

#include "ipc/channel.h"
#include "tests/unit/ipc/channel_fixture.h"
#include "tests/unit/server/listen_support.h"
#include "worker/primary_listen.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pronghorn::test {

using worker::PrimaryLink;
using worker::PrimaryListen;

/// The worker's side over a socketpair, as Worker and Cluster have it, and the primary's end.
struct Pair {
  Loop loop;
  UniqueFd primary;
  std::optional<ipc::Channel> channel;
  PrimaryLink link{{.send = [this](const ipc::InternalMessage& m) -> Result<bool> {
                      if (!channel) {
                        return std::unexpected(Error(Errc::ipc_channel_closed, "closed"));
                      }
                      return channel->send(m);
                    },
                    .on_disconnect_asked = {}}};
  std::optional<PrimaryListen> listen;
  std::vector<ipc::Json> said;  // by the worker, without what channels say
  std::string unread;
  bool eof = false;

  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    primary.reset(ends[1]);
    ipc::Channel::Handlers handlers;
    handlers.on_internal = [this](const ipc::Json& m, ipc::ReceivedHandle handle) {
      link.take(m, handle);
    };
    channel = ipc::Channel::open(loop, UniqueFd(ends[0]), std::move(handlers)).value();
    channel->unref();
    listen.emplace(loop, link);
  }
  void write(const ipc::InternalMessage& message) { write(message.text() + "\n", {}); }
  void write(std::string_view bytes, const std::vector<int>& fds) {
    REQUIRE(send_with(primary.get(), bytes, fds) == static_cast<ssize_t>(bytes.size()));
  }
  void write_with(const ipc::InternalMessage& message, int fd) {
    write(R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":)" + message.text() + "}\n", {fd});
  }
  void read() {
    char space[65536];
    ssize_t n = 0;
    while ((n = ::recv(primary.get(), space, sizeof space, MSG_DONTWAIT)) > 0) {
      unread.append(space, static_cast<std::size_t>(n));
    }
    if (n == 0) eof = true;
    for (auto at = unread.find('\n'); at != std::string::npos; at = unread.find('\n')) {
      auto json = ipc::Json::parse(unread.substr(0, at));
      unread.erase(0, at + 1);
      if (json["cmd"] == "NODE_CLUSTER") said.push_back(std::move(json));
    }
  }
  /// The next thing that the worker says with this member.
  ipc::Json hear(const char* member, const ipc::Json& value) {
    ipc::Json found;
    CHECK_MESSAGE(run_until(loop,
                            [&] {
                              read();
                              for (auto& json : said) {
                                if (!json.contains(member) || json[member] != value) continue;
                                found = std::exchange(json, ipc::Json::object());
                                return true;
                              }
                              return false;
                            }),
                  "waited for ", member);
    return found;
  }
  std::int64_t hear_query() { return hear("act", "queryServer")["seq"]; }
  bool heard(const char* act) {
    read();
    return std::ranges::any_of(said, [&](const auto& j) { return j.value("act", "") == act; });
  }
  void grant_shared(std::int64_t ack, int fd, const std::string& key = "K") {
    write_with(ipc::encode_shared_reply({.seq = 0, .ack = ack, .key = key}), fd);
  }
  void grant_handing(std::int64_t ack, const std::string& key = "K") {
    write(
        ipc::encode_handing_reply({.seq = 0,
                                   .ack = ack,
                                   .key = key,
                                   .sockname = Address{"127.0.0.1", 4321, AddressType::ipv4, {}}}));
  }
  void refuse(std::int64_t ack, int error) { write(ipc::encode_error_reply(ack, "K", -error, 0)); }
};

/// A client's connection, and its end that a primary accepted.
struct Connection {
  UniqueFd client;
  UniqueFd accepted;
};
inline Connection connection() {
  std::uint16_t port = 0;
  UniqueFd listener = bound_socket(5, &port);
  UniqueFd client = connect_to(loopback(port));
  UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  return {std::move(client), std::move(accepted)};
}

}  // namespace pronghorn::test
