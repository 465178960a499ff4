// SPDX-License-Identifier: Apache-2.0
// Cookies (RFC 6265bis): those that a request brought, and the Set-Cookie of an answer.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn {

struct Cookie {
  std::string_view name;
  std::string_view value;  ///< as sent: what set it decides how it is encoded
};

/// The first cookie of that name: browsers send the one with the longest path first. The view lives
/// as long as the request.
std::optional<std::string_view> cookie(const Request& request, std::string_view name) noexcept;
/// All of them in order, the first `most` at most. Read tolerantly: what has no name or no '=' is
/// skipped, and quotes are part of the value, as they are for browsers.
std::vector<Cookie> cookies(const Request& request, std::size_t most = 256);

enum class SameSite : std::uint8_t {
  unset,  ///< the browser's default: mostly Lax
  strict,
  lax,
  none,  ///< needs `secure`
};

/// A Set-Cookie field. Name and value are required; what is empty is left out.
struct SetCookie {
  std::string name;   ///< a token
  std::string value;  ///< visible ASCII without `"` `,` `;` `\`; a pair of quotes may enclose it
  std::optional<std::time_t> expires = {};           ///< a session cookie without
  std::optional<std::chrono::seconds> max_age = {};  ///< wins over `expires`; 0 removes the cookie
  std::string domain = {};  ///< sent to its subdomains as well; empty: this host only
  std::string path = {};    ///< begins with '/'
  bool secure = false;      ///< over TLS only
  bool http_only = false;   ///< not for scripts
  SameSite same_site = SameSite::unset;
  bool partitioned = false;  ///< one jar per top-level site; needs `secure`
};

/// The field's value. @errors Errc::invalid_arg_value, naming what no cookie can have: a byte that
/// would end it (';', control bytes, …), over 4096 bytes of name and value or 1024 of an attribute,
/// SameSite=None or Partitioned without Secure, a name that begins with __Secure- (needs `secure`)
/// or __Host- (and path "/" and no domain) without what its prefix promises
Result<std::string> format_set_cookie(const SetCookie& cookie);
/// Adds it to an answer. @errors as above; the answer is unchanged then
Result<void> set_cookie(Response& response, const SetCookie& cookie);

}  // namespace pronghorn
