// SPDX-License-Identifier: Apache-2.0
// The channel's decoder: however the bytes are cut, the lines are the same; what parses is what
// nlohmann's own parser makes of it, and so is what we dump of it; nothing throws. Then the same
// bytes over a real channel, with sockets among them.
#include "ipc/channel.h"
#include "ipc/cluster_messages.h"
#include "ipc/frame_reader.h"
#include "ipc/json_text.h"

#include <nlohmann/json.hpp>
#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::ipc;

namespace {

std::vector<std::string> lines_of(std::string_view input, std::size_t step) {
  FrameReader reader(512);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < input.size() && !reader.is_too_long(); at += step) {
    reader.feed(input.substr(at, step));
    while (auto line = reader.next()) lines.emplace_back(*line);
  }
  return lines;
}

// nlohmann refuses lone surrogates; we refuse what is too deep, a byte order mark, and a NUL, which
// nlohmann takes for the end.
void compare_with_nlohmann(std::string_view line) {
  auto ours = parse_json(line);
  auto theirs = Json::parse(line, nullptr, false);
  if (ours && theirs.is_discarded() && !line.contains("\\u")) std::abort();
  if (!ours && !theirs.is_discarded() && !line.starts_with("\xef\xbb\xbf") &&
      !line.contains('\0') && !ours.error().message().contains("nested")) {
    std::abort();
  }
  if (ours && !theirs.is_discarded() && *ours != theirs) std::abort();
}

// Bytes with one socket at their first, as Node sends them.
void send_with_socket(int socket, std::string_view bytes, int fd) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void over_a_channel(std::string_view input) {
  static Loop loop;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  std::vector<std::shared_ptr<void>> counted;
  std::optional<Channel> channel;
  Channel::Handlers handlers;
  handlers.on_message = [&](const Json& message, ReceivedHandle handle) {
    if (handle.counted) counted.push_back(std::move(handle.counted));
    static_cast<void>(channel->send(message));
  };
  handlers.on_disconnect = [&] { channel.reset(); };
  channel = std::move(*Channel::open(loop, UniqueFd(ends[0]), std::move(handlers)));
  static_cast<void>(channel->send(Json("h"), Handle::socket(ends[1], "K")));
  channel->count_sockets("K", [](Result<std::size_t>) {});
  channel->when_sockets_closed("K", [] {});
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t end = input.find('\n', at);
    std::string_view line = input.substr(at, end == input.npos ? end : end + 1 - at);
    at += line.size();
    if (line.contains("NODE_HANDLE\"")) {
      send_with_socket(ends[1], line, ends[1]);
    } else {
      ::send(ends[1], line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    uv_run(loop.native(), UV_RUN_NOWAIT);
  }
  counted.clear();
  ::close(ends[1]);
  for (int i = 0; i < 3; ++i) uv_run(loop.native(), UV_RUN_NOWAIT);
  channel.reset();
  uv_run(loop.native(), UV_RUN_NOWAIT);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  auto lines = lines_of(input, input.size() + 1);
  if (lines != lines_of(input, 1) || lines != lines_of(input, 7)) std::abort();
  over_a_channel(input);
  for (const auto& line : lines) {
    compare_with_nlohmann(line);
    auto json = parse_json(line);
    if (!json) continue;
    auto text = dump_json(*json);
    if (!text || text->contains('\n')) std::abort();
    if (auto again = parse_json(*text); !again || *again != *json) std::abort();
    if (Json::parse(*text, nullptr, false) != *json) std::abort();
    static_cast<void>(decode_cluster_message(*json));
    static_cast<void>(decode_pronghorn(*json));
  }
  return 0;
}
