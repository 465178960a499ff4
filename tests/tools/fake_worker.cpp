// SPDX-License-Identifier: Apache-2.0
// A worker for the master's tests: speaks the cluster's messages, answers each connection with its
// slot and pid, and misbehaves as argv[1] says. Its configuration is one "HOST PORT" or "unix PATH"
// a line.
#include <pronghorn/base/clock.h>
#include <pronghorn/base/uv/loop.h>

#include "base/uv/poll.h"
#include "base/uv/timer.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "ipc/cluster_messages.h"
#include "ipc/scoreboard.h"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <list>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace pronghorn;

namespace {

class FakeWorker {
 public:
  FakeWorker(std::string mode, ipc::Boot boot, ipc::Scoreboard board, int channel_number)
      : mode_(std::move(mode)),
        boot_(std::move(boot)),
        board_(std::move(board)),
        channel_number_(channel_number),
        heart_(loop_, [this] { beat(); }),
        flood_(loop_, [this] { flood(); }) {}

  int run(UniqueFd channel) {
    ipc::Channel::Handlers handlers;
    handlers.on_internal = [this](const ipc::Json& message, ipc::ReceivedHandle handle) {
      on_internal(message, std::move(handle.fd));
    };
    handlers.on_disconnect = [this] {
      // What breaks the protocol is to be killed, not to leave.
      if (!flood_.is_active() && mode_ != "garbage") ::_exit(0);
    };
    channel_.emplace(
        std::move(*ipc::Channel::open(loop_, std::move(channel), std::move(handlers))));
    send(ipc::encode_online(seq_++));
    if (mode_ == "fault") {
      send(ipc::encode_pronghorn(
          {.act = "fault", .text = "cannot open '/srv/www': no such file or directory"}));
      channel_->disconnect();
      loop_.run();
      return 78;
    }
    heart_.start(Millis(0), Millis(50));
    if (mode_ != "never_ready") ask();
    return loop_.run();
  }

 private:
  struct Listening {
    UniqueFd fd;
    std::optional<uv::Poll> poll;
  };

  void send(const ipc::InternalMessage& message) { static_cast<void>(channel_->send(message)); }
  void beat() { board_.slot(boot_.slot).heartbeat_ms.store(monotonic_ms()); }

  void ask() {
    std::string text(4096, '\0');
    ssize_t n = ::pread(boot_.config_fd, text.data(), text.size(), 0);
    std::istringstream lines(text.substr(0, n > 0 ? static_cast<std::size_t>(n) : 0));
    std::string host, rest;
    while (lines >> host >> rest) {
      ipc::ClusterMessage query;
      query.address = host == "unix" ? rest : host;
      query.port = host == "unix" ? -1 : std::stoi(rest);
      query.address_type = host == "unix"       ? AddressType::unix_socket
                           : host.contains(':') ? AddressType::ipv6
                                                : AddressType::ipv4;
      if (mode_ == "wrong_address") query.address = "192.0.2.1";
      query.seq = seq_++;
      asked_.push_back(query);
      send(ipc::encode_query_server(query));
    }
  }

  void on_internal(const ipc::Json& json, UniqueFd handle) {
    if (auto ours = ipc::decode_pronghorn(json); ours && ours->act == "drain") said_drain_ = true;
    auto message = ipc::decode_cluster_message(json);
    if (!message) return;
    if (message->act == "disconnect" && mode_ != "stubborn") return leave();
    if (!message->ack) return;
    if (message->error != 0) ::_exit(7);
    for (auto& query : asked_) {
      if (query.seq == message->ack) listen_on(query, std::move(handle));
    }
  }

  void listen_on(ipc::ClusterMessage query, UniqueFd fd) {
    auto& entry = listening_.emplace_back();
    entry.fd = std::move(fd);
    entry.poll.emplace(std::move(
        *uv::Poll::open(loop_, entry.fd.get(), [this, &entry](int, int) { accept_all(entry); })));
    entry.poll->want(uv::Poll::kReadable);
    query.act = "listening";
    query.seq = seq_++;
    send(ipc::encode_listening(query));
    if (listening_.size() == asked_.size()) misbehave();
  }

  void misbehave() {
    auto& counters = board_.slot(boot_.slot).counters;
    if (mode_ == "busy") {
      counters.requests_active.set(1);
      counters.in_hand.begin("GET", "/report", monotonic_ms());
    }
    if (mode_ == "garbage") {
      [[maybe_unused]] auto n = ::write(channel_number_, "this is not JSON\n", 17);
    }
    if (mode_ == "flood" || mode_ == "endless_line") flood_.start(Millis(0), Millis(1));
    if (mode_ == "dies_when_ready") ::raise(SIGKILL);
  }

  void flood() {
    if (mode_ == "endless_line") {
      std::string part(65536, 'x');
      [[maybe_unused]] auto n =
          ::send(channel_number_, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      return;
    }
    for (int i = 0; i < 500; ++i) send(ipc::encode_online(seq_++));
  }

  // Blocking reads are good enough here: the test's clients send at once.
  void accept_all(Listening& entry) {
    for (;;) {
      UniqueFd client(::accept4(entry.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      auto& counters = board_.slot(boot_.slot).counters;
      counters.accepted.add(1);
      char request[256];
      if (::recv(client.get(), request, sizeof request, 0) <= 0) continue;
      counters.requests.add(1);
      std::string answer = "slot " + std::to_string(boot_.slot) + " pid " +
                           std::to_string(::getpid()) + (said_drain_ ? " close\n" : "\n");
      ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  void leave() {
    for (auto& entry : listening_) {
      accept_all(entry);
      entry.poll.reset();
      entry.fd.reset();
    }
    ::_exit(0);
  }

  Loop loop_;
  std::string mode_;
  ipc::Boot boot_;
  ipc::Scoreboard board_;
  int channel_number_;
  uv::Timer heart_;
  uv::Timer flood_;
  std::optional<ipc::Channel> channel_;
  std::vector<ipc::ClusterMessage> asked_;
  std::list<Listening> listening_;
  std::int64_t seq_ = 0;
  bool said_drain_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  std::string mode = argc > 1 ? argv[1] : "serve";
  for (int signum : {SIGTERM, SIGINT, SIGHUP}) ::signal(signum, SIG_IGN);
  if (mode == "exit_at_once") return 3;
  if (mode == "crash_at_start") ::raise(SIGKILL);
  if (std::getenv("NOTIFY_SOCKET") != nullptr) return 9;
  std::string unique_id;
  auto channel = ipc::take_inherited_channel(&unique_id);
  auto boot = ipc::Boot::take_from_environment();
  if (!channel || !*channel || !boot || !*boot || unique_id.empty()) return 8;
  auto board = ipc::Scoreboard::attach((*boot)->scoreboard_fd);
  if (!board) return 8;
  int number = channel->get();
  return FakeWorker(mode, **boot, std::move(*board), number).run(std::move(*channel));
}
