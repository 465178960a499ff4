#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files as the whole program serves them: the configuration reaches the workers, changes are seen, and what is cut is cut.

usage: files_test.py [BINARY]        or PRONGHORN_BINARY
"""
import http.client
import os
import socket
import sys
import unittest

if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
    os.environ["PRONGHORN_BINARY"] = os.path.abspath(sys.argv.pop(1))

from support import Server, main, wait_until  # noqa: E402  (reads PRONGHORN_BINARY when imported)

LONG_AGO = 1_700_000_000
CONFIG = """
root = "www"
listen = "127.0.0.1:0"
workers = 2
access_log = "off"
%s
"""


def ask(port, path, headers=None, method="GET"):
    """(status, {lower-case field: value}, body) on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def site(config="", files=None):
    """A started server over these files, which are old."""
    files = {"www/a.txt": "first\n", "www/page.html": "<p>page</p>\n"} | (files or {})
    server = Server.in_folder({"pronghorn.toml": CONFIG % config} | files, config="pronghorn.toml")
    for name in files:
        os.utime(server.path / name, (LONG_AGO, LONG_AGO))
    return server


class Files(unittest.TestCase):
    def test_types_of_the_configuration_reach_the_workers(self):
        config = '[types]\nMD = "text/markdown; charset=utf-8"\nhtml = "application/xhtml+xml"\n"c++" = "text/x-c"\n'
        with site(config, {"www/r.md": "# r\n", "www/x.c++": "int i;\n"}) as server:
            for path, wanted in (("/r.md", "text/markdown; charset=utf-8"), ("/page.html", "application/xhtml+xml"),
                                 ("/x.c%2B%2B", "text/x-c"), ("/a.txt", "text/plain; charset=utf-8")):
                with self.subTest(path):
                    status, fields, _ = ask(server.port, path)
                    self.assertEqual((status, fields["content-type"]), (200, wanted))
                    self.assertEqual(fields["x-content-type-options"], "nosniff")

    def test_limits_and_switches_of_the_configuration_reach_the_workers(self):
        config = "[limits]\nranges = 2\n[files]\nprecompressed = false\n"
        with site(config, {"www/a.txt.gz": "not used"}) as server:
            self.assertEqual(ask(server.port, "/a.txt", {"Range": "bytes=0-0,2-2"})[0], 206)
            self.assertEqual(ask(server.port, "/a.txt", {"Range": "bytes=0-0,2-2,4-4"})[0], 200)
            fields = ask(server.port, "/a.txt", {"Accept-Encoding": "gzip"})[1]
            self.assertNotIn("content-encoding", fields)
            self.assertNotIn("vary", fields)

    def test_a_change_is_seen_by_every_worker_once_the_cache_looks_again(self):
        with site('[files]\ncache_valid = "50ms"\n') as server:
            before = {ask(server.port, "/a.txt")[2] for _ in range(20)}
            self.assertEqual(before, {b"first\n"})
            other = server.path / "other"
            other.write_text("second\n")
            os.rename(other, server.path / "www/a.txt")
            wait_until(lambda: {ask(server.port, "/a.txt")[2] for _ in range(20)} == {b"second\n"},
                       "both workers to serve the new file")
            os.unlink(server.path / "www/a.txt")
            wait_until(lambda: {ask(server.port, "/a.txt")[0] for _ in range(20)} == {404}, "both workers to miss it")

    def test_a_large_file_that_is_written_to_under_way_is_cut(self):
        size = 32 << 20
        with site() as server:
            path = server.path / "www/big.bin"
            path.write_bytes(b"a" * size)
            os.utime(path, (LONG_AGO, LONG_AGO))
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
                client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
                received = len(client.recv(1000))
                with open(path, "r+b") as file:
                    file.write(b"b")
                with self.assertRaises(ConnectionResetError):
                    while piece := client.recv(1 << 20):
                        received += len(piece)
                self.assertLess(received, size)
            self.assertEqual(ask(server.port, "/big.bin", {"Range": "bytes=0-1"})[2], b"ba")


if __name__ == "__main__":
    main()
