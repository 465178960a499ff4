// SPDX-License-Identifier: Apache-2.0
#include "app/panel.h"

#include "app/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

namespace pronghorn::app {
namespace {

constexpr int kUrlWidth = 30;
constexpr std::size_t kMaxNetworks = 3;

bool is_wildcard(const config::ListenAddress& a) { return a.host == "0.0.0.0" || a.host == "::"; }
bool is_loopback(const config::ListenAddress& a) {
  return a.host.starts_with("127.") || a.host == "::1" || a.host == "localhost";
}

std::string url(const config::ListenAddress& a) {
  return a.is_unix() ? "http+unix:" + a.path : "http://" + a.text();
}

void add_row(std::string& out, const std::string& address, std::string_view remark) {
  out += remark.empty() ? fmt::format("  {}\n", address)
                        : fmt::format("  {:<{}}{}\n", address, kUrlWidth, remark);
}

}  // namespace

std::string ready_line(const std::vector<config::ListenAddress>& listeners,
                       const std::vector<std::string>& opened, unsigned workers, int pid) {
  std::string line = "ready";
  for (const auto& listener : listeners) line += " " + url(listener);
  for (const auto& address : opened) line += " " + address;
  return line + fmt::format(" workers={} pid={}\n", workers, pid);
}

std::string panel_text(const PanelInfo& info) {
  std::string out = fmt::format("pronghorn {} · {} · {} worker{}\n\n", kVersion, info.what,
                                info.workers, info.workers == 1 ? "" : "s");
  bool only_loopback = true;
  for (const auto& listener : info.listeners) {
    if (listener.is_unix()) {
      add_row(out, url(listener), "this machine only");
    } else if (is_loopback(listener)) {
      add_row(out, url(listener) + "/", "this machine only");
    } else if (is_wildcard(listener)) {
      only_loopback = false;
      add_row(out, fmt::format("http://localhost:{}/", listener.port), "");
      for (const auto& [address, interface] : info.networks) {
        config::ListenAddress on_network{.host = address, .port = listener.port, .path = {}};
        add_row(out, url(on_network) + "/", "on the network (" + interface + ")");
      }
    } else {
      only_loopback = false;
      add_row(out, url(listener) + "/", "");
    }
  }
  for (const auto& address : info.opened) add_row(out, address, "");
  out += '\n';
  for (const auto& note : info.notes) out += "  note: " + note + "\n";
  auto tcp = std::ranges::find_if(info.listeners, [](const auto& a) { return !a.is_unix(); });
  if (only_loopback && tcp != info.listeners.end()) {
    std::string share = fmt::format("share on the network: --listen 0.0.0.0:{}", tcp->port);
    out += fmt::format("  {:<48}stop: Ctrl-C\n", share);
  } else {
    out += "  stop: Ctrl-C\n";
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> network_addresses() {
  std::vector<std::pair<std::string, std::string>> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (ifaddrs* i = list; i != nullptr && out.size() < kMaxNetworks; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || (i->ifa_flags & IFF_LOOPBACK) != 0 ||
        (i->ifa_flags & IFF_UP) == 0)
      continue;
    std::string_view name = i->ifa_name;
    if (name.starts_with("docker") || name.starts_with("br-") || name.starts_with("veth")) continue;
    char text[INET6_ADDRSTRLEN];
    if (i->ifa_addr->sa_family == AF_INET) {
      auto* in = reinterpret_cast<sockaddr_in*>(i->ifa_addr);
      if ((ntohl(in->sin_addr.s_addr) >> 16) == 0xa9fe) continue;  // 169.254/16, RFC 3927
      ::inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(i->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr)) continue;
      ::inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
    } else {
      continue;
    }
    out.emplace_back(text, name);
  }
  ::freeifaddrs(list);
  return out;
}

}  // namespace pronghorn::app
