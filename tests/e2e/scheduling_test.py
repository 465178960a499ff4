#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`serve --scheduling`: in each of them it answers, spreads, outlives kill -9 under load and stops without loss."""
import os
import signal
import time
import unittest

from support import Server, connect, get, hammer, main, read_answer, report, wait_until

ALL = ("shared", "reuseport", "round_robin", "least_connections")
HANDING = ("round_robin", "least_connections")
OTHERS = ALL[1:]  # what death_test, load_test and stop_test do not try
LOST = ("reset_fresh", "eof_fresh", "reset_partial", "eof_partial", "stale", "timeout", "not_200", "malformed",
        "write_error", "never_accepted")


def accepted(server):
    return [worker["accepted"] for worker in server.status()["workers"]]


class Each(unittest.TestCase):
    def test_it_answers_on_tcp_and_on_a_unix_socket(self):
        for scheduling in ALL:
            with self.subTest(scheduling), Server("--scheduling", scheduling,
                                                  listen=("127.0.0.1:0", "unix:web.sock")) as server:
                for _ in range(6):
                    self.assertEqual(get(server.port)[0], 200)
                    self.assertEqual(get(server.path / "web.sock")[0], 200)
                self.assertEqual(sum(accepted(server)), 12)

    def test_kill_9_under_load_loses_what_was_in_flight_and_no_more(self):
        for scheduling in OTHERS:
            with self.subTest(scheduling), Server("--scheduling", scheduling, workers=2) as server:
                client = hammer(server.port, "close", 1, connections=32)
                wait_until(lambda: server.status()["requests"] > 100, "the load to begin")
                victim = server.status()["workers"][0]["pid"]
                os.kill(victim, signal.SIGKILL)
                wait_until(lambda: server.status()["workers"][0]["pid"] not in (0, victim)
                           and server.status()["verdict"] == "OK", "its successor")
                result = report(client)
                self.assertGreater(result["ok"], 100)
                self.assertEqual(result["refused"], 0)
                self.assertEqual(result["timeout"], 0, "nobody waits for the dead")
                # Each of the 32 clients has one request at a time.
                self.assertLessEqual(result["failures"], 32, result)

    def test_a_stop_under_load_loses_nothing(self):
        for scheduling in OTHERS:
            for mode in ("close", "busy") if scheduling == "round_robin" else ("close",):
                with self.subTest(scheduling, mode=mode), Server("--scheduling", scheduling, workers=2) as server:
                    client = hammer(server.port, mode, 0.8, connections=32)
                    wait_until(lambda: server.status()["requests"] > 100, "the load to begin")
                    server.signal(signal.SIGTERM)
                    self.assertEqual(server.wait(), 0)
                    result = report(client)
                    self.assertGreater(result["ok"], 100)
                    # Refused is what comes after the stop, and nothing else may fail.
                    self.assertEqual({key: result[key] for key in LOST if result[key]}, {}, result)
                    self.assertEqual(result["failures"], result["refused"], result)


class Handing(unittest.TestCase):
    def test_round_robin_is_even_to_one(self):
        with Server("--scheduling", "round_robin", workers=3) as server:
            for _ in range(30):
                self.assertEqual(get(server.port)[0], 200)
            self.assertLessEqual(max(accepted(server)) - min(accepted(server)), 1)

    def test_least_connections_is_even_for_connections_that_stay(self):
        with Server("--scheduling", "least_connections", workers=2) as server:
            kept = []
            for _ in range(20):
                kept.append(connect(server.port))
                kept[-1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                read_answer(kept[-1])
            open_now = [worker["connections"] for worker in server.status()["workers"]]
            self.assertLessEqual(max(open_now) - min(open_now), 1, open_now)
            for sock in kept:
                sock.close()

    def test_sticky_keeps_a_client_with_its_worker_until_that_dies(self):
        for scheduling in HANDING:
            with self.subTest(scheduling), Server("--scheduling", scheduling, "--sticky", workers=2) as server:
                for _ in range(10):
                    get(server.port)
                counts = accepted(server)
                self.assertEqual(sorted(counts), [0, 10])
                slot = counts.index(10)
                os.kill(server.status()["workers"][slot]["pid"], signal.SIGKILL)
                wait_until(lambda: server.status()["workers"][slot]["exits"] == 1, "its death")
                for _ in range(4):
                    self.assertEqual(get(server.port)[0], 200)

    def test_a_stopped_worker_gets_nothing_new_once_it_is_suspect(self):
        for scheduling in HANDING:
            with self.subTest(scheduling), Server("--scheduling", scheduling, workers=2) as server:
                victim = server.status()["workers"][0]["pid"]
                os.kill(victim, signal.SIGSTOP)
                wait_until(lambda: server.status()["workers"][0]["state"] == "suspect", "it suspected")
                for _ in range(6):
                    self.assertEqual(get(server.port)[0], 200)
                os.kill(victim, signal.SIGCONT)
                wait_until(lambda: server.status()["workers"][0]["state"] == "ready", "it back")


class Reuseport(unittest.TestCase):
    def ask_many(self, port):
        """About half of these land in the queue of one of two workers' sockets."""
        waiting = [connect(port) for _ in range(16)]
        for sock in waiting:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return waiting

    def read_all(self, waiting):
        for sock in waiting:
            self.assertEqual(read_answer(sock)[0], 200)
            sock.close()

    def test_a_stopped_worker_strands_nobody(self):
        with Server("--scheduling", "reuseport", workers=2) as server:
            victim = server.status()["workers"][0]["pid"]
            os.kill(victim, signal.SIGSTOP)
            waiting = self.ask_many(server.port)
            begun = time.monotonic()
            self.read_all(waiting)
            self.assertLess(time.monotonic() - begun, 9, "before it is ended as hung")
            os.kill(victim, signal.SIGCONT)

    def test_a_killed_worker_s_queue_is_served(self):
        with Server("--scheduling", "reuseport", workers=2) as server:
            victim = server.status()["workers"][0]["pid"]
            os.kill(victim, signal.SIGSTOP)
            waiting = self.ask_many(server.port)
            os.kill(victim, signal.SIGKILL)
            self.read_all(waiting)


if __name__ == "__main__":
    main()
