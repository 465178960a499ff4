#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever answers wrongly, closes or dies while bench/run measures has no figure of it, and is not waited for without end."""
import contextlib
import json
import os
import socket
import sys
import threading
import types
import unittest
import unittest.mock
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev"))
sys.path[:0] = [str(TOP / "bench"), str(TOP / "tests/guards")]
import worker  # noqa: E402
from suite import counts, idle, server, wrk  # noqa: E402
from suite.rows import HELLO, ROWS  # noqa: E402
from suite.server import BenchError  # noqa: E402

ROW = {row.name: row for row in ROWS}


def answer(status="200 OK", body=HELLO):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Fake(server.Server):
    """In this process: its n-th answer of all is what `answers(n)` says; None: it closes."""

    def __init__(self, answers):
        self.name, self.answers, self.number, self.weighed, self.kept = "fake", answers, 0, 0, []
        self.lock = threading.Lock()
        self.process = self
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.close_all()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.kept.append(s)
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        with s, contextlib.suppress(OSError):  # the test is over
            while data := s.recv(65536):
                for _ in range(data.count(b"\r\n\r\n")):
                    with self.lock:
                        self.number += 1
                        told = self.answers(self.number)
                    if told is None:
                        return
                    s.sendall(told)

    def close_all(self):
        for s in self.kept:
            with contextlib.suppress(OSError):  # the other end was first
                s.shutdown(socket.SHUT_RDWR)

    def poll(self):
        return None

    def pids(self):
        return [1]

    def log(self):
        return ""

    def pss_bytes(self):
        """Before, and after: 1000 bytes a connection more."""
        self.weighed += 1
        return 1000 * len(self.kept)


class Idle(unittest.TestCase):
    def measure(self, fake):
        with unittest.mock.patch.object(idle.time, "sleep"):  # it has nothing to give back a little later
            return idle.measure(fake, ROW["idle"], "/", 10)

    def test_connections_that_stay_are_weighed(self):
        with Fake(lambda _: answer()) as fake:
            found = self.measure(fake)
        self.assertEqual((found["connections"], found["bytes_per_connection"], found["refused"]), (10, 1000, None))

    def test_who_closes_them_is_not_weighed(self):
        class Closes(Fake):
            def pss_bytes(self):
                if self.weighed:
                    self.kept[0].shutdown(socket.SHUT_RDWR)
                return super().pss_bytes()
        with Closes(lambda _: answer()) as fake, self.assertRaisesRegex(BenchError, "closed 1 of 30 idle connections"):
            self.measure(fake)

    def test_whose_worker_is_another_is_not_weighed(self):
        class Dies(Fake):
            def pids(self):
                return [1, 2 + self.weighed]
        with Dies(lambda _: answer()) as fake, self.assertRaisesRegex(BenchError, "lost or gained a process"):
            self.measure(fake)

    def test_a_connection_that_is_refused_by_an_answer_is_none(self):
        with Fake(lambda n: answer() if n <= 25 else answer("503 Full")) as fake:
            found = self.measure(fake)
        self.assertEqual((found["connections"], found["refused"]), (5, "answers with HTTP/1.1 503"))


class Peak(unittest.TestCase):
    """What wrk told: of 1,000 answers of 100 bytes, 64 may be under way."""

    def drive(self, name="keepalive", answer_bytes=100, **told):
        r = {"requests": 1000, "duration_us": 10**6, "bytes": 100_000, "p50_us": 1, "errors": 0, "non_2xx": 0} | told
        fake = types.SimpleNamespace(name="fake", port=1, pids=lambda: [1], log=lambda: "", answer_bytes=answer_bytes)
        run = types.SimpleNamespace(stdout=f"RESULT {json.dumps(r)}", stderr="", returncode=0)
        with unittest.mock.patch.object(wrk, "run_client", return_value=run):
            return wrk.drive(fake, ROW[name], "/", 1, (0,))

    def test_answers_of_the_verified_size_count(self):
        for received in (96_000, 100_000, 110_400):
            self.assertEqual(self.drive(bytes=received)["answers"], 1000)

    def test_shorter_and_longer_ones_do_not(self):
        for received in (88_000, 95_999, 110_401, 200_000):
            with self.assertRaisesRegex(BenchError, "bytes an answer of 1,000, where the first one had 100: other answers"):
                self.drive(bytes=received)

    def test_large_ones_under_way_count_by_their_bytes(self):
        size = ROW["file10m"].body_bytes + 100
        self.assertEqual(self.drive("file10m", size, requests=100, bytes=103 * size)["answers"], 103)
        self.assertEqual(self.drive("file100k", 100, requests=100, bytes=10_300)["answers"], 100)

    def test_the_fixed_rate_asks_for_the_length_of_the_body(self):
        run = types.SimpleNamespace(stdout="{}", stderr="", returncode=0)
        with unittest.mock.patch.object(wrk, "run_client", return_value=run) as client:
            wrk.at_rate("rate", types.SimpleNamespace(port=1), ROW["json"], "/", 100.0, 1, (0,))
        self.assertIn("body=27", client.call_args.args[0])


class Counted(unittest.TestCase):
    def send(self, answers, name="keepalive", count=32):
        with Fake(answers) as fake:
            counts.send_exactly(fake, ROW[name], "/", count)
            return fake.number

    def test_so_many_are_sent(self):
        for name in ("keepalive", "pipelined", "close"):
            self.assertEqual(self.send(lambda _: answer(), name), 32)

    def test_each_answer_must_be_the_rows(self):
        for name in ("keepalive", "pipelined", "close"):
            for wrong, told in ((answer("404 Not Found"), "HTTP/1.1 404"), (answer(body=b"Hello, World?"), "13 bytes, not 200 and")):
                with self.assertRaisesRegex(BenchError, told):
                    self.send(lambda n, wrong=wrong: wrong if n == 20 else answer(), name)
        with self.assertRaisesRegex(BenchError, "sends more than it was asked for"):
            self.send(lambda _: answer() * 2)

    def test_who_closes_is_not_waited_for(self):
        for name in ("keepalive", "pipelined", "close"):
            with self.assertRaisesRegex(OSError, "closed within the head|reset"):
                self.send(lambda n: answer() if n < 20 else None, name)

    def test_the_guards_count_good_answers_alone(self):
        for depth in (1, 16):
            with Fake(lambda n: answer() if n < 20 else answer("404 Not Found")) as fake:
                with worker.Requests(fake.port, depth=depth) as requests, self.assertRaisesRegex(AssertionError, "404 Not Found"):
                    requests.send(64)

    def test_what_runs_under_valgrind_is_verified_first(self):
        with Fake(lambda _: answer("404 Not Found")) as fake, self.assertRaisesRegex(BenchError, "fake, asked for /, answers with"):
            fake.verify(ROW["keepalive"], "/")
        with Fake(lambda _: answer()) as fake:
            self.assertEqual(fake.verify(ROW["keepalive"], "/"), len(answer()) - len(HELLO))
            self.assertEqual(fake.answer_bytes, len(answer()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
