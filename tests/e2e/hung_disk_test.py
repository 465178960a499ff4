#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk of the access log hangs: a file system in an image of its own that is really frozen (fsfreeze(8)).

Needs root and a loop device, or it exits with 77, which CTest shows as skipped.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from support import Server, connect, get, main, wait_until


class Disk:
    """A small ext4, mounted until the `with` block ends."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pronghorn-disk-")
        image, self.path = Path(self.folder.name) / "image", Path(self.folder.name) / "mounted"
        self.path.mkdir()
        self.is_frozen = self.is_mounted = False
        try:
            with open(image, "wb") as file:
                file.truncate(16 << 20)
            self.run("mkfs.ext4", "-q", "-F", image)
            self.run("mount", "-o", "loop", image, self.path)
            self.is_mounted = True
        except BaseException:
            self.__exit__()
            raise
        return self

    @staticmethod
    def run(*command):
        subprocess.run(command, check=True, capture_output=True, timeout=20)

    def freeze(self):
        self.run("fsfreeze", "-f", self.path)
        self.is_frozen = True

    def thaw(self):
        self.run("fsfreeze", "-u", self.path)
        self.is_frozen = False

    def __exit__(self, *failure):
        if self.is_frozen:
            self.thaw()
        if self.is_mounted:
            wait_until(lambda: subprocess.run(["umount", self.path], capture_output=True).returncode == 0, "the disk to be free")
        self.folder.cleanup()


def missing():
    """Why there is no such disk here; empty: there is."""
    if os.geteuid() != 0:
        return "mounting needs root"
    tools = [tool for tool in ("mkfs.ext4", "mount", "umount", "fsfreeze") if shutil.which(tool) is None]
    if tools:
        return "no " + ", ".join(tools)
    try:
        with Disk() as disk:
            disk.freeze()
    except (OSError, subprocess.SubprocessError) as fault:
        return f"no disk can be frozen here: {fault}"
    return ""


class HungDisk(unittest.TestCase):
    def setUp(self):
        self.disk = Disk().__enter__()
        self.addCleanup(self.disk.__exit__)
        self.log = self.disk.path / "access.log"

    def serve(self, *arguments, **environment):
        server = Server("--access-log", self.log, *arguments, workers=2, environment=environment)
        self.addCleanup(server.close)
        self.addCleanup(lambda: self.disk.is_frozen and self.disk.thaw())  # before that: who hangs cannot be killed
        return server.start()

    def lines(self):
        return self.log.read_text().splitlines()

    def test_requests_go_on_lines_are_dropped_and_it_recovers(self):
        server = self.serve(PRONGHORN_ACCESS_LOG_BUFFER="16KiB")
        workers = server.worker_pids()
        self.assertEqual(get(server.port)[0], 200)
        wait_until(lambda: len(self.lines()) == 1, "the first line")
        self.disk.freeze()
        slowest, asked = 0.0, 1
        for _ in range(400):
            begun = time.monotonic()
            self.assertEqual(get(server.port)[0], 200)
            slowest, asked = max(slowest, time.monotonic() - begun), asked + 1
        self.assertLess(slowest, 1.0)
        wait_until(lambda: (log := server.status()["access_log"])["losing"] and log["dropped"] > 50, "lines to be dropped")
        self.assertEqual(server.worker_pids(), workers, "a worker was replaced")

        self.disk.thaw()
        settled = wait_until(lambda: (log := server.status()["access_log"])["lines"] + log["dropped"] == asked and log, "all lines to be counted")
        self.assertEqual(len(self.lines()), settled["lines"])
        self.assertTrue(all(line.startswith("127.0.0.1 - - [") for line in self.lines()))
        self.assertEqual(get(server.port)[0], 200)
        wait_until(lambda: len(self.lines()) == settled["lines"] + 1, "a line after the fault")
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)

    def test_a_stop_gives_it_two_seconds_and_ends_when_the_kernel_lets_go(self):
        server = self.serve()
        self.disk.freeze()
        for _ in range(20):
            self.assertEqual(get(server.port)[0], 200)
        server.signal(signal.SIGTERM)
        wait_until(lambda: "access log lines dropped" in server.stderr(), "the workers to give their lines up")
        with self.assertRaises(ConnectionRefusedError):
            connect(server.port)
        self.disk.thaw()
        self.assertEqual(server.wait(5), 0)


if __name__ == "__main__":
    if reason := missing():
        print("skipped:", reason)
        sys.exit(77)
    main()
