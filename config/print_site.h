// SPDX-License-Identifier: Apache-2.0
// The tables of sites as TOML; a part of print.cpp.
#pragma once

#include "config/load.h"

#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

struct Line {
  std::string text;
  std::string origin;  ///< empty: none is shown
};

void begin_table(std::vector<Line>& lines, std::string header);

/// [[cache_control]], [[headers]] … of a site. @param prefix  "" or "hosts."
void add_rules(std::vector<Line>& lines, const Site& site, const SiteOrigins& origins,
               std::string_view prefix);
void add_host(std::vector<Line>& lines, const Host& host, const SiteOrigins& origins);

}  // namespace pronghorn::config
