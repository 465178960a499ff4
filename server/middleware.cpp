// SPDX-License-Identifier: Apache-2.0
// The router's middleware: what is asked before a request is handled, and what sees its answer.
#include "server/path.h"
#include "server/router_impl.h"
#include "server/target.h"

#include <optional>

namespace pronghorn {
namespace {

/// "/a/b/" and "/a/b" as "a/b".
std::string without_slashes(std::string_view prefix) {
  prefix.remove_prefix(1);
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  return std::string(prefix);
}

bool lies_below(std::string_view path, std::string_view prefix) noexcept {
  return prefix.empty() ||
         (path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/'));
}

/// A path in both its readings: the router takes dot segments and empty ones for names, the files
/// do not. Middleware that guards must hold in either. Made when a prefix asks for it.
class Readings {
 public:
  explicit Readings(std::string_view path) : path_(path) {}

  bool match(std::string_view prefix) {
    if (!readings_) readings_.emplace(path_);
    return lies_below(readings_->as_sent, prefix) ||
           (!readings_->normal.empty() && lies_below(readings_->normal, prefix));
  }

 private:
  struct Both {
    explicit Both(std::string_view path) : as_sent(path) {
      if (!as_sent.starts_with('/')) return;  // OPTIONS *
      as_sent.remove_prefix(1);
      if (path.contains('%')) {
        server::percent_decode(as_sent, decoded);
        as_sent = decoded;
      }
      bool is_directory = false;
      if (path.contains("//") || path.contains("/.") || path.contains('%')) {
        server::normalise_path(path, normal, is_directory);
      }
    }
    std::string_view as_sent;
    std::string decoded, normal;
  };

  std::string_view path_;
  std::optional<Both> readings_;
};

Result<std::string> checked(std::string_view prefix) {
  if (prefix.starts_with('/')) return without_slashes(prefix);
  return std::unexpected(
      Error("middleware \"" + std::string(prefix) + "\": a prefix begins with '/'"));
}

}  // namespace

Result<void> Router::before(std::string_view prefix, Before call) {
  auto below = checked(prefix);
  if (!below) return std::unexpected(below.error());
  ++impl_->changes;
  impl_->before.emplace_back(std::move(*below), std::move(call));
  return {};
}

Result<void> Router::after(std::string_view prefix, After call) {
  auto below = checked(prefix);
  if (!below) return std::unexpected(below.error());
  ++impl_->changes;
  impl_->after.emplace_back(std::move(*below), std::move(call));
  return {};
}

std::optional<Response> Router::Impl::run_before(const Request& request) {
  Readings path(request.path());
  for (auto& [prefix, call] : before) {
    if (!prefix.empty() && !path.match(prefix)) continue;
    if (auto early = call(request)) return early;
  }
  return std::nullopt;
}

void Router::Impl::run_after(const Request& request, Response& response) {
  Readings path(request.path());
  for (auto& [prefix, call] : after) {
    if (prefix.empty() || path.match(prefix)) call(request, response);
  }
}

}  // namespace pronghorn
