// SPDX-License-Identifier: Apache-2.0
#include "app/routes.h"

#include "server/file_cache.h"
#include "server/files.h"
#include "server/mime.h"
#include "server/router_impl.h"
#include "server/sites.h"

#include <memory>
#include <utility>

namespace pronghorn::app {
namespace {

/// What the document roots of a worker share.
server::Files::Options file_options(const config::Config& config) {
  const config::Files& files = config.files;
  server::Files::Options options;
  options.precompressed = files.precompressed;
  options.ranges = config.limits.ranges;
  options.cache = std::make_shared<server::FileCache>(
      server::FileCache::Options{.entries = files.cache_entries,
                                 .memory = files.cache_memory,
                                 .file = files.cache_file,
                                 .descriptors = files.cache_descriptors,
                                 .valid = files.cache_valid});
  options.types = std::make_shared<const server::MimeTypes>(config.types);
  return options;
}

Result<void> add_route(Router& router, const config::Route& route) {
  Handler handler;
  switch (route.kind) {
    case config::Route::Kind::echo:
      handler = [](const Request& request) { return Response::text(std::string(request.body())); };
      break;
    case config::Route::Kind::text:
      handler = [text = route.text](const Request&) { return Response::text(text); };
      break;
  }
  std::string_view method = route.kind == config::Route::Kind::echo ? "*" : "GET";
  const RouteOptions options{.body_limit = route.body_limit,
                             .stream_body = false,
                             .requests_per_second = route.requests_per_second,
                             .requests_burst = route.requests_burst,
                             .handler_timeout = {}};
  return router.add(method, route.path, options, std::move(handler));
}

}  // namespace

Result<void> add_configured_routes(Router& router, const config::Config& config) {
  for (const auto& route : config.routes) {
    if (auto added = add_route(router, route); !added) return added;
  }
  return {};
}

std::function<Result<void>(const config::Route&)> route_check() {
  return [router = std::make_shared<Router>()](const config::Route& route) {
    return add_route(*router, route);
  };
}

Result<void> add_sites(Loop& loop, Router& router, const config::Config& config,
                       const std::vector<std::string>& hidden) {
  server::Files::Options options = file_options(config);
  options.refuse = hidden;
  auto opened = server::Sites::open(config, options);
  if (!opened) return std::unexpected(opened.error());
  auto sites = std::make_shared<server::Sites>(std::move(*opened));
  if (sites->has_files()) {
    router.fallback([sites](const Request& request) { return sites->answer(request); },
                    {"GET", "HEAD"});
    if (sites->has_listings()) {
      router.impl().fallback_later = [sites, &loop](const Request& request) {
        return sites->answer_later(loop, request);
      };
    }
  }
  if (sites->has_files() && sites->has_limits()) {
    router.impl().has_limits = true;
    router.impl().fallback_limit = [sites](std::string_view host, std::string_view path) {
      return sites->limit(host, path);
    };
  }
  if (sites->has_before()) {
    if (auto added = router.before("/", [sites](const Request& r) { return sites->before(r); });
        !added)
      return added;
  }
  if (!sites->has_after()) return {};
  return router.after("/", [sites](const Request& request, Response& response) {
    sites->after(request, response);
  });
}

}  // namespace pronghorn::app
