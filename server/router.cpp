// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/router.h>

#include "server/router_impl.h"
#include "server/syntax.h"

#include <algorithm>
#include <chrono>

namespace pronghorn {
namespace {

using Node = Router::Impl::Node;
using Endpoint = Router::Impl::Endpoint;
using Entry = Router::Impl::Entry;

// Far enough, and still a number to reckon with.
constexpr std::chrono::milliseconds kLongestTimeout = std::chrono::hours(24);

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c == '_' || server::hex_value(c) >= 0 ||
           (server::to_lower(c) >= 'a' && server::to_lower(c) <= 'z');
  });
}

Node& literal_child(Node& node, std::string_view segment) {
  auto it = std::ranges::lower_bound(node.literals, segment, Router::Impl::Shorter{},
                                     &decltype(node.literals)::value_type::first);
  if (it == node.literals.end() || it->first != segment) {
    it = node.literals.emplace(it, std::string(segment), std::make_unique<Node>());
  }
  return *it->second;
}

/// Where a pattern ends in the tree, and the names on the way there.
struct Place {
  Endpoint* endpoint = nullptr;
  std::vector<std::string> names;
};

Result<Place> place(Node& root, std::string_view pattern) {
  auto wrong = [&](std::string_view why) {
    return std::unexpected(Error("route \"" + std::string(pattern) + "\": " + std::string(why)));
  };
  if (!pattern.starts_with('/')) return wrong("a pattern begins with '/'");
  Place found;
  Node* node = &root;
  std::string_view rest = pattern.substr(1);
  for (bool last = false; !last;) {
    auto slash = rest.find('/');
    std::string_view segment = rest.substr(0, slash);
    last = slash == std::string_view::npos;
    rest = last ? std::string_view{} : rest.substr(slash + 1);
    if (segment.starts_with(':') || segment.starts_with('*')) {
      std::string_view name = segment.substr(1);
      if (name.empty()) return wrong(R"(a parameter has a name: ":id", "*rest")");
      if (!is_name(name)) return wrong("a parameter's name is letters, digits and '_'");
      if (std::ranges::find(found.names, name) != found.names.end())
        return wrong("a name stands twice");
      found.names.emplace_back(name);
      if (segment.front() == '*') {
        if (!last) return wrong("\"*\" stands at the end only");
        found.endpoint = &node->rest;
        return found;
      }
      if (!node->one) node->one = std::make_unique<Node>();
      node = node->one.get();
    } else {
      if (!server::all_class(segment, server::kPath) || segment.contains('%')) {
        return wrong("a character that no decoded path segment has");
      }
      node = &literal_child(*node, segment);
    }
  }
  found.endpoint = &node->here;
  return found;
}

}  // namespace

Router::Router() : impl_(std::make_unique<Impl>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

Result<void> Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  return add(method, pattern, RouteOptions{}, std::move(handler));
}

Result<void> Router::add(std::string_view method, std::string_view pattern,
                         const RouteOptions& options, Handler handler) {
  auto wrong = [&](std::string_view why) {
    return std::unexpected(Error("route \"" + std::string(pattern) + "\": " + std::string(why)));
  };
  Entry entry{.handler = std::move(handler),
              .options = options,
              .limit = {.rate = {options.requests_per_second, options.requests_burst},
                        .scope = client_scope(std::string(method) + ' ' + std::string(pattern))},
              .pattern = std::string(pattern),
              .names = {},
              .method = HTTP_GET,
              .any = method == "*"};
  if (options.handler_timeout && (*options.handler_timeout <= std::chrono::milliseconds(0) ||
                                  *options.handler_timeout > kLongestTimeout)) {
    return wrong("a handler's timeout is more than nothing, and a day at most");
  }
  if (options.requests_burst != 0 && options.requests_per_second == 0) {
    return wrong("requests_burst needs requests_per_second");
  }
  if (!entry.any) {
    int known = server::find_method(method);
    if (known < 0) return wrong("unknown method \"" + std::string(method) + "\"");
    entry.method = static_cast<server::Method>(known);
    if (entry.method == HTTP_CONNECT || entry.method == HTTP_TRACE) {
      return wrong("CONNECT and TRACE are never routed");
    }
  }
  auto found = place(impl_->root, pattern);
  if (!found) return std::unexpected(found.error());
  for (const Entry& other : *found->endpoint) {
    if (other.any == entry.any && (entry.any || other.method == entry.method)) {
      return wrong("taken for \"" + std::string(method) + "\" by \"" + other.pattern + "\"");
    }
  }
  impl_->has_limits = impl_->has_limits || entry.limit.rate.is_limited();
  entry.names = std::move(found->names);
  found->endpoint->push_back(std::move(entry));
  ++impl_->changes;
  return {};
}

void Router::fallback(Handler handler, std::initializer_list<std::string_view> methods) {
  ++impl_->changes;
  impl_->fallback = std::move(handler);
  impl_->fallback_methods = {};
  for (std::string_view method : methods) {
    int known = server::find_method(method);
    if (known >= 0) impl_->fallback_methods.add(static_cast<server::Method>(known));
  }
}

}  // namespace pronghorn
