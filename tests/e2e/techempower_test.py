#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/techempower keeps the rules of TechEmpower's FrameworkBenchmarks for /plaintext and /json."""
import email.utils
import json
import os
import socket
import time
import unittest
from pathlib import Path

from support import TOP, Server, main

EXAMPLE = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev")) / "examples/techempower"
# As its verification asks.
ACCEPT = "Accept: text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,*/*;q=0.7"


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: tfb-server:8080\r\n{ACCEPT}\r\nConnection: keep-alive\r\n\r\n".encode()


def read_answers(s, count):
    """That many from the socket: [(status line, {field: value}, body)]; each has a Content-Length."""
    data, found = b"", []
    while len(found) < count:
        head, end, rest = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = dict((name.lower(), value) for name, _, value in (line.partition(": ") for line in lines[1:]))
        if end and len(rest) >= int(fields["content-length"]):
            length = int(fields["content-length"])
            found.append((lines[0], fields, rest[:length]))
            data = rest[length:]
            continue
        part = s.recv(65536)
        if not part:
            raise AssertionError(f"closed after {len(found)} of {count} answers and {data!r}")
        data += part
    if data:
        raise AssertionError(f"{len(data)} bytes after the last answer")
    return found


class TechEmpower(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--access-log", "off", program=EXAMPLE, workers=1)
        cls.enterClassContext(cls.server)

    def ask(self, path, count=1):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as s:
            s.sendall(request(path) * count)
            return read_answers(s, count)

    def check_fields(self, fields):
        self.assertTrue(fields["server"])
        date = email.utils.parsedate_to_datetime(fields["date"]).timestamp()
        self.assertLess(abs(date - time.time()), 5)
        self.assertNotIn("transfer-encoding", fields)
        self.assertNotIn("content-encoding", fields)
        self.assertNotEqual(fields.get("connection"), "close")

    def test_plaintext(self):
        [(status, fields, body)] = self.ask("/plaintext")
        self.assertEqual((status, body), ("HTTP/1.1 200 OK", b"Hello, World!"))
        self.assertRegex(fields["content-type"], r"^text/plain(; ?charset=utf-8)?$")
        self.assertEqual(fields["content-length"], "13")
        self.check_fields(fields)

    def test_plaintext_16_pipelined(self):
        answers = self.ask("/plaintext", 16)
        self.assertEqual({body for _, _, body in answers}, {b"Hello, World!"})
        for status, fields, _ in answers:
            self.assertEqual(status, "HTTP/1.1 200 OK")
            self.check_fields(fields)

    def test_json(self):
        [(status, fields, body)] = self.ask("/json")
        self.assertEqual(status, "HTTP/1.1 200 OK")
        self.assertEqual(json.loads(body), {"message": "Hello, World!"})
        self.assertEqual(body, b'{"message":"Hello, World!"}')
        self.assertRegex(fields["content-type"], r"^application/json(; ?charset=utf-8)?$")
        self.check_fields(fields)

    def test_other_paths_are_not_found(self):
        [(status, _, _)] = self.ask("/nothing-here")
        self.assertEqual(status, "HTTP/1.1 404 Not Found")


if __name__ == "__main__":
    main()
