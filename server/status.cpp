// SPDX-License-Identifier: Apache-2.0
#include "server/status.h"

#include <algorithm>
#include <array>

namespace pronghorn::server {
namespace {

struct Status {
  int code;
  std::string_view phrase;
  std::string_view advice;
};

constexpr std::array kStatuses{
    Status{101, "Switching Protocols", ""},
    Status{102, "Processing", ""},
    Status{103, "Early Hints", ""},
    Status{200, "OK", ""},
    Status{201, "Created", ""},
    Status{202, "Accepted", ""},
    Status{203, "Non-Authoritative Information", ""},
    Status{204, "No Content", ""},
    Status{205, "Reset Content", ""},
    Status{206, "Partial Content", ""},
    Status{207, "Multi-Status", ""},
    Status{300, "Multiple Choices", ""},
    Status{301, "Moved Permanently", "This page has a new address."},
    Status{302, "Found", "This page is at another address for now."},
    Status{303, "See Other", "The answer is at another address."},
    Status{304, "Not Modified", ""},
    Status{307, "Temporary Redirect", "This page is at another address for now."},
    Status{308, "Permanent Redirect", "This page has a new address."},
    Status{400, "Bad Request", "The request was not understood."},
    Status{401, "Unauthorized", "This page asks for a name and a password."},
    Status{402, "Payment Required", ""},
    Status{403, "Forbidden", "This page may not be read."},
    Status{404, "Not Found", "There is no page at this address."},
    Status{405, "Method Not Allowed", "This address does not take that kind of request."},
    Status{406, "Not Acceptable", "There is no version of this page that was asked for."},
    Status{408, "Request Timeout", "The request took too long to arrive."},
    Status{409, "Conflict", "The request does not fit what is there now."},
    Status{410, "Gone", "This page was taken away."},
    Status{411, "Length Required", ""},
    Status{412, "Precondition Failed", "The page has changed since it was last read."},
    Status{413, "Content Too Large", "What was sent is larger than this server takes."},
    Status{414, "URI Too Long", "The address is longer than this server takes."},
    Status{415, "Unsupported Media Type", ""},
    Status{416, "Range Not Satisfiable", "The page does not have the part that was asked for."},
    Status{417, "Expectation Failed", ""},
    Status{421, "Misdirected Request", "This server does not answer for that address."},
    Status{422, "Unprocessable Content", ""},
    Status{425, "Too Early", ""},
    Status{426, "Upgrade Required", ""},
    Status{428, "Precondition Required", ""},
    Status{429, "Too Many Requests", "Too many requests came at once. Try again in a moment."},
    Status{431, "Request Header Fields Too Large",
           "The request's header is larger than this server takes."},
    Status{451, "Unavailable For Legal Reasons", ""},
    Status{500, "Internal Server Error", "Something went wrong here. It is not your fault."},
    Status{501, "Not Implemented", "This server does not know that kind of request."},
    Status{502, "Bad Gateway", "The server behind this one gave no usable answer."},
    Status{503, "Service Unavailable",
           "This is more than can be served now. Try again in a moment."},
    Status{504, "Gateway Timeout", "The server behind this one took too long."},
    Status{505, "HTTP Version Not Supported", ""},
};
static_assert(std::ranges::is_sorted(kStatuses, {}, &Status::code));

const Status* find(int code) noexcept {
  const auto* it = std::ranges::lower_bound(kStatuses, code, {}, &Status::code);
  return it != kStatuses.end() && it->code == code ? it : nullptr;
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  const Status* found = find(status);
  return found ? found->phrase : std::string_view{};
}

std::string_view status_advice(int status) noexcept {
  const Status* found = find(status);
  return found ? found->advice : std::string_view{};
}

}  // namespace pronghorn::server
