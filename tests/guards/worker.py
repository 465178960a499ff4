# SPDX-License-Identifier: Apache-2.0
"""One worker of the built program with a route, a file and, if wanted, an access log; and what it is asked."""
import os
import socket
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev"))
sys.path[:0] = [str(TOP / "tests/e2e"), str(TOP)]

from bench.suite import rows  # noqa: E402
from bench.suite.server import read_answers  # noqa: E402
from support import Server, wait_until  # noqa: E402

CONNECTIONS = 8
CONFIG = """\
root = "site"
workers = 1
listen = ["127.0.0.1:0"]
access_log = "{log}"
access_log_flush = "{flush}"
hang_timeout = "600s"

[limits]
requests_per_connection = 0

[files]
cache_valid = "{valid}"

[[routes]]
path = "/"
text = "Hello, World!"
"""


def start(log="off", flush="0ms", valid="1s", environment=None):
    """To be used in a `with`."""
    files = {"pronghorn.toml": CONFIG.format(log=log, flush=flush, valid=valid), "site/1k.txt": "x" * 1024}
    server = Server.in_folder(files, config="pronghorn.toml", environment=environment)
    wait_until_kept(server.path / "site/1k.txt")
    return server


def wait_until_kept(file):
    """One that changed within the last second is not kept yet, and looked at for each request."""
    os.utime(file, (0, 0))
    changed = os.stat(file).st_ctime
    wait_until(lambda: time.time() > changed + 1.1, f"{file.name} to be older than a second")


def skip(why, code=77):
    print("skipped:", why)
    sys.exit(code)


def lack(package):
    """In CI that is a failure: nobody would see that nothing is guarded any more."""
    skip(f"not installed: apt install {package}", 1 if "CI" in os.environ else 77)


class Requests:
    """So many at once, one batch after the other, over several connections in turn."""

    def __init__(self, port, path="/", headers=(), depth=1, is_new=False):
        self.row = rows.Row("guard", "", "hello", headers=headers)
        self.port, self.path, self.depth, self.is_new, self.number = port, path, depth, is_new, 0
        self.sockets = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(CONNECTIONS)]

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for s in self.sockets:
            s.close()

    def one(self):
        self.number += 1
        return self.row.request(f"{self.path}?{self.number:06}" if self.is_new else self.path, self.port)

    def send(self, count):
        """@returns how many these were"""
        sent = 0
        while sent < count:
            for s in self.sockets:
                s.sendall(b"".join(self.one() for _ in range(self.depth)))
                for head, _ in read_answers(s, self.depth, "pronghorn"):
                    assert head.startswith(b"HTTP/1.1 200 "), head  # the bounds are of no other answer
                sent += self.depth
        return sent
