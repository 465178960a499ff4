// SPDX-License-Identifier: Apache-2.0
// A site's own error pages: files of its root, kept in memory. Used by Site.
#pragma once

#include <pronghorn/config/site.h>

#include "server/open_beneath.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

class SitePages {
 public:
  /// A page is no place for more; what is larger is not shown.
  static constexpr std::size_t kLargest = 256 * 1024;

  /// Looks at no file yet.
  SitePages(const RootDirectory& root, const std::vector<config::ErrorPage>& pages);

  struct Page {
    std::shared_ptr<const std::string> bytes;  ///< null: none, the built-in page is to be shown
    std::string_view type;                     ///< by the file's name
  };
  /// The file is looked at again when it was not within this second, and read again when it
  /// changed. One that cannot be read leaves what was read last, and is logged.
  Page find(int status, std::int64_t now_ms);

 private:
  struct Kept {
    std::string file;
    std::vector<int> statuses;
    std::shared_ptr<const std::string> bytes;
    struct stat info{};
    std::int64_t looked_ms = -1;
    bool is_missing = false;  // and that was logged
  };
  void refresh(Kept& kept) const;

  const RootDirectory* root_;
  std::vector<Kept> kept_;
};

}  // namespace pronghorn::server
