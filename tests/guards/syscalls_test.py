#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""System calls of the built worker, counted by strace: a receive and a send for each request, and waiting for the next."""
import os
import shutil
import signal
import time
import unittest

import worker
from bench.suite import counts
from bench.suite.server import BenchError
from support import has_sanitizers, main

REQUESTS = 400


# Calls that were under way when strace came or went: the client has its answer before the call returns.
EDGES = 2


class Traced:
    """The calls that a server's worker makes in a `with`, waits left out: {name: count}, there when that ends."""

    def __init__(self, server):
        self.out, self.pids = str(server.path / "calls"), server.worker_pids()
        self.calls = {}

    def __enter__(self):
        self.tracer = counts.start_strace(self.out, self.pids)
        return self.calls

    def __exit__(self, *failure):
        os.killpg(self.tracer.pid, signal.SIGINT)
        self.tracer.wait(20)
        calls = counts.parse_counts(self.out, "strace")[1]
        self.calls |= {name: count for name, count in calls.items() if name not in (*counts.WAITS, "restart_syscall")}


class Calls(unittest.TestCase):
    def counted(self, log="off", count=REQUESTS, **kind):
        with worker.start(log) as server, worker.Requests(server.port, **kind) as requests:
            requests.send(16)
            with Traced(server) as calls:
                begun = time.monotonic()
                sent = requests.send(count)
                took = time.monotonic() - begun
        print(f"{kind or 'keep-alive'}, log {log}: {sent} requests in {took:.2f} s: {calls}", flush=True)
        return sent, sum(calls.values()), took

    def test_a_request_is_a_receive_and_a_send(self):
        sent, made, _ = self.counted()
        self.assertAlmostEqual(made, 2 * sent, delta=EDGES)

    def test_a_file_from_memory_adds_a_look_at_the_disk_each_second(self):
        sent, made, took = self.counted(path="/1k.txt")
        # Eight a look, of the file and the variants that it has not; a file that was made just now is looked at anew.
        self.assertLessEqual(made - 2 * sent, 8 * (took + 4))

    def test_sixteen_at_once_share_them(self):
        sent, made, _ = self.counted(depth=16, count=1600)
        self.assertAlmostEqual(made, 2 * sent / 16, delta=EDGES)

    def test_the_access_log_adds_what_its_thread_does_each_ten_milliseconds(self):
        sent, made, took = self.counted("access.log")
        # To wake it, to write, to sleep, and to wait for each other.
        self.assertLessEqual(made - 2 * sent, 6 * (took / 0.010 + 2))
        self.assertGreater(made, 2 * sent)


def missing():
    """Why nothing can be counted; empty: it can."""
    if has_sanitizers():
        return "sanitizers make calls of their own"
    if not shutil.which("strace"):
        worker.lack("strace")
    try:
        with worker.start() as server, Traced(server):
            pass
    except BenchError as fault:
        return f"strace may not attach here: {fault}"
    return ""


if __name__ == "__main__":
    if reason := missing():
        worker.skip(reason)
    main()
