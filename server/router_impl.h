// SPDX-License-Identifier: Apache-2.0
// The router's tree: one node a segment. Walked once a request, without allocating.
#pragma once

#include <pronghorn/server/router.h>

#include "base/client_key.h"
#include "server/method.h"
#include "server/request_builder.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pronghorn {

/// Reused from request to request.
struct RouteScratch {
  std::vector<RequestBuilder::Param>
      params;                              // names: the router's; values: the path's or `decoded`'s
  std::vector<std::string_view> segments;  // of the path, decoded, as far as the walk went
  std::string decoded;                     // what needed decoding
};

/// How often one client may ask for a route.
struct RouteLimit {
  RequestRate rate;
  std::uint64_t scope = 0;  ///< where its clients count
};

struct RouteMatch {
  Handler* handler = nullptr;  ///< null: 404 when `allowed` is empty, else 405 (204 to OPTIONS)
  const RouteOptions* options = nullptr;  ///< of the handler
  server::MethodSet allowed;
  bool takes_body = true;             ///< false: the handler only says whether it is a 404 or a 405
  const RouteLimit* limit = nullptr;  ///< null: none
};

/// The status by which the fallback says that `fallback_later` answers.
inline constexpr int kAnsweredLater = 0;

struct Router::Impl {
  struct Entry {
    Handler handler;
    RouteOptions options;
    RouteLimit limit;
    std::string pattern;
    std::vector<std::string> names;  // of the pattern's parameters, in order
    server::Method method = HTTP_GET;
    bool any = false;
  };
  using Endpoint = std::vector<Entry>;
  /// Shorter before longer, then by bytes: most comparisons are of lengths only.
  struct Shorter {
    bool operator()(std::string_view a, std::string_view b) const noexcept {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    }
  };
  struct Node {
    std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;  // sorted by Shorter
    std::unique_ptr<Node> one;                                            // ":name"
    Endpoint here;
    Endpoint rest;  // "*name"
  };

  Node root;
  Handler fallback;
  Handler fallback_later;  // of the waiting shape; may be empty
  RouteOptions fallback_options;
  server::MethodSet fallback_methods;  // empty: all
  /// Of what the fallback answers, by host and path; null: there is none.
  std::function<const RouteLimit*(std::string_view, std::string_view)> fallback_limit;
  bool has_limits = false;                                     // a route has one of its clients
  std::vector<std::pair<std::string, Router::Before>> before;  // by prefix, in their order
  std::vector<std::pair<std::string, Router::After>> after;

  std::uint32_t changes = 0;  // of all of the above: what was found may be no more

  bool has_before() const noexcept { return !before.empty(); }
  bool has_after() const noexcept { return !after.empty(); }
  bool has_middleware() const noexcept { return has_before() || has_after(); }
  std::optional<Response> run_before(const Request& request);
  void run_after(const Request& request, Response& response);

  /// `path` has valid escapes; params are set when a handler is found.
  RouteMatch match(server::Method method, std::string_view path, RouteScratch& scratch);
};

}  // namespace pronghorn
