#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pronghorn status`: the verdict, its exit code, counters that never go back, and who may ask."""
import os
import signal
import socket
import stat
import unittest

from support import Server, get, main, run, wait_until


class Status(unittest.TestCase):
    def test_all_is_well(self):
        with Server(workers=2) as server:
            done = server.status_command()
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            first, verdict, *_ = done.stdout.splitlines()
            self.assertIn(f"pid {server.pid}", first)
            self.assertTrue(verdict.startswith("OK"), done.stdout)
            self.assertNotIn("\x1b", done.stdout)
            for pid in server.worker_pids():
                self.assertIn(str(pid), done.stdout)
            self.assertIn(f"http://127.0.0.1:{server.port}", done.stdout)

    def test_json(self):
        with Server(workers=2) as server:
            status = server.status()
            self.assertEqual(status["pid"], server.pid)
            self.assertEqual(sorted(w["pid"] for w in status["workers"]), server.worker_pids())
            self.assertNotIn("PATH", str(status))

    def test_no_server_is_69(self):
        done = run("status", "--control", "/nonexistent/control")
        self.assertEqual((done.returncode, done.stdout), (69, ""))
        self.assertTrue(done.stderr.startswith("pronghorn: error: "), done.stderr)

    def test_a_worker_that_does_not_answer_degrades_it(self):
        with Server(workers=2) as server:
            os.kill(server.worker_pids()[0], signal.SIGSTOP)
            done = wait_until(lambda: (d := server.status_command()).returncode == 1 and d, "exit 1")
            self.assertTrue(done.stdout.splitlines()[1].startswith("DEGRADED: 1 of 2 workers ready"), done.stdout)

    def test_counters_never_go_back(self):
        with Server(workers=2) as server:
            for _ in range(20):
                get(server.port)
            wait_until(lambda: server.status()["requests"] >= 20, "20 requests counted")
            before = server.status()
            for pid in server.worker_pids():
                os.kill(pid, signal.SIGKILL)
                after = wait_until(lambda pid=pid: (s := server.status()) and pid not in [w["pid"] for w in s["workers"]]
                                   and all(w["state"] == "ready" for w in s["workers"]) and s, "a new worker")
                self.assertGreaterEqual(after["requests"], before["requests"])
                before = after
            self.assertEqual(sum(w["exits"] for w in after["workers"]), 2)
            self.assertEqual(after["requests"], 20)

    def test_the_socket_is_ours_alone_and_bounded(self):
        with Server(workers=1) as server:
            path = server.path / "control"
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0)
            # Nonsense, silence and too much are each survived.
            silent = [socket.socket(socket.AF_UNIX) for _ in range(8)]
            for sock in silent:
                sock.connect(str(path))
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(5)
                sock.connect(str(path))
                try:
                    for _ in range(64):
                        sock.sendall(b"x" * 65536)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(4096):
                        pass
                except (BrokenPipeError, ConnectionResetError):
                    pass
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(path))
                sock.sendall(b'{"cmd":\n[[[[\n')
            self.assertEqual(server.status_command().returncode, 0)
            for sock in silent:
                sock.close()

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to run as another user")
    def test_another_user_is_refused(self):
        with Server(workers=1) as server:
            os.chmod(server.path / "control", 0o777)
            done = run("status", "--control", server.path / "control", user=65534)
            self.assertEqual((done.returncode, done.stdout), (69, ""), done.stderr)


if __name__ == "__main__":
    main()
