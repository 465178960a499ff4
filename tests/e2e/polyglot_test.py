#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/polyglot: our own workers and Node's under one master, on two addresses and on one."""
import collections
import os
import signal
import socket
import unittest

from support import TOP, Server, get, hammer, main, report, wait_until

EXAMPLE = TOP / "examples/polyglot"


class Polyglot(Server):
    def __init__(self, config):
        with socket.socket() as free:  # 0 would be the address of `listen`, which is 0 as well
            free.bind(("127.0.0.1", 0))
            api_port = free.getsockname()[1]
        super().__init__(config=EXAMPLE / config, workers=None, listen=(),
                         environment={"PORT": "0", "API_PORT": str(api_port)})

    def start(self, wait_ready=True):
        # The files of the configuration are relative to the example.
        for name in ("site", "api.js"):
            (self.path / name).symlink_to(EXAMPLE / name)
        return super().start(wait_ready)

    def read_ready(self):
        line = self.ready_line = self.read_line()
        addresses = line.split()[1:-2]
        self.port = int(addresses[0].rsplit(":", 1)[1])
        self.api_port = int(addresses[-1].rsplit(":", 1)[1])

    def look(self):
        self.known = self.status()["workers"]
        return self.known


class TwoAddresses(unittest.TestCase):
    def test_files_and_routes_by_ours_and_the_api_by_node(self):
        with Polyglot("two-addresses.toml") as server:
            self.assertEqual([worker["program"] for worker in server.look()], ["", "", "api", "api"])
            self.assertIn(b"from a C++ worker", get(server.port)[2])
            self.assertEqual(get(server.port, "/health")[2], b"ok\n")
            self.assertEqual(get(server.api_port, "/hello")[0], 200)
            self.assertNotEqual(server.port, server.api_port)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertEqual(server.alive(), [])


class OneAddress(unittest.TestCase):
    def test_both_kinds_in_turn_and_each_outlives_the_other(self):
        with Polyglot("one-address.toml") as server:
            server.look()
            self.assertEqual(server.port, server.api_port)
            seen = collections.Counter(get(server.port, "/hello")[2] for _ in range(8))
            self.assertEqual(seen, {b"hello from C++\n": 4, b"hello from Node\n": 4})
            for index in (0, 2):
                os.kill(server.known[index]["pid"], signal.SIGKILL)
            wait_until(lambda: server.look() and server.status()["verdict"] == "OK"
                       and server.known[0]["exits"] == server.known[2]["exits"] == 1, "the successors")
            self.assertEqual(len({get(server.port, "/hello")[2] for _ in range(8)}), 2)

    def test_a_stop_under_load_loses_nothing(self):
        with Polyglot("one-address.toml") as server:
            server.look()
            client = hammer(server.port, "close", 1, connections=16, path="/hello")
            wait_until(lambda: server.status()["requests"] > 50, "the load to begin")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            result = report(client)
            self.assertGreater(result["ok"], 50)
            self.assertEqual(result["failures"], result["refused"], result)


if __name__ == "__main__":
    main()
