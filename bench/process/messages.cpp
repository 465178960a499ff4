// SPDX-License-Identifier: Apache-2.0
// How many messages a second go over a channel: sends COUNT messages of SIZE bytes (or sockets) to
// a copy of itself, which says when all have come. usage: messages COUNT SIZE | messages COUNT fd
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/channel.h>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace pronghorn;
using ipc::Channel;
using ipc::Json;

namespace {

int child(UniqueFd fd, long count) {
  Loop loop;
  std::optional<Channel> channel;
  Channel::Handlers handlers;
  handlers.on_message = [&](const Json&, const ipc::ReceivedHandle&) {
    if (--count == 0) static_cast<void>(channel->send(Json("done")));
  };
  channel = std::move(*Channel::open(loop, std::move(fd), std::move(handlers)));
  return loop.run();
}

double cpu(int who) {
  rusage use{};
  ::getrusage(who, &use);
  auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long count = std::atol(argv[1]);
  const bool handles = std::string(argv[2]) == "fd";
  if (auto fd = ipc::take_inherited_channel(nullptr); fd && *fd)
    return child(std::move(*fd), count);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    ::setenv("NODE_CHANNEL_FD", std::to_string(ends[1]).c_str(), 1);
    ::execv("/proc/self/exe", argv);
    ::_exit(127);
  }
  ::close(ends[1]);
  Loop loop;
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Json message = {
      {"n", 1}, {"text", std::string(handles ? 1 : std::strtoul(argv[2], nullptr, 10), 'x')}};
  std::optional<Channel> channel;
  Channel::Handlers handlers;
  handlers.on_message = [&](const Json&, const ipc::ReceivedHandle&) { channel->disconnect(); };
  channel = std::move(*Channel::open(loop, UniqueFd(ends[0]), std::move(handlers)));
  const auto begin = std::chrono::steady_clock::now();
  long sent = 0;
  std::function<void()> more = [&] {
    bool go_on = true;
    while (sent < count && go_on) {
      ++sent;
      if (handles) {
        go_on = false;
        static_cast<void>(channel->send(message, ipc::Handle::socket(socket.get()),
                                        [&](const Error*) { more(); }));
      } else if (sent % 100 == 0) {  // a callback for each would cost Node most of its time
        go_on = false;
        static_cast<void>(channel->send(message, [&](const Error*) { more(); }));
      } else {
        static_cast<void>(channel->send(message));
      }
    }
  };
  more();
  loop.run();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ::waitpid(pid, nullptr, 0);
  std::printf("%.0f a second, CPU us each: sender %.2f receiver %.2f\n",
              static_cast<double>(count) / seconds,
              cpu(RUSAGE_SELF) / static_cast<double>(count) * 1e6,
              cpu(RUSAGE_CHILDREN) / static_cast<double>(count) * 1e6);
}
