// SPDX-License-Identifier: Apache-2.0
#include "app/routes.h"

#include "server/files.h"

namespace pronghorn::app {

Result<void> add_configured_routes(Router& router, const config::Config& config) {
  for (const auto& route : config.routes) {
    Handler handler;
    switch (route.kind) {
      case config::Route::Kind::echo:
        handler = [](const Request& request) {
          return Response::text(std::string(request.body()));
        };
        break;
      case config::Route::Kind::text:
        handler = [text = route.text](const Request&) { return Response::text(text); };
        break;
    }
    std::string_view method = route.kind == config::Route::Kind::echo ? "*" : "GET";
    if (auto added = router.add(method, route.path, std::move(handler)); !added) {
      return std::unexpected(Error("route '" + route.path + "': " + added.error().message()));
    }
  }
  return {};
}

Result<void> add_files(Router& router, const config::Config& config,
                       std::vector<std::string> hidden) {
  if (config.root.empty()) return {};
  auto files = server::Files::open(
      {.root = config.root, .index = config.index, .refuse = std::move(hidden)});
  if (!files) return std::unexpected(files.error());
  router.fallback([served = std::move(*files)](
                      const Request& request) mutable { return served.answer(request); },
                  {"GET", "HEAD"});
  return {};
}

}  // namespace pronghorn::app
