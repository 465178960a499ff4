// SPDX-License-Identifier: Apache-2.0
// The two request heads that the micro-benchmarks and bench/run's rows keepalive and browser share.
#pragma once

#include <string_view>

namespace pronghorn::bench {

/// wrk's: 40 bytes or so.
inline constexpr std::string_view kShortHead = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

inline constexpr std::string_view kBrowserHead =
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: http://127.0.0.1/index.html\r\n"
    "Cookie: sid=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n"
    "Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n\r\n";

}  // namespace pronghorn::bench
