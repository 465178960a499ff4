// SPDX-License-Identifier: Apache-2.0
// Sites over a small tree of files, asked as a session asks them.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include "server/file_cache.h"
#include "server/request_builder.h"
#include "server/router_impl.h"
#include "server/sites.h"
#include "temporary_tree.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::test::site {

using server::Sites;

struct SiteRig {
  ::test::TemporaryTree tree;
  config::Config config;
  server::Files::Options options;
  server::FileCache::Options cache{.settled = std::chrono::milliseconds(0)};
  std::optional<Sites> sites;

  SiteRig() {
    tree.file("www/index.html", "INDEX");
    tree.file("www/app.html", "APP");
    tree.file("www/404.html", "<p>lost");
    tree.file("www/style.css", "a{}");
    tree.file("www/dir/a.txt", "A");
    tree.file("other/index.html", "OTHER");
    config.root = tree.path("www");
    config.compression.on = false;
  }

  void open() {
    auto opened = Sites::open(config, options);
    REQUIRE_MESSAGE(opened, opened.error().message());
    sites.emplace(std::move(*opened));
  }

  Task<int> later(Loop& loop, const Request& request, Response& response) {
    auto answer = sites->answer_later(loop, request);
    response = co_await answer;
    co_return 0;
  }

  std::function<void(Response&)>
      middleware;  // of a program: sees an answer before the site's rules

  Response ask(std::string_view target, std::initializer_list<Field> headers = {},
               std::string_view host = "localhost:8080", std::string_view method = "GET") {
    if (!sites) open();
    const std::vector<Field> fields(headers);
    Request request;
    auto mark = target.find('?');
    RequestBuilder{request}
        .method(method)
        .target(target)
        .path(target.substr(0, mark))
        .query(mark == target.npos ? std::string_view() : target.substr(mark + 1))
        .host(host)
        .headers(fields);
    auto early = sites->before(request);
    Response response = early ? std::move(*early) : sites->answer(request);
    if (response.status() == kAnsweredLater) {
      Loop loop;
      run(loop, later(loop, request, response));
    }
    if (middleware) middleware(response);
    sites->after(request, response);
    return response;
  }
};

inline std::string header(const Response& response, std::string_view name) {
  std::string all;
  for (const auto& field : response.headers()) {
    if (field.name == name) all += (all.empty() ? "" : " | ") + field.value;
  }
  return all;
}

inline std::string body(const Response& response) {
  if (const auto* text = std::get_if<std::string>(&response.body())) return *text;
  const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&response.body());
  if (shared != nullptr) return **shared;
  if (response.is_page()) return "page " + std::to_string(response.status());
  return "?";
}

}  // namespace pronghorn::test::site
