// SPDX-License-Identifier: Apache-2.0
#include "config/suggest.h"

#include <algorithm>

namespace pronghorn::config {
namespace {

std::string normalised(std::string_view word) {
  std::string result = lower(word);
  std::erase_if(result, [](char c) { return c == '_' || c == '-'; });
  return result;
}

constexpr std::string_view kNoTls = "connections are plain HTTP";
constexpr std::string_view kForeground = "it always runs in the foreground";
constexpr std::string_view kNoProxy =
    "it passes no request on to other servers; [[programs]] runs programs as workers";
constexpr std::string_view kPlaces =
    "what holds for a path says so itself: 'match' of [[headers]], [[cache_control]] and "
    "[[rate_limits]], 'from' of [[redirects]], 'path' of [[routes]]";
constexpr std::string_view kNoBlock = "what nginx has in this block stands at the top level";
constexpr std::string_view kNoAccess =
    "there are no passwords and no lists of addresses; a handler of the library may ask";
constexpr std::string_view kAlways = "it is always so where it helps";

constexpr Alias kAliases[] = {
    {"port", "listen", {}},
    {"bind", "listen", {}},
    {"host", "listen", {}},
    {"address", "listen", {}},
    {"server.port", "listen", {}},
    {"worker_processes", "workers", {}},
    {"num_threads", "workers", {}},
    {"threads", "workers", {}},
    {"nbthread", "workers", {}},
    {"processes", "workers", {}},
    {"instances", "workers", {}},
    {"worker_connections", "max_connections", {}},
    {"maxconn", "max_connections", {}},
    {"max_clients", "max_connections", {}},
    {"document_root", "root", {}},
    {"docroot", "root", {}},
    {"server_root", "root", {}},
    {"directory", "root", {}},
    {"public", "root", {}},
    {"directory_index", "index", {}},
    {"index_files", "index", {}},
    {"error_log", "log.level", {}},
    {"log_level", "log.level", {}},
    {"loglevel", "log.level", {}},
    {"verbosity", "log.level", {}},
    {"graceful_timeout", "drain_timeout", {}},
    {"worker_shutdown_timeout", "drain_timeout", {}},
    {"hard_stop_after", "drain_timeout", {}},
    {"shutdown_timeout", "drain_timeout", {}},
    {"timeout_stop", "drain_timeout", {}},
    {"watchdog", "hang_timeout", {}},
    {"worker_timeout", "hang_timeout", {}},
    {"client_max_body_size", "limits.body", {}},
    {"limit_request_body", "limits.body", {}},
    {"max_body_size", "limits.body", {}},
    {"large_client_header_buffers", "limits.head", {}},
    {"client_header_buffer_size", "limits.head", {}},
    {"max_header_size", "limits.head", {}},
    {"limit_request_fields", "limits.header_fields", {}},
    {"max_headers", "limits.header_fields", {}},
    {"limit_request_line", "limits.uri", {}},
    {"keepalive_requests", "limits.requests_per_connection", {}},
    {"max_keepalive_requests", "limits.requests_per_connection", {}},
    {"client_header_timeout", "timeouts.head", {}},
    {"headers_timeout", "timeouts.head", {}},
    {"client_body_timeout", "timeouts.body", {}},
    {"send_timeout", "timeouts.write", {}},
    {"lingering_timeout", "timeouts.linger", {}},
    {"stats_socket", "control", {}},
    {"pidfile",
     {},
     "there is no pid file; 'pronghorn status' finds the server by its control socket"},
    {"pid", {}, "there is no pid file; 'pronghorn status' finds the server by its control socket"},
    {"autoindex", "listing", {}},
    {"dir_listing", "listing", {}},
    {"directory_listing", "listing", {}},
    {"browse", "listing", {}},
    {"try_files", "fallback", {}},
    {"spa", "fallback", {}},
    {"fallback_resource", "fallback", {}},
    {"server_name", "hosts", {}},
    {"server_names", "hosts", {}},
    {"virtual_hosts", "hosts", {}},
    {"vhosts", "hosts", {}},
    {"servers", "hosts", {}},
    {"expires", "cache_control", {}},
    {"add_header", "headers", {}},
    {"error_page", "error_pages", {}},
    {"error_document", "error_pages", {}},
    {"rewrite", "redirects", {}},
    {"gzip", "compression.on", {}},
    {"brotli", "compression.on", {}},
    {"compress", "compression.on", {}},
    {"gzip_types", "compression.types", {}},
    {"gzip_min_length", "compression.min_size", {}},
    {"gzip_comp_level", "compression.level", {}},
    {"ssl_certificate", {}, kNoTls},
    {"ssl_certificate_key", {}, kNoTls},
    {"ssl_protocols", {}, kNoTls},
    {"ssl", {}, kNoTls},
    {"https", {}, kNoTls},
    {"http2", {}, kNoTls},
    {"certificate", {}, kNoTls},
    {"tls", {}, kNoTls},
    {"server", "hosts", {}},
    {"virtual_host", "hosts", {}},
    {"return", "redirects", {}},
    {"redir", "redirects", {}},
    {"redirect_match", "redirects", {}},
    {"location", {}, kPlaces},
    {"handle", {}, kPlaces},
    {"http", {}, kNoBlock},
    {"events", {}, kNoBlock},
    {"include", {}, "a configuration is one file"},
    {"proxy_pass", {}, kNoProxy},
    {"reverse_proxy", {}, kNoProxy},
    {"upstream", {}, kNoProxy},
    {"backend", {}, kNoProxy},
    {"fastcgi_pass", {}, kNoProxy},
    {"uwsgi_pass", {}, kNoProxy},
    {"allow", {}, kNoAccess},
    {"deny", {}, kNoAccess},
    {"auth_basic", {}, kNoAccess},
    {"sendfile", {}, kAlways},
    {"tcp_nopush", {}, kAlways},
    {"tcp_nodelay", {}, kAlways},
    {"server_tokens", {}, "no answer says what serves it"},
    {"file_server", "root", {}},
    {"encode", "compression.on", {}},
    {"gzip_static", "files.precompressed", {}},
    {"open_file_cache", "files.cache_entries", {}},
    {"mime_types", "types", {}},
    {"add_type", "types", {}},
    {"log_format", "access_log_format", {}},
    {"limit_req", "rate_limits", {}},
    {"limit_req_zone", "rate_limits", {}},
    {"limit_conn", "limits.connections_per_client", {}},
    {"unique_id_header", "request_id.answer", {}},
    {"daemon", {}, kForeground},
    {"daemonize", {}, kForeground},
};

}  // namespace

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::size_t word_distance(std::string_view left, std::string_view right) {
  const std::string a = normalised(left);
  const std::string b = normalised(right);
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substituted});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string_view closest(std::string_view word, std::span<const std::string_view> candidates) {
  // A word far longer than any key is no misspelling, and its distance would be quadratic work.
  if (word.size() > 64) return {};
  const std::string plain = normalised(word);
  std::size_t best = std::max<std::size_t>(1, plain.size() / 3) + 1;
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = word_distance(word, candidate);
    if (distance < best && distance < normalised(candidate).size()) {
      best = distance;
      found = candidate;
    }
  }
  if (!found.empty() || plain.size() < 4) return found;
  for (const std::string_view candidate : candidates) {
    const std::string other = normalised(candidate);
    if (other.size() >= 4 && (plain.starts_with(other) || other.starts_with(plain))) {
      return candidate;
    }
  }
  return {};
}

const Alias* find_alias(std::string_view word) {
  const std::string plain = normalised(word);
  for (const Alias& alias : kAliases) {
    if (normalised(alias.word) == plain) return &alias;
  }
  return nullptr;
}

}  // namespace pronghorn::config
