#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A crash loop, to its end: 50 s of waiting at little CPU, in a file of its own so that other tests run beside it."""
import os
import time
import unittest

from support import Server, has_sanitizers, main, process_stat


class CrashLoop(unittest.TestCase):
    """Workers that die at each start: at most 10 starts a slot in the first minute, little CPU, then the reason."""

    def test_a_master_whose_workers_never_live_gives_up(self):
        preload = os.environ["PRONGHORN_CRASH_AT_START"]
        environment = {"LD_PRELOAD": preload}
        if has_sanitizers():
            environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        slots = 2
        server = Server(workers=slots, environment=environment)
        try:
            server.start(wait_ready=False)
            begun = time.monotonic()
            cpu = 0.0
            while server.process.poll() is None:
                self.assertLess(time.monotonic() - begun, 90, "it does not give up")
                time.sleep(0.5)
                if stat := process_stat(server.process.pid):
                    cpu = stat["cpu_with_children"]
            took = time.monotonic() - begun
            starts = (server.path / "starts").read_text().count("x")
            print(f"gave up after {took:.1f} s, {starts} starts, {100 * cpu / took:.1f} % CPU", flush=True)
            self.assertEqual(server.wait(), 70)
            self.assertIn("no worker can", server.stderr())
            self.assertIn("SIGABRT", server.stderr())
            self.assertGreaterEqual(starts, 3 * slots)
            self.assertLessEqual(starts, 10 * slots)
            if not has_sanitizers():
                self.assertLess(cpu / took, 0.05)
            self.assertEqual(server.rest_of_stdout(), "")
        finally:
            server.close()


if __name__ == "__main__":
    main()
