// SPDX-License-Identifier: Apache-2.0
// The lines of text/event-stream (HTML standard §9.2). Pure; for EventStream.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/server_event.h>

#include <string>
#include <string_view>

namespace pronghorn::server {

/// Appends an event. Nothing in it can become another field or another event.
/// @errors Errc::invalid_arg_value: a line end in `event` or `id`, NUL in `id` (browsers ignore
/// such an id), what is not UTF-8
Result<void> append_event(std::string& out, const ServerEvent& event);
/// Appends lines that browsers ignore. @errors Errc::invalid_arg_value: what is not UTF-8
Result<void> append_comment(std::string& out, std::string_view text);

}  // namespace pronghorn::server
