# SPDX-License-Identifier: Apache-2.0
"""The kernel runs out of descriptors, buffers and memory: what clients see, and that the service recovers."""
import contextlib
import errno
import mmap
import os
import resource
import struct
import tempfile
import time
import unittest
from pathlib import Path

from support import TOP, Server, connect, get, has_sanitizers, main, process_stat, read_answer, wait_until

SHIM = os.environ.get("PRONGHORN_FAULT_SHIM", str(TOP / "build/dev/tests/tools/libpronghorn_fault_shim.so"))
CALLS = ("accept", "open", "read", "recv", "send", "epoll_add")  # tests/tools/fault_shim.c
FOR_EVER = 1 << 30


class Faults:
    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="pronghorn-faults-")
        os.ftruncate(self.file.fileno(), 4096)
        self.memory = mmap.mmap(self.file.fileno(), 4096)
        self.environment = {"LD_PRELOAD": SHIM, "FAULT_SHIM_FILE": self.file.name}

    def hits(self, call):
        return struct.unpack_from("i", self.memory, CALLS.index(call) * 16 + 8)[0]

    @contextlib.contextmanager
    def on(self, call, error, times=FOR_EVER):
        at = CALLS.index(call) * 16
        struct.pack_into("iii", self.memory, at, error, times, 0)
        yield
        struct.pack_into("i", self.memory, at + 4, 0)


@unittest.skipIf(has_sanitizers(), "their runtime must be the first library")
class Resources(unittest.TestCase):
    def setUp(self):
        self.faults = Faults()
        self.server = Server(workers=2, environment=self.faults.environment)
        (Path(self.server.root) / "big.bin").write_bytes(b"b" * 3_000_000)
        self.server.start()
        self.addCleanup(self.server.close)
        self.workers = self.server.worker_pids()

    def assert_serves(self, same_workers=True):
        self.assertEqual(get(self.server.port)[0], 200)
        if same_workers:
            self.assertEqual(self.server.worker_pids(), self.workers)

    def test_accept_rests_without_spinning_and_loses_nobody(self):
        for error in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
            with self.subTest(errno.errorcode[error]):
                with self.faults.on("accept", error):
                    waiting = [connect(self.server.port) for _ in range(5)]
                    for sock in waiting:
                        sock.sendall(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
                    began = time.monotonic()
                    cpu = sum(process_stat(pid)["cpu_with_children"] for pid in self.workers)
                    wait_until(lambda: time.monotonic() > began + 0.5 and self.faults.hits("accept") >= 2,
                               "accept to fail")
                    # At most one try each 100 ms and worker, and some for wake-ups that coincide.
                    self.assertLess(self.faults.hits("accept"), 4 + 2 * 2 * 10 * (time.monotonic() - began))
                    spent = sum(process_stat(pid)["cpu_with_children"] for pid in self.workers) - cpu
                    self.assertLess(spent, 0.2 * (time.monotonic() - began) + 0.1)
                for sock in waiting:
                    with sock:
                        self.assertEqual(read_answer(sock)[0], 200)
                self.assert_serves()
        self.assertIn("accept paused", self.server.stderr())

    def test_a_connection_that_was_aborted_in_the_queue_is_passed_over(self):
        with self.faults.on("accept", errno.ECONNABORTED, times=3):
            self.assertEqual(get(self.server.port)[0], 200)
            wait_until(lambda: self.faults.hits("accept") >= 1, "accept to fail")
        self.assert_serves()

    def test_a_file_that_cannot_be_opened_for_want_of_something_is_503_for_now(self):
        for error in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            with self.subTest(errno.errorcode[error]), connect(self.server.port) as sock:
                with self.faults.on("open", error):
                    # Each time another name: what is open already needs no descriptor.
                    sock.sendall(f"GET /not-open-yet-{error} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
                    self.assertEqual(read_answer(sock)[0], 503)
                sock.sendall(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                self.assertEqual(read_answer(sock)[0], 200)
        self.assert_serves()

    def test_a_file_that_cannot_be_read_is_never_a_whole_answer(self):
        for path in ("/index.html", "/big.bin"):
            with self.subTest(path), self.faults.on("read", errno.EIO):
                try:
                    status, _, _ = get(self.server.port, path)
                except (ConnectionError, ValueError):
                    status = None  # cut
                hit = self.faults.hits("read") > 0
                self.assertTrue(status in (None, 500, 503) or not hit, status)
        self.assert_serves()

    def test_a_socket_that_has_no_buffers_ends_and_no_other(self):
        for call in ("recv", "send"):
            for error in (errno.ENOBUFS, errno.ENOMEM):
                with self.subTest(call, error=errno.errorcode[error]), connect(self.server.port) as other:
                    other.sendall(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                    self.assertEqual(read_answer(other)[0], 200)
                    with self.faults.on(call, error), connect(self.server.port) as sock:
                        sock.sendall(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
                        with self.assertRaises(ConnectionError):
                            read_answer(sock)
                        self.assertGreater(self.faults.hits(call), 0)
                    other.sendall(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                    self.assertEqual(read_answer(other)[0], 200)
        self.assert_serves()

    def test_an_epoll_without_memory_ends_the_worker_and_the_master_replaces_it(self):
        with self.faults.on("epoll_add", errno.ENOMEM, times=1), connect(self.server.port) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\n")  # waits for more: that is what takes epoll_ctl(2)
            wait_until(lambda: self.faults.hits("epoll_add") > 0, "epoll_ctl to fail")
            wait_until(lambda: len(self.server.worker_pids()) == 2 and self.server.worker_pids() != self.workers,
                       "a new worker")
        self.assertIn("SIGABRT", self.server.stderr())
        wait_until(lambda: all(w["state"] == "ready" for w in self.server.status()["workers"]), "both to be ready")
        self.assert_serves(same_workers=False)


@unittest.skipIf(has_sanitizers(), "they have an allocator of their own")
class Memory(unittest.TestCase):
    def test_a_worker_without_memory_ends_with_its_reason_and_the_service_goes_on(self):
        text = ('listen = "127.0.0.1:0"\nworkers = 2\n[limits]\nbody = "512MiB"\n'
                '[[routes]]\npath = "/echo"\nhandler = "echo"\n[[routes]]\npath = "/"\ntext = "up"\n')
        with Server.in_folder({"pronghorn.toml": text}, config="pronghorn.toml") as server:
            workers = server.worker_pids()
            for pid in workers:
                size = next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                            if line.startswith("VmSize"))
                limit = size * 1024 + (64 << 20)
                resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
            length = 300 << 20
            with connect(server.port) as sock:
                sock.sendall(f"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n".encode())
                with self.assertRaises(ConnectionError):
                    for _ in range(length >> 20):
                        sock.sendall(b"x" * (1 << 20))
                    read_answer(sock)
            wait_until(lambda: len(server.worker_pids()) == 2 and server.worker_pids() != workers, "a new worker")
            self.assertIn("bad_alloc", server.stderr())
            self.assertEqual(get(server.port)[::2], (200, b"up"))


if __name__ == "__main__":
    main()
