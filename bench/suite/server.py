# SPDX-License-Identifier: Apache-2.0
"""A started server: pinned, on loopback, asked for an answer, weighed, and ended by its own pid."""
import os
import re
import resource
import select
import signal
import socket
import subprocess
import time


class BenchError(Exception):
    """What the user should read instead of a trace."""


class UsageError(BenchError):
    """What is asked for cannot be done; nothing was measured."""


def open_files(wanted=65536):
    """Of 10,000 connections, for what is started from now on as well: as many as we may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, hard), max(wanted, hard)))
    except (OSError, ValueError):  # no root
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def most_connections():
    """What every server is told to take: HAProxy and lighttpd want two descriptors for each, and some for themselves."""
    return min(12_000, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100) // 2)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def read_answers(s, count, what):
    """So many answers from a socket, one after the other: [(head, body)]; its end before the last of them is an OSError."""
    data, found = bytearray(), []

    def more(where):
        part = s.recv(1 << 20)
        if not part:
            raise OSError(f"closed within {where}")
        data.extend(part)

    while len(found) < count:
        while (end := data.find(b"\r\n\r\n")) < 0:
            more("the head")
        head = bytes(data[:end])
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not length:
            raise BenchError(f"{what}: no Content-Length")
        del data[:end + 4]
        size = int(length.group(1))
        while len(data) < size:
            more("the body")
        found.append((head, bytes(data[:size])))
        del data[:size]
    if data:
        raise BenchError(f"{what} sends more than it was asked for: {bytes(data[:40])!r}")
    return found


def read_answer(s, what):
    return read_answers(s, 1, what)[0]


def require_good(answers, body, what):
    """Whoever does not answer with status 200 and the row's body does other work than the rest."""
    for head, got in answers:
        if not head.startswith(b"HTTP/1.1 200 ") or got != body:
            raise BenchError(f"{what} answers with {head[:40]!r} and {len(got)} bytes, not 200 and the {len(body)} of the row")


class Server:
    """`pids()` are the processes whose CPU time and memory are its cost."""

    def __init__(self, name, argv, cpus, log_path, environment=None):
        self.name, self.log_path, self.cpus = name, log_path, cpus
        self.port, self.answer_bytes = None, None
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment,
                start_new_session=True,  # lighttpd with workers ends by a signal to its whole group
                preexec_fn=lambda: os.sched_setaffinity(0, cpus))

    def line(self):
        """The first line it prints; it must come before anything can be measured."""
        ready = select.select([self.process.stdout], [], [], 30)[0]
        text = self.process.stdout.readline().decode() if ready else ""
        if not text:
            self.stop()
            raise BenchError(f"{self.name} did not start{'' if ready else ' within 30 s'}:\n{self.log()}")
        return text

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()[-2000:]

    def wait_until_it_answers(self, request, patience=10):
        """Its first answer to these bytes: (head, body)."""
        deadline = time.monotonic() + patience
        while True:
            if self.process.poll() is not None:
                raise BenchError(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as s:
                    s.sendall(request)
                    return read_answer(s, self.name)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise BenchError(f"{self.name} does not answer after {patience} s ({error}):\n{self.log()}") from None
                time.sleep(0.02)

    def verify(self, row, path, patience=10):
        """Its first answer is what the row says; how many bytes its head has. What is measured then is held against its size."""
        head, body = self.wait_until_it_answers(row.request(path, self.port), patience)
        require_good([(head, body)], row.body(), f"{self.name}, asked for {path},")
        self.answer_bytes = len(head) + 4 + len(body)
        return len(head) + 4

    def pin(self):
        """Some pin their own threads: all go where they are wanted."""
        for pid in self.pids():
            for thread in threads(pid):
                try:
                    os.sched_setaffinity(thread, self.cpus)
                except OSError:
                    pass  # it ended meanwhile

    def pids(self):
        parents = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parents[int(entry)] = int(stat.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass  # it ended meanwhile
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return sorted(found)

    def cpu_us(self):
        return cpu_us(self.pids())

    def pss_bytes(self):
        """Its memory: what several share is divided among them."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.M).group(1)) * 1024
        return total

    def stop(self, patience=10):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # what is left of its own group
        except ProcessLookupError:
            pass
        self.process.stdout.close()


def threads(pid):
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def cpu_us(pids):
    """On the CPU, in microseconds, user and system, of all threads of these processes: proc(5), schedstat, which counts
    nanoseconds; that of a thread which runs just now is good to a tick of the scheduler."""
    total = 0
    for pid in pids:
        for thread in threads(pid):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
    return total / 1000
