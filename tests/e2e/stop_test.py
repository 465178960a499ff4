#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stopping: by which signal, to whom, what is answered meanwhile, and that nothing is left."""
import os
import signal
import time
import unittest

from support import Server, connect, get, hammer, has_sanitizers, is_free, main, process_stat, read_answer, report, wait_until

NOBODY = 65534
FAST = 3 if not has_sanitizers() else 10


class Idle(unittest.TestCase):
    def stop(self, number, group):
        with Server(workers=2, listen=("127.0.0.1:0", "unix:web.sock")) as server:
            idle = connect(server.port)
            idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            read_answer(idle)
            begun = time.monotonic()
            server.signal(number, group)
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - begun, FAST)
            self.assertEqual(server.alive(), [])
            self.assertTrue(is_free(server.port))
            self.assertFalse((server.path / "web.sock").exists())
            self.assertFalse((server.path / "control").exists())
            self.assertEqual(server.rest_of_stdout(), "")
            idle.close()

    def test_every_signal_to_the_master_and_to_the_group(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            for group in (False, True):
                with self.subTest(signal=number.name, group=group):
                    self.stop(number, group)

    def test_the_last_line_counts_the_requests(self):
        with Server(workers=2) as server:
            for _ in range(5):
                get(server.port)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertRegex(server.stderr().splitlines()[-1], r"stopped.*\b5\b")


class InFlight(unittest.TestCase):
    def begin_request(self, server):
        """A request whose body is still to come."""
        sock = connect(server.port)
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        wait_until(lambda: sum(w["connections"] for w in server.status()["workers"]) >= 1, "the connection accepted")
        time.sleep(0.1)  # for its head to be read; when not, it is a half-sent request all the same
        return sock

    def server(self, **options):
        toml = 'listen = "127.0.0.1:0"\nworkers = 2\n[[routes]]\npath = "/echo"\nhandler = "echo"\n'
        return Server.in_folder({"a.toml": options.pop("before", "") + toml}, config="a.toml", **options)

    def test_term_waits_for_the_request_in_flight(self):
        for group in (False, True):
            with self.subTest(group=group), self.server() as server:
                sock = self.begin_request(server)
                server.signal(signal.SIGTERM, group)
                wait_until(lambda: is_free(server.port), "the listener closed")
                self.assertIsNone(server.process.poll())
                sock.sendall(b"cde")
                status, fields, _, _ = read_answer(sock)
                self.assertEqual((status, fields.get("connection")), (200, "close"))
                self.assertEqual(server.wait(), 0)
                sock.close()

    def test_term_twice_cuts_it(self):
        with self.server() as server:
            sock = self.begin_request(server)
            server.signal(signal.SIGTERM)
            wait_until(lambda: is_free(server.port), "the listener closed")
            begun = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - begun, FAST)
            self.assertEqual(server.alive(), [])
            sock.close()

    def test_what_is_cut_has_its_line_with_what_was_sent(self):
        for stop in (lambda s: (s.signal(signal.SIGTERM), wait_until(lambda: "stopping" in s.stderr(), "it"), s.signal(signal.SIGTERM)),
                     lambda s: s.signal(signal.SIGINT)):
            log = 'access_log = "access.log"\naccess_log_format = "%m %U %s %X"\naccess_log_flush = "1m"\nroot = "www"\n'
            toml = log + 'listen = "127.0.0.1:0"\nworkers = 2\n[[routes]]\npath = "/echo"\nhandler = "echo"\n'
            with Server.in_folder({"a.toml": toml, "www/big": "b" * 50_000_000}, config="a.toml") as server:
                sock = self.begin_request(server)
                taker = connect(server.port)
                taker.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(len(taker.recv(1)), 1)  # and no more: it is in flight
                stop(server)
                self.assertEqual(server.wait(), 0)
                lines = (server.path / "access.log").read_text().splitlines()
                self.assertEqual(sorted(lines), ["GET /big 200 X", "POST /echo 499 X"])
                self.assertIn("cut=2", server.stderr())
                sock.close()
                taker.close()

    def test_int_does_not_wait_long(self):
        with self.server() as server:
            sock = self.begin_request(server)
            begun = time.monotonic()
            server.signal(signal.SIGINT)
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - begun, FAST)
            sock.close()

    def test_int_twice_dies_by_the_signal(self):
        with self.server() as server:
            sock = self.begin_request(server)
            server.signal(signal.SIGINT)
            wait_until(lambda: "stopping" in server.stderr(), "the first one taken")  # two at once are one
            server.signal(signal.SIGINT)
            self.assertEqual(server.wait(), -signal.SIGINT)
            wait_until(lambda: not server.alive(), "the workers to leave")
            sock.close()

    def test_the_deadline_ends_it(self):
        with self.server(before='drain_timeout = "1s"\n') as server:
            sock = self.begin_request(server)
            begun = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            took = time.monotonic() - begun
            self.assertGreater(took, 0.9)
            self.assertLess(took, 1 + FAST)
            self.assertEqual(server.alive(), [])
            sock.close()

    def test_a_stopped_worker_does_not_hold_up_the_stop(self):
        with self.server(before='drain_timeout = "1s"\n') as server:
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGSTOP)
            server.signal(signal.SIGTERM)
            server.wait()
            self.assertEqual(server.alive(), [])
            self.assertIsNone(process_stat(victim))


class UnderLoad(unittest.TestCase):
    """Every request that was sent whole on an accepted connection is answered, and nothing accepted is reset."""

    def stop_under(self, mode, number, group, **options):
        with Server(workers=4, **options) as server:
            client = hammer(server.port, mode, 30, connections=64, timeout_ms=4000)
            wait_until(lambda: server.status()["requests"] > 500, "load")
            server.signal(number, group)
            self.assertEqual(server.wait(), 0)
            client.terminate()  # it asks no more, and takes the answers under way: nobody is there to be asked
            result = report(client)
            self.assertGreater(result["ok"], 500)
            # What comes after the listener is closed is refused, or its SYN is not answered: it was never accepted.
            gone = result["refused"] + result["connect_timeout"]
            self.assertEqual(result["lost_accepted"], 0, result)
            self.assertEqual(result["failures"] - gone, 0, result)
            self.assertNotIn("may be lost", server.stderr())
            self.assertEqual(server.alive(), [])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become an ordinary user")
    def test_a_connection_each_without_capabilities(self):
        for _ in range(3):
            self.stop_under("close", signal.SIGTERM, group=False, user=NOBODY)

    def test_keep_alive(self):
        self.stop_under("busy", signal.SIGTERM, False)

    def test_one_request_per_connection(self):
        self.stop_under("close", signal.SIGTERM, False)

    def test_keep_alive_term_to_the_group(self):
        self.stop_under("busy", signal.SIGTERM, True)

    def test_one_request_per_connection_term_to_the_group(self):
        self.stop_under("close", signal.SIGTERM, True)

    def test_keep_alive_quit(self):
        self.stop_under("busy", signal.SIGQUIT, False)

    def test_keep_alive_with_pauses(self):
        self.stop_under("think", signal.SIGTERM, False)

    def test_ctrl_c_to_the_group(self):
        self.stop_under("busy", signal.SIGINT, True)
        self.stop_under("close", signal.SIGINT, True)


if __name__ == "__main__":
    main()
