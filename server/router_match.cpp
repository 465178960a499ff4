// SPDX-License-Identifier: Apache-2.0
// The walk through the router's tree. A node is entered at most once for a path, because its depth
// is the number of segments before it: no pattern and no path makes this walk long.
#include "server/router_impl.h"
#include "server/target.h"

#include <algorithm>

namespace pronghorn {
namespace {

using server::Method;
using server::MethodSet;
using Node = Router::Impl::Node;
using Endpoint = Router::Impl::Endpoint;
using Entry = Router::Impl::Entry;
using Literal = std::pair<std::string, std::unique_ptr<Node>>;

const MethodSet kCommon = MethodSet::common();

class Walk {
 public:
  /// `has_escapes`: there may be some in the path.
  Walk(Method method, bool has_escapes, RouteScratch& scratch)
      : method_(method), has_escapes_(has_escapes), scratch_(scratch) {}

  /// `rest` is what follows the '/' before the segment at this depth.
  Entry* enter(Node& node, std::string_view rest, std::size_t depth = 0) {
    const std::size_t slash = rest.empty() ? rest.npos : rest.find('/');
    // The same for every node at this depth: decoded once.
    if (depth == scratch_.segments.size())
      scratch_.segments.push_back(decode({rest.data(), std::min(slash, rest.size())}));
    std::string_view segment = scratch_.segments[depth];
    auto go_on = [&](Node& next) {
      return slash == std::string_view::npos ? take(next.here)
                                             : enter(next, rest.substr(slash + 1), depth + 1);
    };
    auto it =
        std::ranges::lower_bound(node.literals, segment, Router::Impl::Shorter{}, &Literal::first);
    if (it != node.literals.end() && it->first == segment) {
      if (Entry* found = go_on(*it->second)) return found;
    }
    if (node.one && !segment.empty()) {
      scratch_.params.push_back({{}, segment});
      if (Entry* found = go_on(*node.one)) return found;
      scratch_.params.pop_back();
    }
    Entry* found = take(node.rest);
    if (found) scratch_.params.push_back({{}, decode(rest)});
    return found;
  }

  /// Of a path that nothing was found for, and to TRACE: what is there for other methods.
  MethodSet allowed() const {
    MethodSet set = allowed_;
    if (set.empty()) return set;
    set.add(HTTP_OPTIONS);
    if (set.has(HTTP_GET)) set.add(HTTP_HEAD);
    return set;
  }

 private:
  // The entry of an endpoint that takes the method; HEAD is GET's when it has none of its own.
  Entry* take(Endpoint& endpoint) {
    Entry* best = nullptr;
    int rank = 0;
    for (Entry& entry : endpoint) {
      int fits = entry.any                                          ? 1
                 : entry.method == method_                          ? 3
                 : entry.method == HTTP_GET && method_ == HTTP_HEAD ? 2
                                                                    : 0;
      if (fits > rank) {
        rank = fits;
        best = &entry;
      }
    }
    if (best != nullptr && method_ != HTTP_TRACE) return best;
    for (const Entry& entry : endpoint) {
      entry.any ? allowed_.add(kCommon) : allowed_.add(entry.method);
    }
    return best;
  }

  std::string_view decode(std::string_view text) {
    if (!has_escapes_ || !text.contains('%')) return text;
    std::string& store = scratch_.decoded;  // match() made room: earlier views into it stay good
    std::size_t begin = store.size();
    server::percent_decode(text, store);
    return std::string_view(store).substr(begin);
  }

  Method method_;
  bool has_escapes_;
  MethodSet allowed_;
  RouteScratch& scratch_;
};

}  // namespace

RouteMatch Router::Impl::match(Method method, std::string_view path, RouteScratch& scratch) {
  scratch.params.clear();
  scratch.segments.clear();
  scratch.decoded.clear();
  // Each segment is decoded once, and the rest of the path once more at most.
  const bool has_escapes = path.contains('%');
  if (has_escapes) scratch.decoded.reserve(path.size() * 2);
  Walk walk(method, has_escapes, scratch);
  Entry* entry = walk.enter(root, {path.data() + 1, path.size() - 1});
  if (entry != nullptr && method != HTTP_TRACE) {
    for (std::size_t i = 0; i < scratch.params.size(); ++i)
      scratch.params[i].name = entry->names[i];
    const RouteLimit* limit = entry->limit.rate.is_limited() ? &entry->limit : nullptr;
    return {&entry->handler, &entry->options, {}, true, limit};
  }
  MethodSet allowed = walk.allowed();
  scratch.params.clear();
  if (!allowed.empty() || !fallback) return {nullptr, nullptr, allowed};
  if (method != HTTP_TRACE) {
    bool is_meant = fallback_methods.empty() || fallback_methods.has(method);
    return {&fallback, &fallback_options, fallback_methods, is_meant};
  }
  allowed.add(fallback_methods.empty() ? MethodSet::common() : fallback_methods);
  allowed.add(HTTP_OPTIONS);
  return {nullptr, nullptr, allowed};
}

}  // namespace pronghorn
