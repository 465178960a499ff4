// SPDX-License-Identifier: Apache-2.0
#include "master/control_server.h"

#include "base/uv/poll.h"
#include "base/uv/tcp.h"
#include "base/uv/timer.h"
#include "master/listener.h"
#include "master/status.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace pronghorn::master {
namespace {

// A client that neither asks nor reads is dropped, so that it cannot keep its place for ever.
constexpr Millis kPatience{10'000};
constexpr int kBacklog = 16;

bool is_permitted(int fd) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace

struct ControlServer::Impl {
  struct Client final : uv::Tcp::Handler {
    Client(Impl& server, Loop& loop)
        : owner(server), patience(loop, [this] { owner.drop(*this); }) {}
    ~Client() { *self = nullptr; }

    std::span<char> read_buffer() override { return owner.buffer; }
    void on_bytes(std::string_view bytes) override { owner.on_bytes(*this, bytes); }
    void on_end(int) override { owner.drop(*this); }
    void on_written(int error) override {
      if (error != 0) return owner.drop(*this);
      tcp->read_start();
      owner.answer_next(*this);
    }

    Impl& owner;
    uv::Timer patience;
    std::optional<uv::Tcp> tcp;
    std::string line;         // what has come and is not answered; at most kMaxLine and one read
    bool is_waiting = false;  // for the answer
    std::shared_ptr<Client*> self = std::make_shared<Client*>(this);  // empty once it is gone
  };

  Impl(Loop& event_loop, Listener&& socket, Answer&& answerer)
      : loop(event_loop),
        listener(std::move(socket)),
        answer(std::move(answerer)),
        pause(loop, [this] { poll->want(uv::Poll::kReadable); }) {}

  void on_connectable() {
    UniqueFd fd(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      // Out of descriptors: what waits would wake us again at once.
      poll->want(0);
      pause.start(Millis(1'000));
    }
    if (!fd || clients.size() >= kMaxClients || !is_permitted(fd.get())) return;
    Client& client = clients.emplace_back(*this, loop);
    auto tcp = uv::Tcp::open(loop, fd.release(), client);
    if (!tcp) return clients.pop_back();
    client.tcp.emplace(std::move(*tcp));
    client.tcp->read_start();
    client.patience.start(kPatience);
  }

  void on_bytes(Client& client, std::string_view bytes) {
    client.line += bytes;
    if (client.is_waiting || client.tcp->is_writing()) {
      // It asks on before it has read the answer: no further until it has.
      client.tcp->read_stop();
      return;
    }
    answer_next(client);
  }

  // One line, and the next when this answer is gone.
  void answer_next(Client& client) {
    auto end = client.line.find('\n');
    if (end > kMaxLine && (end != std::string::npos || client.line.size() > kMaxLine))
      return drop(client);
    if (end == std::string::npos) return;
    std::string request = client.line.substr(0, end);
    client.line.erase(0, end + 1);
    client.patience.start(kPatience);  // longer than any answer takes
    client.is_waiting = true;
    auto command = parse_command(request);
    if (!command) return reply(client, error_line(command.error().message()));
    answer(*command, [self = client.self](const std::string& text) {
      if (*self == nullptr) return;
      (*self)->owner.reply(**self, text.empty() ? error_line("no such command") : text);
    });
  }

  void reply(Client& client, const std::string& text) {
    client.is_waiting = false;
    client.patience.start(kPatience);
    client.tcp->write(text + "\n");
  }

  void drop(Client& client) {
    clients.remove_if([&client](const Client& each) { return &each == &client; });
  }

  Loop& loop;
  Listener listener;
  Answer answer;
  std::array<char, 4096> buffer{};
  std::list<Client> clients;  // after the buffer: they write into it
  std::optional<uv::Poll> poll;
  uv::Timer pause;
};

std::expected<ControlServer, StartFailure> ControlServer::open(Loop& loop, const std::string& path,
                                                               Answer answer) {
  auto listener = Listener::open({.host = {}, .port = 0, .path = path}, kBacklog);
  if (!listener) return std::unexpected(std::move(listener).error());
  // Listener opens it for everyone; who asks is checked anyway (SO_PEERCRED).
  ::chmod(path.c_str(), 0600);
  auto impl = std::make_unique<Impl>(loop, std::move(*listener), std::move(answer));
  auto poll = uv::Poll::open(loop, impl->listener.fd(),
                             [self = impl.get()](int, int) { self->on_connectable(); });
  if (!poll) return std::unexpected(StartFailure{1, poll.error().message()});
  impl->poll.emplace(std::move(*poll));
  impl->poll->want(uv::Poll::kReadable);
  return ControlServer(std::move(impl));
}

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;
ControlServer::ControlServer(ControlServer&&) noexcept = default;
ControlServer& ControlServer::operator=(ControlServer&&) noexcept = default;

}  // namespace pronghorn::master
