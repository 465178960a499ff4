// SPDX-License-Identifier: Apache-2.0
// What can be said about a site: the files of one directory and the rules for its answers. The
// default site's keys stand at the top level of the file, others' in [[hosts]].
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pronghorn::config {

/// Which answers a rule is for; empty: all. Each is a path ("/a", "/a/*"), the end of a file's name
/// ("*.css") or a media type ("text/css", "image/*"): a '*' stands for any bytes, slashes too.
using Match = std::vector<std::string>;

/// The first that fits gives a file's Cache-Control.
struct CacheRule {
  Match match;
  std::string value;  ///< "public, max-age=3600"

  bool operator==(const CacheRule&) const = default;
};

/// All that fit change the fields of an answer, in their order: remove, then set, then add.
struct HeaderRule {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  Match match;
  std::vector<std::string> remove;
  Fields set;  ///< in place of those of that name
  Fields add;  ///< beside those of that name

  bool operator==(const HeaderRule&) const = default;
};

/// The first that fits is the answer.
struct Redirect {
  std::string from;  ///< a path, or "/old/*": all that begins with "/old/"
  std::string to;  ///< a path or an http URL; a '*' at its end is what the '*' of `from` stood for
  std::uint64_t status = 301;

  bool operator==(const Redirect&) const = default;
};

/// A file of the root in place of the built-in page.
struct ErrorPage {
  std::vector<std::uint64_t> status;
  std::string file;

  bool operator==(const ErrorPage&) const = default;
};

/// How often one client may ask for files; the first that fits a path counts.
struct RateRule {
  Match match;                            ///< paths and ends of names; no media types
  std::uint64_t requests_per_second = 0;  ///< 0: no limit
  std::uint64_t requests_burst = 0;       ///< 0: as many as a second has

  bool operator==(const RateRule&) const = default;
};

struct Site {
  std::string root;  ///< document root; empty: no files are served
  std::vector<std::string> index{"index.html"};
  bool listing = false;  ///< of directories without an index file
  std::string fallback;  ///< file of the root for pages that are not there; empty: none
  std::vector<CacheRule> cache_control;
  std::vector<HeaderRule> headers;
  std::vector<Redirect> redirects;
  std::vector<ErrorPage> error_pages;
  std::vector<RateRule> rate_limits;

  /// Whether anything is counted by the client's address.
  bool count_clients() const noexcept;
  bool operator==(const Site&) const = default;
};

struct Host {
  std::vector<std::string> names;  ///< lower case; "example.org", or "*.example.org"
  Site site;

  bool operator==(const Host&) const = default;
};

/// Of what is not compressed already.
struct Compression {
  bool on = true;
  std::vector<std::string> types{"text/*",           "application/javascript",
                                 "application/json", "application/*+json",
                                 "application/xml",  "application/*+xml",
                                 "application/wasm", "image/svg+xml"};  ///< with '*' for any bytes
  std::uint64_t min_size = 1024;           ///< smaller is sent as it is
  std::uint64_t max_size = 512 * 1024;     ///< larger too: compressing holds the worker up
  std::uint64_t level = 5;                 ///< 1 to 9: of gzip, br and zstd alike
  std::uint64_t cache = 16 * 1024 * 1024;  ///< bytes of results that a worker keeps

  bool operator==(const Compression&) const = default;
};

}  // namespace pronghorn::config
