// SPDX-License-Identifier: Apache-2.0
#include "server/site.h"

#include "server/accept.h"
#include "server/compression.h"
#include "server/listings.h"
#include "server/match.h"
#include "server/mime.h"
#include "server/open_beneath.h"
#include "server/path.h"
#include "server/range.h"
#include "server/request_builder.h"
#include "server/response_fields.h"
#include "server/router_impl.h"
#include "server/site_pages.h"
#include "server/syntax.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace pronghorn::server {
namespace {

struct CacheRule {
  Match match;
  std::string value;
};

struct Limited {
  Match match;
  RouteLimit limit;
};

struct HeaderRule {
  Match match;
  config::HeaderRule change;
};

std::int64_t monotonic_ms() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

/// Where the clients of a rule count. A line end is in no pattern of a route, whose scopes these
/// must not meet, and in no element.
std::uint64_t scope_of(std::string_view site, const config::Match& match) {
  std::string place("\n");
  place += site;
  for (const auto& element : match) place.append("\n").append(element);
  return client_scope(place);
}

bool is_in_parts(const Response& response) noexcept {
  return response.status() == 206 && response.content_type().starts_with("multipart/byteranges;");
}

std::string_view type_of_parts(const Response& response) noexcept {
  if (const auto* text = std::get_if<std::string>(&response.body())) return part_type(*text);
  const auto* file = std::get_if<FileBody>(&response.body());
  return file == nullptr || file->more.empty() ? "" : part_type(file->more.front().before);
}

bool is_read(std::string_view method) noexcept { return method == "GET" || method == "HEAD"; }

}  // namespace

/// Whether a response's body is still the file that its site gave: its compressed form may be kept
/// as that file's, and given to others. Middleware that puts another body in its place ends it.
struct SiteFile {
  static void mark(Response& response, bool is) noexcept { response.site_file_ = is; }
  static bool is(const Response& response) noexcept { return response.site_file_; }
};

struct Site::Impl {
  config::Site rules;
  Files::Options options;
  Compression* compression = nullptr;
  std::vector<CacheRule> cache_control;
  std::vector<HeaderRule> headers;
  std::vector<Limited> limits;
  std::string fallback_path;  // "/index.html", as a request would ask for it
  std::optional<Files> files;
  std::shared_ptr<const RootDirectory> root;  // for listings and error pages
  std::optional<Listings> listings;
  std::optional<SitePages> pages;
  // Of the request in hand; members, so that their storage is used again.
  std::string relative, path;

  bool locate(std::string_view asked);
  std::string_view type_of(const Response& response) const noexcept;
  std::optional<Response> instead_of_missing(const Request& request);
  std::optional<Response> fall_back(const Request& request);
  bool may_fall_back(const Request& request) const noexcept;
  void set_cache_control(const Request& request, Response& response);
  void show_own_page(const Request& request, Response& response);
  void change_fields(const Request& request, Response& response);
  void compress(const Request& request, Response& response);
};

Result<Site> Site::open(const config::Site& site, Files::Options options, Compression* shared,
                        std::string_view name) {
  auto impl = std::make_unique<Impl>();
  impl->rules = site;
  impl->compression = shared;
  options.root = site.root;
  options.index = site.index;
  if (shared != nullptr) {
    options.is_compressed = [shared](std::string_view type, std::uint64_t bytes) {
      return shared->takes(type, bytes);
    };
  }
  impl->options = options;
  for (const auto& rule : site.cache_control) {
    impl->cache_control.push_back({Match(rule.match), rule.value});
  }
  for (const auto& rule : site.headers) impl->headers.push_back({Match(rule.match), rule});
  for (const auto& rule : site.rate_limits) {
    impl->limits.push_back({Match(rule.match),
                            {.rate = {rule.requests_per_second, rule.requests_burst},
                             .scope = scope_of(name, rule.match)}});
  }
  if (!site.root.empty()) {
    auto files = Files::open(options);
    if (!files) return std::unexpected(files.error());
    impl->files.emplace(std::move(*files));
    if (site.listing || !site.error_pages.empty()) {
      auto root = RootDirectory::open(site.root);
      if (!root) return std::unexpected(root.error());
      impl->root = std::make_shared<const RootDirectory>(std::move(*root));
      impl->pages.emplace(*impl->root, site.error_pages);
      if (site.listing) {
        Listings::Options how;
        how.hidden = options.refuse;
        impl->listings.emplace(impl->root, std::move(how));
      }
    }
  }
  if (!site.fallback.empty()) {
    impl->fallback_path = "/";
    append_encoded_path(impl->fallback_path, site.fallback);
  }
  return Site(std::move(impl));
}

Site::Site(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Site::~Site() = default;
Site::Site(Site&&) noexcept = default;
Site& Site::operator=(Site&&) noexcept = default;

// The path is compared as Files reads it, so that no spelling of it escapes a rule.
// False when it is none that Files would look for: then `path` is "/".
bool Site::Impl::locate(std::string_view asked) {
  bool is_directory = false;
  path = "/";
  if (normalise_path(asked, relative, is_directory) != PathVerdict::ok) return false;
  path += relative;
  if (is_directory && !relative.empty()) path += '/';
  return true;
}

std::optional<Response> Site::redirect(const Request& request) {
  Impl& impl = *impl_;
  if (impl.rules.redirects.empty() || !impl.locate(request.path())) return std::nullopt;
  for (const auto& rule : impl.rules.redirects) {
    std::string_view from = rule.from;
    std::string_view rest = impl.path;
    bool is_prefix = from.ends_with('*');
    if (is_prefix) from.remove_suffix(1);
    if (is_prefix ? !rest.starts_with(from) : rest != from) continue;
    rest.remove_prefix(from.size());
    std::string_view to = rule.to;
    std::string location(to.substr(0, to.size() - (to.ends_with('*') ? 1 : 0)));
    // Encoded anew: no line end, no backslash, and no second slash at the front can come out of it.
    if (to.ends_with('*')) append_encoded_path(location, rest);
    if (!request.query().empty() && !to.contains('?')) {
      location += '?';
      append_encoded_query(location, request.query());
    }
    return Response::redirect(static_cast<int>(rule.status), std::move(location));
  }
  return std::nullopt;
}

Response Site::answer(const Request& request) {
  Impl& impl = *impl_;
  // One object in all ways out is made where it stays, and not moved there.
  Response response = impl.files ? impl.files->answer(request) : Response::error(404);
  if (!impl.files) return response;
  SiteFile::mark(response, true);
  if (response.status() == 404 && response.is_page()) {
    if (auto other = impl.instead_of_missing(request)) {
      response = is_read(request.method()) ? std::move(*other)
                                           : Files::answer_other_method(request.method());
    }
    if (response.status() == kAnsweredLater) return response;
  }
  impl.set_cache_control(request, response);
  return response;
}

std::optional<Response> Site::Impl::instead_of_missing(const Request& request) {
  if ((!listings && fallback_path.empty()) || !locate(request.path())) return std::nullopt;
  if (listings && path.ends_with('/') && listings->find(relative)) {
    return Response(kAnsweredLater);
  }
  return fall_back(request);
}

/// Other requests are answered meanwhile: nothing here is of this one after the wait.
Task<Response> Site::answer_later(Loop& loop, const Request& request) {
  Impl& impl = *impl_;
  std::optional<Response> response;
  const bool is_found = impl.locate(request.path());
  if (auto directory = is_found ? impl.listings->find(impl.relative) : std::nullopt) {
    auto listing = impl.listings->answer(loop, request, impl.relative, impl.path, *directory);
    response = co_await listing;
  }
  if (!response && impl.locate(request.path())) response = impl.fall_back(request);
  if (!response) response = Response::error(404);
  SiteFile::mark(*response, false);  // finish() comes later: others are served meanwhile
  impl.set_cache_control(request, *response);
  co_return std::move(*response);
}

std::optional<Response> Site::Impl::fall_back(const Request& request) {
  if (!may_fall_back(request)) return std::nullopt;
  Request for_fallback = request;
  RequestBuilder{for_fallback}.path(fallback_path);
  Response response = files->answer(for_fallback);
  response.header("Vary", "Accept");
  return response;
}

// A page of the application: asked for as a page, and not as one of its parts, which have names
// with an extension. A script that is not there must not be answered with HTML.
bool Site::Impl::may_fall_back(const Request& request) const noexcept {
  if (fallback_path.empty()) return false;
  std::string_view name = relative;
  name.remove_prefix(name.rfind('/') + 1);
  return !name.contains('.') && choose_text_form(request.headers()) == TextForm::html;
}

/// Of a 304 and of several ranges too: they have the fields that the 200 would have (RFC 9110
/// §15.4.5, §15.3.7).
std::string_view Site::Impl::type_of(const Response& response) const noexcept {
  if (response.is_page()) return "text/html";
  if (is_in_parts(response)) return type_of_parts(response);
  if (auto type = response.content_type(); !type.empty()) return type;
  std::string_view name = path.ends_with('/') && !rules.index.empty()
                              ? std::string_view(rules.index.front())
                              : std::string_view(path);
  return options.types ? options.types->type_of(name) : content_type_of(name);
}

void Site::Impl::set_cache_control(const Request& request, Response& response) {
  if (cache_control.empty() || response.is_page() || has_field(response, "cache-control")) return;
  int status = response.status();
  if (status != 200 && status != 206 && status != 304) return;
  locate(request.path());
  for (const auto& rule : cache_control) {
    if (!rule.match.has({path, type_of(response)})) continue;
    response.header("Cache-Control", rule.value);
    return;
  }
}

const RouteLimit* Site::limit(std::string_view asked) {
  Impl& impl = *impl_;
  if (impl.limits.empty()) return nullptr;
  impl.locate(asked);
  for (const auto& [match, limit] : impl.limits) {
    if (match.has({impl.path, {}})) return limit.rate.is_limited() ? &limit : nullptr;
  }
  return nullptr;
}

void Site::show_own_page(const Request& request, Response& response) {
  impl_->show_own_page(request, response);
}

void Site::finish(const Request& request, Response& response) {
  impl_->show_own_page(request, response);
  impl_->change_fields(request, response);
  impl_->compress(request, response);
}

void Site::Impl::show_own_page(const Request& request, Response& response) {
  if (!response.is_page() || !pages || response.status() < 400) return;
  if (choose_text_form(request.headers()) != TextForm::html) return;
  auto page = pages->find(response.status(), monotonic_ms());
  if (!page.bytes) return;
  response.body(page.bytes).type(page.type);
  response.header("Vary", "Accept");
}

void Site::Impl::change_fields(const Request& request, Response& response) {
  if (headers.empty()) return;
  locate(request.path());
  const std::string type(type_of(response));  // a rule may change it
  Subject subject{path, type};
  // What takes the body apart, and what keeps one client's coding from another, are no rule's.
  const std::string parts(is_in_parts(response) ? response.content_type() : "");
  const bool varies = lists(response, "vary", "accept-encoding");
  for (const auto& rule : headers) {
    if (!rule.match.has(subject)) continue;
    for (const auto& name : rule.change.remove) response.remove_header(name);
    for (const auto& [name, value] : rule.change.set) response.set_header(name, value);
    for (const auto& [name, value] : rule.change.add) response.header(name, value);
  }
  if (!parts.empty()) response.type(parts);
  if (varies && !lists(response, "vary", "accept-encoding"))
    response.header("Vary", "Accept-Encoding");
}

void Site::Impl::compress(const Request& request, Response& response) {
  if (compression == nullptr) return;
  compression->apply(request, response, SiteFile::is(response) ? files->served() : nullptr);
}

}  // namespace pronghorn::server
