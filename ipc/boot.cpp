// SPDX-License-Identifier: Apache-2.0
#include "ipc/boot.h"

#include <cerrno>
#include <charconv>
#include <concepts>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>

namespace pronghorn::ipc {
namespace {

template <std::integral Number>
bool parse_number(std::string_view text, Number& out) {
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, out);
  return !text.empty() && parsed.ec == std::errc() && parsed.ptr == end && out >= 0;
}

// Cuts the part before `separator` off the front of `text`.
std::string_view cut(std::string_view& text, char separator) {
  std::size_t at = text.find(separator);
  std::string_view head = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return head;
}

bool parse_list(std::string_view text, std::vector<int>& out) {
  while (!text.empty()) {
    int fd = -1;
    if (!parse_number(cut(text, ','), fd)) return false;
    out.push_back(fd);
  }
  return !out.empty();
}

bool parse_field(std::string_view key, std::string_view value, Boot& boot) {
  if (key == "slot") return parse_number(value, boot.slot);
  if (key == "generation") return parse_number(value, boot.generation);
  if (key == "config") return parse_number(value, boot.config_fd);
  if (key == "scoreboard") return parse_number(value, boot.scoreboard_fd);
  if (key == "clients") return parse_number(value, boot.clients_fd);
  if (key == "uid") return parse_number(value, boot.uid);
  if (key == "access_log") return parse_number(value, boot.access_log_fd);
  if (key == "roots") return boot.root_fds.empty() && parse_list(value, boot.root_fds);
  if (key == "doorbells") return boot.doorbells.empty() && parse_list(value, boot.doorbells);
  return false;
}

Result<void> set_cloexec(int fd) {
  if (fd < 0) return {};
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return {};
  return std::unexpected(
      Error::system(errno, std::string(Boot::kVariable) + ": descriptor " + std::to_string(fd)));
}

}  // namespace

std::string Boot::to_text() const {
  std::string out = "slot=" + std::to_string(slot) + " generation=" + std::to_string(generation);
  auto add = [&out](const char* key, std::int64_t number) {
    if (number >= 0) out += std::string(" ") + key + "=" + std::to_string(number);
  };
  add("config", config_fd);
  add("scoreboard", scoreboard_fd);
  add("clients", clients_fd);
  add("uid", uid);
  add("access_log", access_log_fd);
  auto add_list = [&out](const char* key, const std::vector<int>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      out += (i == 0 ? std::string(" ") + key + "=" : ",") + std::to_string(list[i]);
    }
  };
  add_list("roots", root_fds);
  add_list("doorbells", doorbells);
  return out;
}

Result<Boot> Boot::parse(std::string_view text) {
  Boot boot;
  while (!text.empty()) {
    std::string_view field = cut(text, ' ');
    std::string_view value = field;
    std::string_view key = cut(value, '=');
    if (!parse_field(key, value, boot)) {
      return std::unexpected(
          Error(std::string(kVariable) + ": cannot read '" + std::string(field) + "'"));
    }
  }
  return boot;
}

Result<std::optional<Boot>> Boot::take_from_environment() {
  const char* value = std::getenv(kVariable);
  if (value == nullptr) return std::optional<Boot>();
  std::string text = value;
  ::unsetenv(kVariable);
  auto boot = parse(text);
  if (!boot) return std::unexpected(std::move(boot.error()));
  std::vector<int> all = boot->doorbells;
  all.insert(all.end(),
             {boot->config_fd, boot->scoreboard_fd, boot->clients_fd, boot->access_log_fd});
  all.insert(all.end(), boot->root_fds.begin(), boot->root_fds.end());
  for (int fd : all) {
    if (auto set = set_cloexec(fd); !set) return std::unexpected(std::move(set.error()));
  }
  return std::optional<Boot>(std::move(*boot));
}

}  // namespace pronghorn::ipc
