#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A short run of bench/slow/run: slow clients of every kind are cut by their deadlines, and honest ones served meanwhile.

usage: slow_test.py [BINARY]        or PRONGHORN_BINARY
"""
import os
import shutil
import subprocess
import sys
import unittest

if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
    os.environ["PRONGHORN_BINARY"] = os.path.abspath(sys.argv.pop(1))

from support import BINARY, TOP, main  # noqa: E402  (reads PRONGHORN_BINARY when imported)


@unittest.skipUnless(shutil.which("slowhttptest") or "CI" in os.environ, "no slowhttptest here")
class Slow(unittest.TestCase):
    def test_attackers_are_cut_and_the_others_served(self):
        done = subprocess.run([TOP / "bench/slow/run", "--smoke", BINARY], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120)
        print(done.stdout, flush=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    main()
