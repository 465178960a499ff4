// SPDX-License-Identifier: Apache-2.0
// A request's path to a name below the document root, and back. Pure; used by Files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pronghorn::server {

enum class PathVerdict : std::uint8_t {
  ok,
  malformed,  ///< not a path that could name anything: 400
  hidden,     ///< may exist, is not served: 404
};

/// Decodes `encoded` ("/a%20b/../c") once, then removes empty and dot segments (RFC 3986 §5.2.4),
/// then looks at what is left, so that no spelling escapes the check.
///
/// `relative` becomes the name below the root without a slash at either end ("c"; empty for the
/// root); its storage is reused. `is_directory` is set when the path ends as a directory's does
/// ("/c/", "/c/."). Malformed: no slash at the start, bad percent-encoding, NUL, a ".." above the
/// root. Hidden: an encoded slash (no file name holds one), and names that begin with a dot, except
/// below "/.well-known" (RFC 8615). Everything else is bytes: backslashes, overlong UTF-8 and "+"
/// mean themselves.
PathVerdict normalise_path(std::string_view encoded, std::string& relative, bool& is_directory);

/// Appends `path` with all but unreserved bytes, slashes and a few harmless ones percent-encoded:
/// safe in a Location field, also for browsers that read a backslash as a slash.
void append_encoded_path(std::string& out, std::string_view path);
/// The same for a query as it was sent: '?', ':' and '%' stay.
void append_encoded_query(std::string& out, std::string_view query);

}  // namespace pronghorn::server
