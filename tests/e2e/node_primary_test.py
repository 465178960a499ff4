#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pronghorn serve` as a worker of a real Node primary, beside workers of Node's own, in both of Node's schedulings."""
import contextlib
import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support import BINARY, PATIENCE, connect, get, processes, read_answer, wait_until

# Node has no setting for what runs a worker: process.execPath is changed around fork(). What it does comes on stdin.
PRIMARY = r"""
const cluster = require('cluster');
const say = (event, more = {}) => console.log(JSON.stringify({event, ...more}));
cluster.schedulingPolicy = cluster[process.env.POLICY];
const {BINARY, LISTEN, FOLDER} = process.env;
const node = process.execPath;
function ours() {
  process.execPath = BINARY;
  cluster.setupPrimary({exec: 'serve', execArgv: [],
                        args: ['--listen', LISTEN, '--config', `${FOLDER}/config.toml`]});
  cluster.fork();
  process.execPath = node;
}
function theirs() {
  cluster.setupPrimary({exec: `${FOLDER}/worker.js`, execArgv: [], args: []});
  cluster.fork();
}
cluster.on('online', w => say('online', {id: w.id}));
cluster.on('listening', (w, address) => say('listening', {id: w.id, ...address}));
cluster.on('disconnect', w => say('disconnect', {id: w.id, voluntary: w.exitedAfterDisconnect}));
cluster.on('exit', (w, code, signal) => say('exit', {id: w.id, code, signal}));
require('readline').createInterface({input: process.stdin}).on('line', line => eval(line));
say('up');
"""
WORKER = r"""
require('http').createServer((request, response) => response.end('node\n')).listen(+process.env.PORT, '127.0.0.1');
"""
CONFIG = """
[[routes]]
path = "/"
text = "ours\\n"
[[routes]]
path = "/echo"
handler = "echo"
"""


class Primary:
    """A Node primary in a session of its own; ours() and theirs() fork a worker each."""

    def __init__(self, policy, listen="127.0.0.1:0", node="node"):
        self.folder = tempfile.TemporaryDirectory(prefix="pronghorn-node-")
        folder = Path(self.folder.name)
        (folder / "primary.js").write_text(PRIMARY)
        (folder / "worker.js").write_text(WORKER)
        (folder / "config.toml").write_text(CONFIG)
        port = listen.rsplit(":", 1)[1]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PRONGHORN_", "NODE_"))}
        environment |= {"POLICY": policy, "BINARY": BINARY, "LISTEN": listen, "PORT": port, "FOLDER": str(folder)}
        self.errors = open(folder / "stderr", "w+")
        self.process = subprocess.Popen([node, folder / "primary.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, env=environment, cwd=folder, start_new_session=True)
        self.unread, self.events = b"", []

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for pid in self.pids() + [self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self.folder.cleanup()

    def pids(self):
        """The workers: all that this session started."""
        found = processes()
        return sorted(pid for pid, stat in found.items()
                      if stat["session"] == self.process.pid and pid != self.process.pid)

    def do(self, script):
        self.process.stdin.write(script.encode() + b"\n")
        self.process.stdin.flush()

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read()

    def wait_for(self, event, count=1):
        """The first `count` events of this kind, once they have come."""
        deadline = time.monotonic() + PATIENCE
        while len(found := [e for e in self.events if e["event"] == event]) < count:
            readable = select.select([self.process.stdout], [], [], max(deadline - time.monotonic(), 0))[0]
            more = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not more:
                raise AssertionError(f"waited for {count} {event}; came {self.events}; stderr:\n{self.stderr()}")
            *lines, self.unread = (self.unread + more).split(b"\n")
            self.events += [json.loads(line) for line in lines]
        return found[:count]

    def listen(self, *kinds):
        """Forks workers, "ours" and "theirs", one after the other. @returns the port they share"""
        for n, kind in enumerate(kinds, 1):
            self.do(f"{kind}()")
            heard = self.wait_for("listening", n)
        assert len({e["port"] for e in heard}) == 1, heard
        return heard[0]["port"]


def whose(port):
    status, _, body = get(port)
    assert status == 200
    return body.decode().strip()


class Both:
    """What holds in either scheduling."""

    def test_leaving_is_graceful_for_a_request_in_flight(self):
        with Primary(self.POLICY) as primary:
            port = primary.listen("ours", "theirs", "ours")
            kept = []
            while len(kept) < 6:  # a first answer each: they are in the workers' hands
                sock = connect(port)
                sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
                if read_answer(sock)[2] == b"hi":  # Node's worker answers "node"
                    sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n01")
                    kept.append(sock)
                else:
                    sock.close()
            primary.do("cluster.disconnect(() => say('all disconnected'))")
            wait_until(lambda: refused(port), "the port to be closed")
            for sock in kept:
                sock.sendall(b"23")
                status, fields, body, _ = read_answer(sock)
                self.assertEqual((status, body), (200, b"0123"))
                self.assertEqual(fields["connection"], "close")
                sock.close()
            primary.wait_for("all disconnected")
            ends = primary.wait_for("exit", 3)
            self.assertEqual([(e["code"], e["signal"]) for e in ends], [(0, None)] * 3)
            self.assertTrue(all(e["voluntary"] for e in primary.wait_for("disconnect", 3)))
            self.assertEqual(primary.stderr(), "")

    def test_when_the_primary_is_killed_what_is_in_flight_is_answered(self):
        with Primary(self.POLICY) as primary:
            port = primary.listen("ours")
            with connect(port) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(read_answer(sock)[2], b"ours\n")
                sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                workers = primary.pids()
                primary.process.kill()
                primary.process.wait(PATIENCE)
                sock.sendall(b"\r\n")
                self.assertEqual(read_answer(sock)[2], b"ours\n")
            wait_until(lambda: not set(workers) & set(primary.pids()), "the worker to leave")

    def test_a_port_that_is_taken_is_told_and_ends_the_worker(self):
        with contextlib.closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            with Primary(self.POLICY, listen=address) as primary:
                primary.do("ours()")
                self.assertEqual(primary.wait_for("exit")[0]["code"], 78)
                self.assertNotIn("listening", [e["event"] for e in primary.events])
                self.assertIn(f"cannot listen on {address}: address already in use", primary.stderr())

    def test_a_killed_worker_is_replaced_on_the_same_port(self):
        with Primary(self.POLICY) as primary:
            port = primary.listen("theirs", "ours")
            primary.do("cluster.workers[2].process.kill('SIGKILL')")
            self.assertEqual(primary.wait_for("exit")[0]["signal"], "SIGKILL")
            self.assertEqual(whose(port), "node")
            primary.do("ours()")
            self.assertEqual(primary.wait_for("listening", 3)[2]["port"], port)
            primary.do("cluster.workers[1].disconnect()")
            primary.wait_for("exit", 2)
            self.assertEqual(whose(port), "ours")


def refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


@unittest.skipUnless(shutil.which("node"), "no 'node' on PATH")
class RoundRobin(Both, unittest.TestCase):
    POLICY = "SCHED_RR"

    def test_our_workers_and_nodes_take_turns(self):
        with Primary(self.POLICY) as primary:
            port = primary.listen("ours", "theirs", "ours")
            answers = [whose(port) for _ in range(30)]
            self.assertEqual(answers.count("ours"), 20)
            for turn in range(0, 30, 3):
                self.assertEqual(sorted(answers[turn:turn + 3]), ["node", "ours", "ours"])


@unittest.skipUnless(shutil.which("node"), "no 'node' on PATH")
class Shared(Both, unittest.TestCase):
    POLICY = "SCHED_NONE"

    def test_our_workers_and_nodes_accept_from_one_socket(self):
        with Primary(self.POLICY) as primary:
            port = primary.listen("ours", "theirs")
            names = {Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].endswith(b"node"): pid
                     for pid in primary.pids()}
            for stopped, answers in (("node", "ours"), ("ours", "node")):
                pid = names[stopped == "node"]
                os.kill(pid, signal.SIGSTOP)
                wait_until(lambda: processes()[pid]["state"] == "T", f"{stopped} to be stopped")
                self.assertEqual([whose(port) for _ in range(5)], [answers] * 5)
                os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
