#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deaths: of a worker, of the master, and of what a replacement would have needed on disk."""
import os
import signal
import socket
import time
import unittest

from support import Server, connect, get, has_sanitizers, is_free, main, read_answer, wait_until


def kill_one(server):
    """Kills a worker, and waits until another process stands in its place and serves."""
    before = server.worker_pids()
    os.kill(before[0], signal.SIGKILL)
    killed_at = time.monotonic()

    def replaced():
        now = server.worker_pids()
        return len(now) == len(before) and before[0] not in now and now
    wait_until(replaced, "a worker in the place of the killed one")
    took = time.monotonic() - killed_at
    wait_until(lambda: all(w["state"] == "ready" for w in server.status()["workers"]), "every worker ready")
    return took


class Worker(unittest.TestCase):
    def test_a_killed_worker_is_replaced_and_the_service_goes_on(self):
        with Server(workers=2) as server:
            # The promise is 100 ms to the new start; an executable with sanitizers takes longer to be seen. The best
            # of three: what else the machine does can only make it slower.
            wanted, tries = 0.25 if not has_sanitizers() else 2, []
            while not tries or (min(tries) >= wanted and len(tries) < 3):
                tries.append(kill_one(server))
                self.assertEqual(get(server.port)[0], 200)
            print(f"replaced after {min(tries) * 1000:.0f} ms", flush=True)
            self.assertLess(min(tries), wanted)
            self.assertIn("killed", server.stderr())

    def test_connections_of_the_other_worker_do_not_notice(self):
        with Server(workers=2) as server:
            socks = [connect(server.port) for _ in range(8)]
            for sock in socks:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(read_answer(sock)[0], 200)
            held = {w["pid"]: w["connections"] for w in server.status()["workers"]}
            victim = max(held, key=held.get)
            os.kill(victim, signal.SIGKILL)
            cut = 0
            for sock in socks:
                try:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertEqual(read_answer(sock)[0], 200)
                except ConnectionError:
                    cut += 1
                sock.close()
            self.assertEqual(cut, held[victim])

    def test_a_file_that_was_broken_or_deleted_meanwhile_changes_nothing(self):
        with Server.in_folder({"a.toml": 'listen = "127.0.0.1:0"\nroot = "site"\nworkers = 2\n', "site/index.html": "first"},
                              config="a.toml") as server:
            for text in ("listen = [[[", None):
                file = server.path / "a.toml"
                file.write_text(text) if text else file.unlink()
                kill_one(server)
                for _ in range(8):
                    self.assertEqual(get(server.port)[::2], (200, b"first"))

    def test_a_binary_that_was_replaced_or_deleted_meanwhile_changes_nothing(self):
        with Server.in_folder({"site/index.html": "first"}, root="site", own_binary=True) as server:
            binary = server.path / "pronghorn"
            other = server.path / "other"
            other.write_text("#!/bin/sh\nexit 1\n")
            other.chmod(0o755)
            other.rename(binary)
            kill_one(server)
            self.assertEqual(get(server.port)[0], 200)
            binary.unlink()
            kill_one(server)
            self.assertEqual(get(server.port)[0], 200)

    def test_a_stopped_worker_makes_nobody_hang_and_is_replaced(self):
        with Server.in_folder({"a.toml": 'listen = "127.0.0.1:0"\nroot = "site"\nworkers = 4\nhang_timeout = "3s"\n',
                               "site/index.html": "x"}, config="a.toml") as server:
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGSTOP)
            time.sleep(0.2)  # the age of a heartbeat that is late
            slowest = 0.0
            for _ in range(200):
                begun = time.monotonic()
                self.assertEqual(get(server.port)[0], 200)
                slowest = max(slowest, time.monotonic() - begun)
            print(f"slowest of 200 with a stopped worker: {slowest * 1000:.0f} ms", flush=True)
            self.assertLess(slowest, 2.5)  # whoever waited for the stopped one would wait for 3 s
            wait_until(lambda: victim not in server.worker_pids() and len(server.worker_pids()) == 4,
                       "the stopped worker replaced")
            wait_until(lambda: all(w["state"] == "ready" for w in server.status()["workers"]), "every worker ready")


class Master(unittest.TestCase):
    def test_when_it_is_killed_idle_workers_leave_at_once_and_the_port_is_free(self):
        # The best of three: what else the machine does can only make it slower.
        wanted, tries = 1 if not has_sanitizers() else 3, []
        while not tries or (min(tries) >= wanted and len(tries) < 3):
            tries.append(self.time_to_leave())
        print(f"gone after {min(tries) * 1000:.0f} ms", flush=True)
        self.assertLess(min(tries), wanted)

    def time_to_leave(self):
        with Server(workers=4) as server:
            idle = connect(server.port)
            idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            read_answer(idle)
            server.signal(signal.SIGKILL)
            server.wait()
            begun = time.monotonic()
            wait_until(lambda: not server.alive(), "the workers to leave")
            took = time.monotonic() - begun
            self.assertTrue(is_free(server.port))
            idle.close()
            return took

    def test_when_it_is_killed_an_answer_in_flight_is_finished(self):
        with Server(workers=2) as server:
            size = 64 << 20
            with open(server.root / "big", "wb") as big:
                big.truncate(size)
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(20)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            got = len(sock.recv(4096))
            server.signal(signal.SIGKILL)
            server.wait()
            wait_until(lambda: len(server.alive()) == 1, "the idle worker to leave")
            while more := sock.recv(1 << 20):
                got += len(more)
            self.assertGreater(got, size)
            wait_until(lambda: not server.alive(), "the busy worker to leave")
            sock.close()

    def test_when_it_is_killed_the_drain_deadline_ends_the_rest(self):
        with Server.in_folder({"a.toml": 'listen = "127.0.0.1:0"\nroot = "site"\nworkers = 2\ndrain_timeout = "1s"\n',
                               "site/index.html": "x"}, config="a.toml") as server:
            sock = connect(server.port)
            sock.sendall(b"GET / HTTP/1.1\r\nHost:")  # never finished
            wait_until(lambda: sum(w["connections"] for w in server.status()["workers"]) == 1, "the connection accepted")
            server.signal(signal.SIGKILL)
            server.wait()
            begun = time.monotonic()
            wait_until(lambda: not server.alive(), "the workers to leave", seconds=8)
            self.assertLess(time.monotonic() - begun, 3 if not has_sanitizers() else 6)
            sock.close()


if __name__ == "__main__":
    main()
