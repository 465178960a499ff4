// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/app/app.h>
#include <pronghorn/server/folder.h>

#include "app/cli/output.h"
#include "app/cli/parse.h"
#include "app/exit_codes.h"
#include "app/serve.h"
#include "app/worker_hooks.h"
#include "base/standard_descriptors.h"
#include "base/uv/title.h"

#include <cassert>
#include <optional>

namespace pronghorn {

struct App::Impl {
  void note(Result<void> added) {
    if (!added && !fault) fault = added.error();
  }

  int argc;
  char** argv;
  Router router;
  app::WorkerHooks hooks;
  std::optional<Error> fault;  // the first wrong route
  Loop* loop = nullptr;        // of a worker, while it runs
};

App::App(int argc, char** argv)
    : impl_(new Impl{.argc = argc,
                     .argv = uv::setup_args(argc, argv),
                     .router = {},
                     .hooks = {},
                     .fault = {},
                     .loop = {}}) {
  ensure_standard_descriptors();
}
App::~App() = default;

App& App::get(std::string_view pattern, Handler handler) {
  return get(pattern, RouteOptions{}, std::move(handler));
}
App& App::get(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->note(impl_->router.add("GET", pattern, options, std::move(handler))), *this;
}
App& App::post(std::string_view pattern, Handler handler) {
  return post(pattern, RouteOptions{}, std::move(handler));
}
App& App::post(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->note(impl_->router.add("POST", pattern, options, std::move(handler))), *this;
}
App& App::put(std::string_view pattern, Handler handler) {
  return put(pattern, RouteOptions{}, std::move(handler));
}
App& App::put(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->note(impl_->router.add("PUT", pattern, options, std::move(handler))), *this;
}
App& App::patch(std::string_view pattern, Handler handler) {
  return patch(pattern, RouteOptions{}, std::move(handler));
}
App& App::patch(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->note(impl_->router.add("PATCH", pattern, options, std::move(handler))), *this;
}
App& App::del(std::string_view pattern, Handler handler) {
  return del(pattern, RouteOptions{}, std::move(handler));
}
App& App::del(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->note(impl_->router.add("DELETE", pattern, options, std::move(handler))), *this;
}
App& App::any(std::string_view pattern, Handler handler) {
  return any(pattern, RouteOptions{}, std::move(handler));
}
App& App::any(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->note(impl_->router.add("*", pattern, options, std::move(handler))), *this;
}
App& App::before(std::string_view prefix, Router::Before call) {
  return impl_->note(impl_->router.before(prefix, std::move(call))), *this;
}
App& App::after(std::string_view prefix, Router::After call) {
  return impl_->note(impl_->router.after(prefix, std::move(call))), *this;
}

App& App::files(std::string_view prefix, const std::string& directory) {
  return files(prefix, directory, {});
}
App& App::files(std::string_view prefix, const std::string& directory, FolderOptions options) {
  if (auto file = app::config_file_of_master(); !file.empty()) options.refuse.push_back(file);
  return impl_->note(add_files(impl_->router, prefix, directory, options)), *this;
}

App& App::on_start(Start call) { return impl_->hooks.start.push_back(std::move(call)), *this; }
App& App::on_stop(Stop call) { return impl_->hooks.stop.push_back(std::move(call)), *this; }

Loop& App::loop() noexcept {
  assert(impl_->loop != nullptr);
  return *impl_->loop;
}

int App::run() {
  auto parsed = app::cli::parse_serve_only(impl_->argc, impl_->argv);
  if (auto* output = std::get_if<app::cli::Output>(&parsed)) return output->emit();
  const app::cli::Sources& sources = std::get<app::cli::Serve>(parsed).sources;
  if (impl_->fault) {
    return app::cli::failure(app::kSoftware, sources.program, impl_->fault->message()).emit();
  }
  return app::serve(sources, impl_->argc, impl_->argv, std::move(impl_->router),
                    {.loop = &impl_->loop, .hooks = &impl_->hooks});
}

}  // namespace pronghorn
