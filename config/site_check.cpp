// SPDX-License-Identifier: Apache-2.0
// What can be wrong with sites whose values are each well formed: directories and files that are
// not there.
#include "config/check_report.h"
#include "config/site_text.h"
#include "config/toml_text.h"

#include <fmt/format.h>

#include <cerrno>
#include <sys/stat.h>

namespace pronghorn::config {
namespace {

/// A site with where its values stand.
struct Place {
  const Site& site;
  const SiteOrigins& origins;
  const Origins& keys;
  std::string_view prefix;

  Origin origin(std::string_view key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? Origin() : found->second;
  }
};

/// @returns false when there is no use in looking for files there
bool check_root(Outcome& outcome, const Place& place) {
  const std::string& root = place.site.root;
  if (root.empty()) return false;
  const int error = directory_errno(root);
  if (error == 0) return true;
  const std::string why = error == ENOENT ? "no such directory" : errno_text(error);
  report(outcome, place.origin("root"),
         {"no-directory", fmt::format("cannot open '{}': {}", root, why), {}});
  return false;
}

void check_file(Outcome& outcome, const Place& place, const Origin& origin,
                const std::string& file) {
  const std::string path = fmt::format("{}/{}", place.site.root, file);
  struct stat status;
  const int error = ::stat(path.c_str(), &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISREG(status.st_mode)) return;
  const std::string why = error == 0        ? "no regular file"
                          : error == ENOENT ? "no such file"
                                            : errno_text(error);
  report(outcome, origin, {"no-file", fmt::format("cannot serve '{}': {}", path, why), {}});
}

void check_site(Outcome& outcome, const Place& place) {
  const bool has_root = check_root(outcome, place);
  if (const std::string& file = place.site.fallback; !file.empty()) {
    const Origin origin = place.origin("fallback");
    if (auto ok = check_site_file(file); !ok) {
      Complaint complaint = ok.error();
      complaint.message = fmt::format("'{}fallback': {}", place.prefix, complaint.message);
      report(outcome, origin, complaint);
    } else if (place.site.root.empty()) {
      report(outcome, origin,
             {"bad-value", fmt::format("'{}fallback' needs a 'root' to be in", place.prefix), {}});
    } else if (has_root) {
      check_file(outcome, place, origin, file);
    }
  }
  for (std::size_t i = 0; i < place.site.error_pages.size(); ++i) {
    const Origin& origin = place.origins.error_pages[i];
    if (place.site.root.empty()) {
      report(outcome, origin, {"bad-value", "an error page needs a 'root' to be in", {}});
    } else if (has_root) {
      check_file(outcome, place, origin, place.site.error_pages[i].file);
    }
  }
  for (std::size_t i = 0; place.site.root.empty() && i < place.site.rate_limits.size(); ++i) {
    report(outcome, place.origins.rate_limits[i],
           {"bad-value", "limits of files need a 'root'; [[routes]] have limits of their own", {}});
  }
}

}  // namespace

void check_sites(Outcome& outcome) {
  check_site(outcome, {outcome.config, outcome.site_origins, outcome.origins, {}});
  for (std::size_t i = 0; i < outcome.config.hosts.size(); ++i) {
    const SiteOrigins& origins = outcome.host_origins[i];
    check_site(outcome, {outcome.config.hosts[i].site, origins, origins.keys, "hosts."});
  }
  // Hosts that were wrong are there all the same.
  if (outcome.config.refuse_unknown_hosts && outcome.config.hosts.empty() && outcome.ok()) {
    report(outcome, outcome.origin("unknown_hosts"),
           {"bad-value", "'unknown_hosts' is \"refuse\", and there are no [[hosts]] to know", {}});
  }
}

}  // namespace pronghorn::config
