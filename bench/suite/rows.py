# SPDX-License-Identifier: Apache-2.0
"""What bench/run measures: each row is a kind of request, sent in one way to every peer that can answer it."""
import dataclasses

# A browser's, some 560 bytes with the request line and Host.
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.9",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: http://127.0.0.1/index.html",
    "Cookie: sid=8f14e45fceea167a5a36dedd4bea2543; theme=dark",
    "Cache-Control: max-age=0",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
)
# What TechEmpower's own client sends beside Host.
TECHEMPOWER = ("Accept: text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7",)
HELLO = b"Hello, World!"
JSON = b'{"message":"Hello, World!"}'
ECHO_BYTES = 16384
QUERIES = 4096  # of 64 connections or 8 in turn: none asks the same twice running


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    what: str  # of a peer's answers
    body_bytes: int = len(HELLO)
    depth: int = 1
    close: bool = False
    headers: tuple = ()
    post_bytes: int = 0
    queries: int = 0  # so many that differ, one after the other: no head is as the one before
    workers: int = 1
    connections: int = 64
    idle: bool = False
    more: tuple = ()  # peers that only such a row has
    only: tuple = ()  # of the others; (): all
    # How many requests are counted for instructions, and how many more than those.
    counted: tuple = (1000, 3000)

    def request(self, path, port, n=0):
        """The bytes of the n-th; wrk.lua and bench/rate count their queries up in the same way."""
        if self.queries:
            path += f"?{n % self.queries:06d}"
        lines = [f"{'POST' if self.post_bytes else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *self.headers]
        if self.close:
            lines.append("Connection: close")
        if self.post_bytes:
            lines.append(f"Content-Length: {self.post_bytes}")
        return "\r\n".join([*lines, "", ""]).encode() + b"x" * self.post_bytes

    def body(self):
        """What must come back."""
        if self.what == "json":
            return JSON
        return HELLO if self.body_bytes == len(HELLO) else b"x" * self.body_bytes


ALONE = ("pronghorn-1", "nginx-1", "limit-1")  # with one worker: what the others are compared with
FILES = {"1k": 1024, "100k": 100 * 1024, "10m": 10 * 1024 * 1024}

ROWS = [
    Row("keepalive", "13-byte answer, keep-alive", "hello", more=("node-cluster",)),
    Row("pipelined", "13-byte answer, 16 pipelined", "hello", depth=16),
    Row("close", "13-byte answer, a connection each", "hello", close=True, more=("nginx-deferred", "node-cluster")),
    Row("file1k", "file of 1 KiB", "1k", FILES["1k"], more=("limit-sendfile",)),
    Row("file100k", "file of 100 KiB", "100k", FILES["100k"], more=("limit-sendfile",), counted=(300, 600)),
    Row("file10m", "file of 10 MiB, 8 connections", "10m", FILES["10m"], connections=8, more=("limit-sendfile",),
        counted=(16, 24)),
    Row("browser", "13-byte answer, a browser's headers", "hello", headers=BROWSER),
    Row("browser-new", "13-byte answer, a browser's headers, no head twice", "hello", headers=BROWSER, queries=QUERIES),
    Row("json", "JSON made for each request", "json", len(JSON), headers=TECHEMPOWER),
    Row("plaintext", "TechEmpower's plaintext, 16 pipelined", "plaintext", depth=16, headers=TECHEMPOWER),
    Row("echo", "POST of 16 KiB, sent back", "echo", ECHO_BYTES, post_bytes=ECHO_BYTES, counted=(500, 1000)),
    Row("log", "13-byte answer, keep-alive, with an access log", "hello", more=("pronghorn-log", "nginx-log"),
        only=("pronghorn", "nginx")),
    Row("workers2", "13-byte answer, keep-alive, 2 workers", "hello", workers=2, more=("node-cluster", *ALONE)),
    Row("workers4", "13-byte answer, keep-alive, 4 workers", "hello", workers=4, more=("node-cluster", *ALONE)),
    Row("idle", "idle connections, after one request each", "hello", idle=True),
]
