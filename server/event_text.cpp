// SPDX-License-Identifier: Apache-2.0
#include "server/event_text.h"

#include "base/utf8.h"

namespace pronghorn::server {
namespace {

using namespace std::string_view_literals;

std::unexpected<Error> refused(const char* text) {
  return std::unexpected(Error(Errc::invalid_arg_value, text));
}

/// One line for each line of `text`; CR LF, CR and LF all end one.
void append_lines(std::string& out, std::string_view prefix, std::string_view text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    out.append(prefix).append(text.substr(0, end)).push_back('\n');
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

}  // namespace

Result<void> append_event(std::string& out, const ServerEvent& event) {
  if (event.event.find_first_of("\r\n") != std::string_view::npos) {
    return refused("the event's name has a line end");
  }
  if (event.id && event.id->find_first_of("\r\n\0"sv) != std::string_view::npos) {
    return refused("the event's id has a line end, or NUL");
  }
  if (!is_utf8(event.data) || !is_utf8(event.event) || !is_utf8(event.id.value_or(""))) {
    return refused("the event is not UTF-8");
  }
  if (!event.event.empty()) append_lines(out, "event: ", event.event);
  if (event.id) append_lines(out, "id: ", *event.id);
  if (event.retry) {
    out.append("retry: ").append(std::to_string(event.retry->count())).push_back('\n');
  }
  append_lines(out, "data: ", event.data);
  out.push_back('\n');
  return {};
}

Result<void> append_comment(std::string& out, std::string_view text) {
  if (!is_utf8(text)) return refused("the comment is not UTF-8");
  append_lines(out, ": ", text);
  out.push_back('\n');
  return {};
}

}  // namespace pronghorn::server
