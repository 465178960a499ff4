// SPDX-License-Identifier: Apache-2.0
// How what is wrong with a value is said, wherever the value came from; for the checks.
#pragma once

#include "config/check.h"

#include <string>

namespace pronghorn::config {

void report(Outcome& outcome, const Origin& origin, const Span& span, const Complaint& complaint);
/// Of the whole value.
void report(Outcome& outcome, const Origin& origin, const Complaint& complaint);

/// 0, or why the path is no directory that can be entered.
int directory_errno(const std::string& path);

/// Roots, and what stands in relation to them: of the default site and of [[hosts]].
void check_sites(Outcome& outcome);

}  // namespace pronghorn::config
