#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/rate against servers that stall, refuse and close: what it says of them is so.

usage: rate_test.py        PRONGHORN_BUILD names the build folder
"""
import json
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
RATE = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev")) / "bench/rate"
LIMIT = RATE.with_name("limit")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Fake:
    """Answers with `answer`, at most `most` requests a connection; before the `stall_at`-th answer of all it sleeps, and so do
    all its connections."""

    def __init__(self, answer=OK, stall_at=None, stall=0.0, most=None):
        self.answer, self.stall_at, self.stall, self.most = answer, stall_at, stall, most
        self.answered, self.lock, self.requests = 0, threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        data, served = b"", 0
        with connection:
            while part := connection.recv(65536):
                data += part
                while b"\r\n\r\n" in data:
                    head, _, data = data.partition(b"\r\n\r\n")
                    length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
                    while len(data) < length:
                        data += connection.recv(65536)
                    body, data = data[:length], data[length:]
                    with self.lock:
                        self.requests.append((head, body))
                        self.answered += 1
                        if self.answered == self.stall_at:
                            time.sleep(self.stall)
                    connection.sendall(self.answer)
                    served += 1
                    if served == self.most:
                        return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def rate(port, *words):
    """(exit code, what it printed)."""
    done = subprocess.run([RATE, f"port={port}", *words], capture_output=True, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout)


class Rate(unittest.TestCase):
    def test_what_was_due_while_the_server_stood_still_counts(self):
        # 0.4 s of the second: 200 of the 500 requests. Four connections have four in flight; a client that waits for them
        # would see four that are slow.
        with Fake(stall_at=150, stall=0.4) as fake:
            code, told = rate(fake.port, "rate=500", "seconds=1", "connections=4", "warmup=0.1")
        self.assertEqual((code, told["requests"], told["errors"], told["unanswered"]), (0, 500, 0, 0), told)
        self.assertGreater(told["p90_us"], 100_000)
        self.assertGreater(told["max_us"], 390_000)

    def test_the_schedule_is_kept(self):
        with Fake() as fake:
            begun = time.monotonic()
            code, told = rate(fake.port, "rate=400", "seconds=0.5", "warmup=0", "connections=3")
            took = time.monotonic() - begun
        self.assertEqual((code, told["requests"], len(fake.requests)), (0, 200, 200), told)
        self.assertGreater(took, 0.49)

    def test_batches_bodies_and_fields(self):
        with Fake() as fake:
            code, told = rate(fake.port, "rate=800", "seconds=0.4", "depth=16", "path=/p?q", "header=X-A: b c")
        self.assertEqual((code, told["errors"]), (0, 0), told)
        self.assertTrue(all(head.startswith(b"GET /p?q HTTP/1.1\r\n") and b"\r\nX-A: b c" in head for head, _ in fake.requests))
        with Fake() as fake:
            code, told = rate(fake.port, "rate=100", "seconds=0.3", "post=100000", "connections=2")
        self.assertEqual((code, told["requests"]), (0, 30), told)
        self.assertEqual({len(body) for _, body in fake.requests}, {100_000})
        self.assertTrue(fake.requests[0][0].startswith(b"POST / "))

    def test_no_head_is_as_the_one_before(self):
        with Fake() as fake:
            code, told = rate(fake.port, "rate=200", "seconds=0.2", "warmup=0", "connections=4", "queries=16", "path=/p")
        self.assertEqual((code, told["requests"]), (0, 40), told)
        asked = sorted(head.split()[1].decode() for head, _ in fake.requests)
        self.assertEqual(asked, sorted(f"/p?{n % 16:06d}" for n in range(40)))

    def test_a_connection_each(self):
        with Fake(most=1) as fake:
            code, told = rate(fake.port, "rate=300", "seconds=0.4", "close")
        self.assertEqual((code, told["requests"], told["errors"]), (0, 120, 0), told)
        self.assertTrue(all(b"Connection: close" in head for head, _ in fake.requests))

    def test_failures_are_told(self):
        with Fake(answer=b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as fake:
            code, told = rate(fake.port, "rate=100", "seconds=0.2")
        self.assertEqual((code, told["requests"]), (1, 0))
        self.assertGreater(told["errors"], 0)
        with Fake() as fake:
            port = fake.port
        code, told = rate(port, "rate=100", "seconds=0.2")  # nobody listens there
        self.assertEqual((code, told["requests"]), (1, 0))
        with Fake(answer=b"") as fake:
            code, told = rate(fake.port, "rate=50", "seconds=0.2", "warmup=0", "connections=4")
        self.assertEqual((code, told["requests"], told["unanswered"]), (1, 0, 10))
        self.assertGreater(told["p50_us"], 2_900_000)

    def test_a_body_of_another_length_is_a_failure(self):
        for body, expected in (("2", 0), ("3", 1)):
            with Fake() as fake:
                code, told = rate(fake.port, "rate=100", "seconds=0.1", "warmup=0", f"body={body}")
            self.assertEqual((code, told["errors"] > 0), (expected, expected == 1), told)

    def test_a_wrong_option_is_named(self):
        for words, fault in (("rate=1 speed=2", "unknown word 'speed=2'"), ("rate=1", "no port=PORT"), ("port=1", "no rate=N"),
                             ("port=1 rate=1 connections=-1", "'connections=-1' must be 1 to 100000"),
                             ("port=1 rate=1 connections=", "'connections=' must be 1 to 100000"),
                             ("port=1 rate=1 connections=1.5", "'connections=1.5' must be 1 to 100000"),
                             ("port=1 rate=1 warmup=-5", "'warmup=-5' must be 0 to 3600"),
                             ("port=1 rate=nan", "'rate=nan' must be 0.001 to 1e+08")):
            done = subprocess.run([RATE, *words.split()], capture_output=True, text=True, timeout=10)
            self.assertEqual((done.returncode, done.stderr.splitlines()[0]), (2, f"rate: {fault}"))
        done = subprocess.run([RATE, "--help"], capture_output=True, text=True, timeout=10)
        self.assertEqual((done.returncode, done.stdout[:12]), (0, "usage: rate "))

    def test_the_limit_names_wrong_options_too(self):
        for words, fault in (("", "no BODY_BYTES"), ("abc", "BODY_BYTES must be 0 to 1073741824, not 'abc'"),
                             ("13x", "BODY_BYTES must be 0 to 1073741824, not '13x'"), ("1 workers=0", "workers must be 1 to 1024, not '0'"),
                             ("1 request=-1", "request must be 0 to 1073741824, not '-1'"), ("1 speed", "unknown word 'speed'")):
            done = subprocess.run([LIMIT, *words.split()], capture_output=True, text=True, timeout=10)
            self.assertEqual((done.returncode, done.stderr.splitlines()[0]), (2, f"limit: {fault}"))
        done = subprocess.run([LIMIT, "--help"], capture_output=True, text=True, timeout=10)
        self.assertEqual((done.returncode, done.stdout[:13]), (0, "usage: limit "))


if __name__ == "__main__":
    unittest.main(verbosity=2)
