// SPDX-License-Identifier: Apache-2.0
#include "server/sites.h"

#include <utility>

namespace pronghorn::server {

Result<Sites> Sites::open(const config::Config& config, const Files::Options& options) {
  Sites sites;
  sites.refuse_unknown_ = sites.has_before_ = config.refuse_unknown_hosts;
  if (config.compression.on) {
    sites.compression_ = std::make_unique<Compression>(config.compression);
    sites.has_after_ = true;
  }
  if (auto added = sites.add(config, options, {}); !added) return std::unexpected(added.error());
  for (const auto& host : config.hosts) {
    for (const auto& name : host.names) sites.hosts_.add(name, sites.sites_.size());
    if (auto added = sites.add(host.site, options, host.names.front()); !added)
      return std::unexpected(added.error());
  }
  return sites;
}

Result<void> Sites::add(const config::Site& rules, const Files::Options& options,
                        std::string_view name) {
  auto site = Site::open(rules, options, compression_.get(), name);
  if (!site) return std::unexpected(site.error());
  sites_.push_back(std::move(*site));
  has_files_ = has_files_ || !rules.root.empty();
  has_listings_ = has_listings_ || (!rules.root.empty() && rules.listing);
  has_before_ = has_before_ || !rules.redirects.empty();
  has_after_ = has_after_ || !rules.headers.empty() || !rules.error_pages.empty();
  has_limits_ = has_limits_ || rules.count_clients();
  return {};
}

/// Null: unknown, and to be refused.
Site* Sites::find(std::string_view host) noexcept {
  if (sites_.size() == 1 && !refuse_unknown_) return &sites_.front();
  if (auto index = hosts_.find(host)) return &sites_[*index];
  return refuse_unknown_ ? nullptr : &sites_.front();
}

std::optional<Response> Sites::before(const Request& request) {
  Site* site = find(request.host());
  // RFC 9110 §15.5.20
  if (site == nullptr) return Response::error(421);
  return site->redirect(request);
}

Response Sites::answer(const Request& request) {
  Site* site = find(request.host());
  return site == nullptr ? Response::error(421) : site->answer(request);
}

Task<Response> Sites::answer_later(Loop& loop, const Request& request) {
  return find(request.host())->answer_later(loop, request);
}

const RouteLimit* Sites::limit(std::string_view host, std::string_view path) {
  Site* site = find(host);
  return site == nullptr ? nullptr : site->limit(path);
}

void Sites::after(const Request& request, Response& response) {
  if (Site* site = find(request.host())) return site->finish(request, response);
  sites_.front().show_own_page(request, response);  // of 421: no site's rules are its own
}

}  // namespace pronghorn::server
