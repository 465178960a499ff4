#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each version of Node: its unmodified servers as our workers, and our workers under its own primary, in both schedulings.
What differs between versions is a table in docs/reference/cluster.md."""
import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import node_packages
from node_primary_test import Primary, whose
from run_test import Program
from support import PATIENCE, connect, get, main, read_answer, wait_until

SCHEDULINGS = ("round_robin", "shared")
SERVERS = (node_packages.APPS / "servers.js").read_text()


def setUpModule():
    node_packages.need()
    global CERTIFICATE
    CERTIFICATE = Path(tempfile.mkdtemp(prefix="pronghorn-tls-"))
    unittest.addModuleCleanup(shutil.rmtree, CERTIFICATE)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-keyout", CERTIFICATE / "key.pem", "-out",
                    CERTIFICATE / "cert.pem"], check=True, capture_output=True)


def every(test):
    """Runs a test for each version and scheduling."""
    def each(self):
        for version in node_packages.VERSIONS:
            for scheduling in SCHEDULINGS:
                with self.subTest(node=version, scheduling=scheduling):
                    test(self, version, scheduling)
    each.__doc__ = test.__doc__
    return each


def servers(version, scheduling):
    server = Program(SERVERS, options=("--workers", 2, "--scheduling", scheduling, "--node", node_packages.node(version)))
    for name in ("key.pem", "cert.pem"):
        shutil.copy(CERTIFICATE / name, server.path)
    server.environment["FOLDER"] = str(server.path)
    return server


def ports(server, workers=2):
    """{kind: port}: the same in each worker."""
    def all_told():
        told = [json.loads(file.read_text()) for file in server.path.glob("ports-*") if "." not in file.name]
        return told if len(told) >= workers else None
    told = wait_until(all_told, f"{workers} workers to listen on all of their servers")
    assert all(each == told[0] for each in told), told
    return told[0]


def pid_of(answer):
    """Of "… PID vVERSION"."""
    return int(answer.decode().split()[-2])


def ask_tls(context, port, session=None):
    """(pid that answered, session, whether the given one was resumed); a connection of its own."""
    with context.wrap_socket(connect(port), session=session) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        _, _, body, _ = read_answer(sock)
        return pid_of(body), sock.session, sock.session_reused


def ask_net(port):
    with connect(port) as sock:
        received = b""
        while more := sock.recv(4096):
            received += more
    assert received.startswith(b"net "), received
    return pid_of(received)


def ask_udp(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.sendto(b"ping", ("127.0.0.1", port))
        received = sock.recv(4096)
    assert received.startswith(b"ping "), received
    return pid_of(received)


class UnderOurPrimary(unittest.TestCase):
    @every
    def test_http_https_net_and_dgram(self, version, scheduling):
        with servers(version, scheduling) as server:
            at = ports(server)
            mine = set(server.pids())
            self.assertEqual(len(mine), 2)
            status, _, body = get(at["http"])
            self.assertEqual((status, body.split()[-1].decode().split(".")[0]), (200, f"v{version}"))
            for ask in (lambda: pid_of(get(at["http"])[2]), lambda: ask_net(at["net"])):
                seen = collections.Counter(ask() for _ in range(8))
                self.assertLessEqual(set(seen), mine)
                if scheduling == "round_robin":
                    self.assertEqual(sorted(seen.values()), [4, 4])
            self.assertIn(ask_udp(at["udp"]), mine)
            self.sessions_are_resumed_by_every_worker(at["https"], mine, scheduling)

    def sessions_are_resumed_by_every_worker(self, port, mine, scheduling):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # there the ticket is in the handshake
        first, session, _ = ask_tls(context, port)
        again = [ask_tls(context, port, session) for _ in range(4)]
        self.assertTrue(all(resumed for _, _, resumed in again), again)
        self.assertLessEqual({pid for pid, _, _ in again}, mine)
        if scheduling == "round_robin":
            self.assertEqual({pid for pid, _, _ in again}, mine)

    @every
    def test_a_killed_worker_is_replaced_and_sigterm_answers_what_is_in_flight(self, version, scheduling):
        with servers(version, scheduling) as server:
            at = ports(server)
            victim = server.pids()[0]
            os.kill(victim, signal.SIGKILL)
            for _ in range(4):
                self.assertNotEqual(pid_of(get(at["http"])[2]), victim)
            wait_until(lambda: victim not in server.pids() and server.status()["verdict"] == "OK", "its successor")
            self.assertEqual(ports(server, 3), at)
            with connect(at["http"]) as slow:
                slow.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
                # A later one is answered: the slow one was read, too, if in the same worker; two for the other.
                self.assertEqual([get(at["http"])[0] for _ in range(2)], [200, 200])
                server.signal(signal.SIGTERM)
                self.assertEqual(read_answer(slow)[2][:5], b"slow ")
            self.assertEqual(server.wait(), 0)
            wait_until(lambda: server.alive() == [], "everything to be gone")


class ReusePort(unittest.TestCase):
    """Of node:net, since 22.12; before, the option is ignored."""
    SCRIPT = """
      require('http').createServer((request, response) => response.end(`worker ${process.pid} ${process.version}`))
        .listen({port: Number(process.argv[2]), host: '127.0.0.1', reusePort: true}, () => process.send('ready'));
    """

    def test_such_a_server_asks_no_primary_and_is_ended_at_the_deadline(self):
        for version in node_packages.VERSIONS:
            with self.subTest(node=version), contextlib.closing(socket.socket()) as chosen:
                chosen.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                chosen.bind(("127.0.0.1", 0))  # kept, and nobody else's
                port = chosen.getsockname()[1]
                own = int(version) >= 22
                if not own:
                    chosen.close()
                with Program(self.SCRIPT, port, options=("--workers", 2, "--node", node_packages.node(version)),
                             environment={"PRONGHORN_DRAIN_TIMEOUT": "500ms"}) as server:
                    self.assertEqual(server.urls, [] if own else [f"127.0.0.1:{port}"])
                    self.assertIn(pid_of(get(port)[2]), server.pids())
                    server.signal(signal.SIGTERM)
                    self.assertEqual(server.wait(), 0)
                    wait_until(lambda: server.alive() == [], "everything to be gone")


class UnderNodesPrimary(unittest.TestCase):
    @every
    def test_our_workers_beside_its_own(self, version, scheduling):
        policy = {"round_robin": "SCHED_RR", "shared": "SCHED_NONE"}[scheduling]
        with Primary(policy, node=node_packages.node(version)) as primary:
            port = primary.listen("ours", "theirs")
            seen = collections.Counter(whose(port) for _ in range(8))
            self.assertLessEqual(set(seen), {"ours", "node"})
            if scheduling == "round_robin":
                self.assertEqual(seen, {"ours": 4, "node": 4})
            with connect(port) as kept:
                kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(read_answer(kept)[0], 200)
                primary.do("cluster.disconnect(() => say('all disconnected'))")
                ends = primary.wait_for("exit", 2)
            self.assertEqual([(e["code"], e["signal"]) for e in ends], [(0, None)] * 2)
            self.assertTrue(all(e["voluntary"] for e in primary.wait_for("disconnect", 2)))
            self.assertEqual(primary.stderr(), "")


if __name__ == "__main__":
    main()
