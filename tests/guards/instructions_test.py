#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions a request of the built worker, under callgrind, against tests/guards/bounds.toml.

The worker that a master starts is run by valgrind (bench/valgrind_worker.cpp). Of each kind of request some are sent first;
then the counts begin at zero, and what is dumped after so many more has neither start nor end in it.

PRONGHORN_GUARD_BOUNDS names another table.
"""
import glob
import os
import re
import shutil
import subprocess
import tomllib
import unittest
from pathlib import Path

import worker
from bench.suite import rows
from support import BINARY, has_sanitizers, main

KIND = os.environ.get("PRONGHORN_BUILD_KIND", "GNU 12 Debug")
TABLE = Path(os.environ.get("PRONGHORN_GUARD_BOUNDS", Path(__file__).with_name("bounds.toml")))
BOUNDS = tomllib.loads(TABLE.read_text()).get(KIND)
SHIM = worker.BUILD / "bench/valgrind_worker.so"
WARM, COUNTED = 64, 384  # multiples of 8 connections with 16 requests at once

KINDS = {
    "keepalive": {},
    "browser_again": {"headers": rows.BROWSER},
    "browser_new": {"headers": rows.BROWSER, "is_new": True},
    "pipelined": {"depth": 16},
    "file_1k": {"path": "/1k.txt"},
}


def missing():
    """Why nothing can be counted; empty: it can."""
    if has_sanitizers():
        return "sanitizers count as well, and do not run under valgrind"
    if BOUNDS is None:
        return f"{TABLE.name} has no bounds for a build of this kind: {KIND}"
    if not shutil.which("valgrind") or not shutil.which("vgdb"):
        worker.lack("valgrind")
    return "" if SHIM.exists() else f"no {SHIM}: it is built with PRONGHORN_BUILD_BENCH on x86-64"


def over(counts, bounds):
    """A line for each that is above its bound, or has none."""
    return [f"{name}: {count:.0f} instructions a request, at most {bounds.get(name, 0)}"
            for name, count in counts.items() if count > bounds.get(name, 0)]


def best(name, counted, kind):
    """Of three counts: the clock is looked at once a millisecond, timers come by: a slow machine counts more, never less."""
    count = counted.count(**kind)
    for _ in range(2):
        if count > BOUNDS.get(name, 0):
            count = min(count, counted.count(**kind))
    return count


class Counted:
    """A worker under callgrind."""

    def __init__(self, log="off"):
        under = ("valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=counts.%p")
        under = (shutil.which(under[0]), *under[1:])
        # What is done each second or each 10 ms is a matter of time, not of requests: seldom here, guards/syscalls holds it.
        self.server = worker.start(log, "60s", "1h", {"LD_PRELOAD": str(SHIM), "BENCH_UNDER": "\n".join(under)})
        self.server.command[0] = os.path.realpath(BINARY)

    def __enter__(self):
        self.server.__enter__()
        self.pid, = self.server.worker_pids()
        return self

    def __exit__(self, *failure):
        self.server.__exit__(*failure)

    def tell(self, command):
        done = subprocess.run(["vgdb", f"--pid={self.pid}", command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"vgdb {command}: {done.stdout}{done.stderr}{self.server.stderr()}")

    def count(self, **kind):
        with worker.Requests(self.server.port, **kind) as requests:
            requests.send(WARM)
            requests.send(WARM)
            self.tell("zero")
            before = set(self.dumps())
            sent = requests.send(COUNTED)
            self.tell("dump")
        dump, = set(self.dumps()) - before
        totals = re.findall(r"^(?:totals|summary): (\d+)", Path(dump).read_text(errors="replace"), re.M)
        return int(totals[-1]) / sent

    def dumps(self):
        return glob.glob(str(self.server.path / f"counts.{self.pid}.*"))


class Instructions(unittest.TestCase):
    def test_a_request_costs_no_more_than_its_bound(self):
        with Counted() as plain, Counted("access.log") as logged:
            counts = {name: best(name, plain, kind) for name, kind in KINDS.items()}
            counts["logged"] = best("logged", logged, {})
        for name, count in counts.items():
            print(f"{name}: {count:.0f}, bound {BOUNDS.get(name)} of {TABLE.name} [{KIND}]", flush=True)
        self.assertEqual(over(counts, BOUNDS), [])

    def test_one_too_many_is_too_many(self):
        self.assertEqual(over({"a": 100, "b": 100}, {"a": 100, "b": 99}), ["b: 100 instructions a request, at most 99"])
        self.assertEqual(over({"a": 1}, {}), ["a: 1 instructions a request, at most 0"])


if __name__ == "__main__":
    if reason := missing():
        worker.skip(reason)
    main()
