# SPDX-License-Identifier: Apache-2.0
"""Limits by the client's address in all workers together, workers that die, and limits of one listener."""
import os
import signal
import socket
import unittest

from support import Server, connect, get, main, read_answer, run, wait_until

REQUEST = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"


def text(scheduling="shared", **limits):
    lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
    return (f'listen = "127.0.0.1:0"\nworkers = 3\nscheduling = "{scheduling}"\n'
            f'[limits]\n{lines}[[routes]]\npath = "/"\ntext = "up"\n')


def from_address(port, source):
    sock = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0))
    return sock


def ask(sock):
    sock.sendall(REQUEST)
    return read_answer(sock)[0]


class ClientLimits(unittest.TestCase):
    def serve(self, config):
        server = Server.in_folder({"pronghorn.toml": config}, config="pronghorn.toml")
        self.addCleanup(server.close)
        return server.start()

    def test_connections_are_counted_in_all_workers_together(self):
        for scheduling in ("shared", "round_robin"):
            with self.subTest(scheduling):
                server = self.serve(text(scheduling, connections_per_client=6))
                held = [connect(server.port) for _ in range(6)]
                self.assertEqual([ask(sock) for sock in held], [200] * 6)
                status, fields, _ = get(server.port)
                self.assertEqual((status, fields["connection"], fields["retry-after"]), (429, "close", "1"))
                with from_address(server.port, "127.0.0.2") as other:
                    self.assertEqual(ask(other), 200)
                self.assertEqual([ask(sock) for sock in held], [200] * 6)
                for sock in held:
                    sock.close()
                wait_until(lambda: get(server.port)[0] == 200, "room for one more")

    def test_a_worker_that_is_killed_gives_back_what_it_had_counted(self):
        server = self.serve(text(connections_per_client=9))
        for _ in range(3):
            held = [connect(server.port) for _ in range(9)]
            self.assertEqual([ask(sock) for sock in held], [200] * 9)
            self.assertEqual(get(server.port)[0], 429)
            before = server.worker_pids()
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: len(set(server.worker_pids()) - set(before)) == 3, "new workers")
            wait_until(lambda: all(w["state"] == "ready" for w in server.status()["workers"]), "all to be ready")
            again = [connect(server.port) for _ in range(9)]
            self.assertEqual([ask(sock) for sock in again], [200] * 9)
            self.assertEqual(get(server.port)[0], 429)
            for sock in held + again:
                sock.close()
            wait_until(lambda: sum(w["connections"] for w in server.status()["workers"]) == 0, "no connection")

    def test_requests_are_counted_in_all_workers_together_and_a_kill_changes_nothing(self):
        server = self.serve(text(requests_per_second=1, requests_burst=30))
        for _ in range(2):
            served = 0
            while get(server.port)[0] == 200:
                served += 1
            self.assertLessEqual(served, 60)
            status, fields, _ = get(server.port)
            self.assertEqual((status, fields["retry-after"]), (429, "1"))
            with from_address(server.port, "127.0.0.3") as other:
                self.assertEqual(ask(other), 200)
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: victim not in server.worker_pids() and len(server.worker_pids()) == 3, "a new worker")

    def test_a_route_has_a_bucket_of_its_own_in_all_workers_and_status_counts_what_was_refused(self):
        server = self.serve(
            'listen = "127.0.0.1:0"\nworkers = 3\n[limits]\nconnections_per_client = 4\n'
            '[[routes]]\npath = "/slow"\ntext = "in"\nlimits.requests_per_second = 1\nlimits.requests_burst = 20\n'
            '[[routes]]\npath = "/"\ntext = "up"\n'
            '[[routes]]\npath = "/echo"\nhandler = "echo"\nlimits.body = "3B"\n')
        served = 0
        while get(server.port, "/slow")[0] == 200:
            served += 1
        self.assertGreaterEqual(served, 20)
        self.assertLessEqual(served, 40)
        self.assertEqual(get(server.port)[0], 200)
        with from_address(server.port, "127.0.0.2") as other:
            other.sendall(REQUEST.replace(b"/ ", b"/slow "))
            self.assertEqual(read_answer(other)[0], 200)
        for size, expected in ((3, 200), (4, 413)):
            with connect(server.port) as sock:
                sock.sendall(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
                self.assertEqual(read_answer(sock)[0], expected)
        wait_until(lambda: sum(w["connections"] for w in server.status()["workers"]) == 0, "no connection")
        held = [connect(server.port) for _ in range(4)]
        self.assertEqual([ask(sock) for sock in held], [200] * 4)
        self.assertEqual(get(server.port)[0], 429)
        workers = server.status()["workers"]
        self.assertEqual(sum(w["requests_refused"] for w in workers), 1)
        self.assertEqual(sum(w["connections_refused"] for w in workers), 1)
        told = run("status", "--control", server.path / "control")
        self.assertIn("\nrefused by 429  1 requests  1 connections\n", told.stdout)
        for sock in held:
            sock.close()

    def test_files_have_limits_by_path_and_site_in_all_workers_together(self):
        server = Server.in_folder({
            "pronghorn.toml":
            'listen = "127.0.0.1:0"\nworkers = 2\nroot = "www"\n'
            '[[rate_limits]]\nmatch = "/downloads/*"\nrequests_per_second = 1\nrequests_burst = 20\n'
            '[[hosts]]\nnames = "free.org"\nroot = "www"\n',
            "www/downloads/a": "A", "www/downloads/b": "B", "www/index.html": "INDEX"}, config="pronghorn.toml")
        self.addCleanup(server.close)
        server.start()
        served = 0
        # One connection a request: both workers take some.
        while get(server.port, "/downloads/" + "ab"[served % 2])[0] == 200:
            served += 1
        self.assertGreaterEqual(served, 20)
        self.assertLess(served, 40)
        status, fields, _ = get(server.port, "/x/../%64ownloads//a")
        self.assertEqual((status, fields["retry-after"]), (429, "1"))
        self.assertEqual(get(server.port)[0], 200)
        self.assertEqual(get(server.port, "/none")[0], 404)
        for source, host, expected in (("127.0.0.2", "t", 200), ("127.0.0.1", "free.org", 200), ("127.0.0.1", "t", 429)):
            with from_address(server.port, source) as other:
                other.sendall(f"GET /downloads/a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                self.assertEqual(read_answer(other)[0], expected, (source, host))
        self.assertGreater(sum(w["requests_refused"] for w in server.status()["workers"]), 1)

    def test_limits_of_one_listener(self):
        server = self.serve(
            'listen = "127.0.0.1:0"\nworkers = 2\n[limits]\nbody = "10B"\n[[listeners]]\naddress = "unix:own.sock"\n'
            'limits.body = "1KiB"\n[[routes]]\npath = "/echo"\nhandler = "echo"\n')
        request = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n" + b"x" * 100
        for address, expected in ((server.port, 413), (server.path / "own.sock", 200)):
            with connect(address) as sock:
                sock.sendall(request)
                self.assertEqual(read_answer(sock)[0], expected)


if __name__ == "__main__":
    main()
