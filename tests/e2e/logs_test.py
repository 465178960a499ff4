#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logs never block: a full pipe as standard error, a full disk under the access log; and what a line looks like."""
import fcntl
import os
import re
import resource
import signal
import subprocess
import time
import unittest

from support import Server, connect, get, main, read_answer, wait_until


def full_pipe():
    """A pipe that nobody reads, filled to the last byte."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        pass
    try:
        while True:
            os.write(writer, b"x")
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)  # as a shell gives it: the flag is shared with its other owners
    return reader, writer


class NeverBlock(unittest.TestCase):
    def serve_and_replace(self, server):
        begun = time.monotonic()
        for _ in range(50):
            self.assertEqual(get(server.port)[0], 200)
        victim = server.worker_pids()[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in server.worker_pids() and len(server.worker_pids()) == 2, "a new worker")
        for _ in range(50):
            self.assertEqual(get(server.port)[0], 200)
        self.assertEqual(get(server.port, "/none")[0], 404)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertEqual(server.alive(), [])
        self.assertLess(time.monotonic() - begun, 15)

    def test_standard_error_is_a_full_pipe(self):
        reader, writer = full_pipe()
        with Server("--access-log", "-", "--log-level", "trace", stderr=writer) as server:
            self.serve_and_replace(server)
        self.assertFalse(fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK, "O_NONBLOCK was set on an inherited descriptor")
        os.close(reader)
        os.close(writer)

    def test_nobody_reads_standard_error(self):
        reader, writer = os.pipe()
        os.close(reader)
        with Server("--access-log", "-", stderr=writer) as server:
            os.close(writer)
            self.serve_and_replace(server)

    def test_the_disk_of_the_access_log_is_full(self):
        with Server("--access-log", "/dev/full") as server:
            self.serve_and_replace(server)

    def test_the_access_log_reaches_the_limit_of_file_sizes(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # inherited; room for the scoreboard, not for 100 lines
        try:
            server = Server("--access-log", "access.log", stderr=subprocess.DEVNULL).start()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with server:
            self.serve_and_replace(server)

    def test_the_disk_of_standard_error_is_full(self):
        with open("/dev/full", "wb") as full, Server("--access-log", "-", stderr=full) as server:
            self.serve_and_replace(server)


class Lines(unittest.TestCase):
    COMBINED = re.compile(r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
                          r'"([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"')

    def test_the_access_log_is_combined_and_cannot_be_injected_into(self):
        with Server("--access-log", "access.log") as server:
            log = server.path / "access.log"
            with connect(server.port) as sock:
                sock.sendall(b'GET /"x%0a HTTP/1.1\r\nHost: x\r\nUser-Agent: a"b\\\x80\tc\r\nReferer: http://r/\r\n'
                             b"Connection: close\r\n\r\n")
                read_answer(sock)
            self.assertEqual(get(server.port)[0], 200)
            wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 2, "two lines")
            for line in log.read_bytes().splitlines():
                self.assertTrue(all(32 <= byte < 127 for byte in line), line)
                self.assertTrue(self.COMBINED.match(line.decode()), line)

    def test_a_log_file_that_cannot_be_opened_is_a_wrong_start(self):
        server = Server("--access-log", "none/access.log")
        try:
            server.start(wait_ready=False)
            self.assertIn(server.wait(), (2, 77, 78))
            self.assertIn("cannot write a log into 'none': no such directory", server.stderr())
        finally:
            server.close()

    def test_the_log_of_a_pipe_has_whole_lines_with_time_and_level(self):
        with Server() as server:
            os.kill(server.worker_pids()[0], signal.SIGKILL)
            wait_until(lambda: "SIGKILL" in server.stderr(), "the death in the log")
            for line in server.stderr().splitlines():
                self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (trace|debug|info|notice|warn|error|critical) ")


if __name__ == "__main__":
    main()
