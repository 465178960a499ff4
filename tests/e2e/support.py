# SPDX-License-Identifier: Apache-2.0
"""What every end-to-end test needs: start the program, talk to it in bytes, wait with a deadline, leave nothing behind.

PRONGHORN_BINARY and PRONGHORN_HAMMER name the programs under test (CTest sets them).
"""
import atexit
import contextlib
import functools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PRONGHORN_BINARY", str(TOP / "build/dev/pronghorn"))
HAMMER = os.environ.get("PRONGHORN_HAMMER", str(TOP / "build/dev/tests/hammer"))
READY = re.compile(r"ready( http(?:\+unix)?:\S+)+ workers=(\d+) pid=(\d+)\n")
PATIENCE = 20.0  # seconds until a wait is a failure: long, as sanitizers and busy machines are slow


def wait_until(condition, what, seconds=PATIENCE):
    """The first true value of condition(); fails after `seconds`, naming what it waited for."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for: {what}")
        time.sleep(0.005)
    return value


def process_stat(pid):
    """State, parent, session and CPU seconds of a process; None when it is gone (proc(5), stat)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rsplit(")", 1)[1].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return {"state": fields[0], "parent": int(fields[1]), "session": int(fields[3]),
            "cpu_with_children": sum(map(int, fields[11:15])) / ticks}  # of those already waited for


def processes():
    """{pid: stat} of every living process."""
    found = {int(name): process_stat(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    return {pid: stat for pid, stat in found.items() if stat and stat["state"] not in "ZX"}


@functools.cache
def binary_for_anybody():
    """A copy that other users can start: the checkout may lie below a home directory."""
    folder = tempfile.mkdtemp(prefix="pronghorn-binary-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    return shutil.copy(BINARY, folder)


class Server:
    """`pronghorn serve` in a session of its own, on a free port, until the `with` block ends."""

    def __init__(self, *arguments, workers=2, listen=("127.0.0.1:0",), root=None, config=None, environment=None,
                 binary=None, program=None, stderr=None, user=None):
        self.folder = tempfile.TemporaryDirectory(prefix="pronghorn-e2e-")
        self.path = Path(self.folder.name)
        self.path.chmod(0o755)
        if user is not None:
            os.chown(self.path, user, -1)  # for its control socket
        self.stderr_path = self.path / "stderr"
        if root is None and config is None and program is None:
            root = self.path / "root"
            root.mkdir()
            (root / "index.html").write_text("<p>index</p>\n")
        self.root = root
        binary = binary or (BINARY if user is None else binary_for_anybody())
        self.command = [str(binary), "serve"] if program is None else [str(program)]
        self.command += [str(root)] if root is not None else []
        self.command += ["--config", str(config)] if config is not None else []
        self.command += [part for address in listen for part in ("--listen", address)]
        self.command += ["--workers", str(workers)] if workers is not None else []
        self.command += [str(a) for a in arguments]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("PRONGHORN_", "NODE_", "NOTIFY_"))}
        self.environment["PRONGHORN_CONTROL"] = str(self.path / "control")
        self.environment |= environment or {}
        self.stderr_target, self.user, self.pass_fds = stderr, user, ()
        self.process = None

    @classmethod
    def in_folder(cls, files, own_binary=False, **options):
        """A server whose folder (its working directory) has these {path: text} first; `own_binary` copies the program
        there, so that it can be replaced."""
        server = cls(**{"workers": None if "config" in options else 2, "listen": () if "config" in options else
                        ("127.0.0.1:0",)} | options)
        for name, text in files.items():
            (server.path / name).parent.mkdir(parents=True, exist_ok=True)
            (server.path / name).write_text(text)
        if own_binary:
            server.command[0] = shutil.copy(BINARY, server.path / "pronghorn")
        return server

    def start(self, wait_ready=True):
        with open(self.stderr_path, "wb") as own:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=self.environment, user=self.user,
                stderr=own if self.stderr_target is None else self.stderr_target, start_new_session=True, cwd=self.path,
                pass_fds=self.pass_fds)
        if wait_ready:
            self.read_ready()
        return self

    def read_line(self):
        """The next line of standard output."""
        line, deadline = b"", time.monotonic() + PATIENCE
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            readable = select.select([self.process.stdout], [], [], max(left, 0))[0]
            byte = os.read(self.process.stdout.fileno(), 1) if readable else b""
            if not byte:
                raise AssertionError(f"no line but {line!r}; exit {self.process.poll()}; stderr:\n{self.stderr()}")
            line += byte
        return line.decode()

    def read_ready(self):
        """Reads the ready line, which sets urls, port and workers."""
        self.ready_line = self.read_line()
        match = READY.fullmatch(self.ready_line)
        if not match:
            raise AssertionError(f"not a ready line: {self.ready_line!r}")
        self.urls = self.ready_line.split()[1:-2]
        self.workers, self.pid = int(match[2]), int(match[3])
        ports = [int(url.rsplit(":", 1)[1]) for url in self.urls if url.startswith("http://")]
        self.port = ports[0] if ports else None

    def __enter__(self):
        try:
            return self.start() if self.process is None else self
        except BaseException:
            self.close()
            raise

    def __exit__(self, *failure):
        self.close()

    def close(self):
        """Whatever is left of the session is killed: only processes that this test started."""
        if self.process is not None:
            for pid in self.alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
            self.process.stdout.close()
        self.folder.cleanup()

    def alive(self):
        """Master and workers that live: everything of the session."""
        return sorted(pid for pid, stat in processes().items() if stat["session"] == self.process.pid)

    def worker_pids(self):
        return [pid for pid in self.alive() if pid != self.process.pid]

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def signal(self, number, group=False):
        (os.killpg if group else os.kill)(self.process.pid, number)

    def wait(self, seconds=PATIENCE):
        """The master's exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there after {seconds} s: {self.alive()}; stderr:\n{self.stderr()}") from None

    def rest_of_stdout(self):
        return self.process.stdout.read().decode()

    def status_command(self, *arguments):
        return subprocess.run([BINARY, "status", "--control", self.path / "control", *arguments], env=self.environment, cwd=self.path, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)

    def status(self):
        done = self.status_command("--json")
        if not done.stdout:
            raise AssertionError(f"status --json: exit {done.returncode}, {done.stderr}")
        status = json.loads(done.stdout)
        status["requests"] = sum(worker["requests"] for worker in status["workers"])
        return status


def descriptors(pid):
    """What each descriptor of a process leads to, but for those that it closes meanwhile."""
    links = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            links[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return links


def watches_a_listener(pid, port):
    """Whether a process polls a socket that listens on this port: what its epoll descriptors hold (proc(5), fdinfo)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    links = descriptors(pid)
    listeners = {int(fd) for fd, link in links.items() if link in inodes}
    assert listeners, f"process {pid} has no listener on port {port}"
    polled = set()
    for fd in (fd for fd, link in links.items() if link == "anon_inode:[eventpoll]"):
        polled |= {int(n) for n in re.findall(r"^tfd:\s*(\d+)", Path(f"/proc/{pid}/fdinfo/{fd}").read_text(), re.M)}
    return bool(listeners & polled)


def run(*arguments, environment=None, cwd=None, user=None, binary=None):
    """Runs the program until it ends; for commands and for starts that must fail."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PRONGHORN_", "NODE_", "NOTIFY_"))}
    binary = binary or (BINARY if user is None else binary_for_anybody())
    return subprocess.run([str(binary), *map(str, arguments)], env=env | (environment or {}), cwd=cwd, user=user,
                          text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)


def connect(address, seconds=PATIENCE):
    """A connected socket; `address` is a port on 127.0.0.1 or the path of a unix socket."""
    sock = socket.socket(socket.AF_INET if isinstance(address, int) else socket.AF_UNIX)
    sock.settimeout(seconds)
    sock.connect(("127.0.0.1", address) if isinstance(address, int) else str(address))
    return sock


def read_answer(sock, buffered=b""):
    """(status, {lower-case name: value}, body, rest) of one answer with a Content-Length."""
    while b"\r\n\r\n" not in buffered:
        more = sock.recv(65536)
        if not more:
            raise ConnectionError(f"closed within a head: {buffered!r}")
        buffered += more
    head, _, rest = buffered.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = int(fields.get("content-length", 0))
    while len(rest) < length:
        more = sock.recv(65536)
        if not more:
            raise ConnectionError(f"closed within a body: {len(rest)} of {length} bytes")
        rest += more
    return int(lines[0].split()[1]), fields, rest[:length], rest[length:]


def get(address, path="/"):
    """(status, fields, body) of a GET on a connection of its own."""
    with connect(address) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        return read_answer(sock)[:3]


def hammer(port, mode, seconds, **options):
    """Starts the counting client; take its report with report()."""
    command = [HAMMER, "--mode", mode, "--seconds", str(seconds)]
    command += [part for name, value in options.items() for part in ("--" + name.replace("_", "-"), str(value))]
    return subprocess.Popen([*command, f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def report(client, seconds=60):
    """The report of a hammer that ends by itself."""
    output, _ = client.communicate(timeout=seconds)
    return json.loads(output.splitlines()[-1])


def is_free(port):
    """Can somebody listen on this port now?"""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
            sock.listen()
        except OSError:
            return False
        return True


def has_sanitizers():
    return b"__asan_init" in Path(BINARY).read_bytes()


def main():
    unittest.main(verbosity=2, argv=[sys.argv[0], *sys.argv[1:]])
