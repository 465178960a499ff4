# SPDX-License-Identifier: Apache-2.0
"""One row: every peer is started, checked, and measured in interleaved rounds; then what does not wander is counted."""
import contextlib
import os
import sys
import time

from . import counts, idle, wrk
from .machine import cpus_for
from .peers import select
from .peers.base import Setting
from .server import BenchError
from .summary import median, summarise


# Of a run's answers, for its percentiles.
LEAST_SAMPLES = {"p50_us": 1, "p99_us": 200, "p999_us": 2000}


def say(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def interleaved(names, rounds):
    """A B C, then C B A: none is always the one after the most expensive."""
    for n in range(rounds):
        for name in names if n % 2 == 0 else reversed(names):
            yield n, name


def percentiles(r):
    """Those that have samples enough to be one's own, not those of the one or two slowest."""
    return {key: r[key] if r["requests"] >= least else None for key, least in LEAST_SAMPLES.items()}


def peak_percentiles(r, depth):
    """Of wrk, none of what is pipelined: it times from the batch's sending, and its correction for coordinated omission adds to
    counts that are not what it takes them for. Where that has left nothing at one (0), or they descend, none of the run is true."""
    found = [r["p50_us"], r["p99_us"], r["p999_us"]]
    return {} if depth > 1 or 0 in found or found != sorted(found) else percentiles(r)


class RowRun:
    """`faults`: what went wrong, by peer, whose figures of this row are then not used; `rate_faults`: those of the fixed
    rate are not."""

    def __init__(self, row, options, folder, root):
        self.row, self.options, self.folder, self.root = row, options, folder, root
        self.server_cpus, self.client_cpus = cpus_for(row.workers)
        self.peers, self.left_out = select(row, options.servers, options)
        self.faults, self.rate_faults = {}, {}
        self.rounds, self.heads, self.counted, self.servers, self.rates = {}, {}, {}, {}, {}

    def setting(self, name, word=""):
        folder = os.path.join(self.folder, f"{self.row.name}-{name}{word}")
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        return Setting(self.options, self.row, folder, self.root, self.server_cpus)

    @contextlib.contextmanager
    def blaming(self, name, faults):
        try:
            yield
        except (BenchError, OSError, ValueError) as error:
            faults[name] = str(error)
            which = "figures at the fixed rate" if faults is self.rate_faults else "figures"
            say("")
            print(f"bench/run: {self.row.name}: {which} of {name} are not used: {error}", file=sys.stderr)

    def sound(self):
        return [name for name in self.servers if name not in self.faults]

    def start(self, stack):
        for name, peer in self.peers.items():
            with self.blaming(name, self.faults):
                server = peer.start(self.setting(name))
                stack.callback(server.stop)
                self.servers[name] = server
                self.heads[name] = server.verify(self.row, peer.path(self.row))
                server.pin()

    def each_round(self, rounds, title, measure, faults):
        for n, name in interleaved(self.sound(), rounds):
            if name in faults:
                continue
            say(f"{self.row.name} {title} {n + 1}/{rounds} {name}")
            with self.blaming(name, faults):
                runs = self.rounds.setdefault(name, [])
                if len(runs) <= n:
                    runs.append({})
                runs[n] |= measure(self.peers[name], self.servers[name])
            time.sleep(0.05)  # closed connections' remains are the kernel's work, not the next one's

    def at_peak(self, peer, server):
        before = server.cpu_us()
        r = wrk.drive(server, self.row, peer.path(self.row), self.options.seconds, self.client_cpus)
        used = server.cpu_us() - before
        return {"req_s": r["requests"] / r["duration_us"] * 1e6, "cpu_us": used / r["answers"],
                "mb_s": r["bytes"] / r["duration_us"], "pss_mb": server.pss_bytes() / 1e6} | peak_percentiles(r, self.row.depth)

    def rate_of(self, name):
        peaks = {peer: median(measured, "req_s") for peer, measured in summarise(self.rounds).items()}
        if self.options.rate:
            return self.options.rate
        peak = min(peaks.values()) if self.options.rate_of == "slowest" else peaks[name]
        return max(1.0, round(peak * self.options.rate_share))

    def at_rate(self, peer, server):
        before = server.cpu_us()
        r = wrk.at_rate(f"{self.options.build}/bench/rate", server, self.row, peer.path(self.row), self.rates[peer.name],
                        self.options.seconds, self.client_cpus)
        used = server.cpu_us() - before
        warmup = 0.1 / self.options.seconds  # requests that rate sends before those that it counts
        return {"rate": r["asked"], "rate_kept": r["rate"] / r["asked"],
                "rate_cpu_us": used / (r["requests"] * (1 + warmup)),
                **{f"rate_{key}": value for key, value in percentiles(r).items()},
                "late_p99_us": r["late_p99_us"]}

    def count(self, method):
        for name in self.sound():
            peer, found = self.peers[name], self.counted.setdefault(name, {})
            if "syscalls" in self.options.measure and method:
                say(f"{self.row.name} system calls {name}")
                with self.blaming_count(name, "syscalls"):
                    found["syscalls"] = counts.count_syscalls(self.servers[name], self.row, peer.path(self.row), method,
                                                              self.folder, self.options.seconds, self.client_cpus)
            if "instructions" in self.options.measure and self.row.workers == 1:
                if peer.uncounted:
                    found["instructions"] = {"left_out": peer.uncounted}
                    continue
                say(f"{self.row.name} instructions {name}")
                with self.blaming_count(name, "instructions"):
                    found["instructions"] = counts.count_instructions(peer, self.setting(name, "-counted"))

    @contextlib.contextmanager
    def blaming_count(self, name, what):
        """A count that fails takes nothing from what was measured."""
        try:
            yield
        except (BenchError, OSError, ValueError) as error:
            self.counted[name][what] = {"left_out": str(error).splitlines()[0]}

    def measure_idle(self):
        for name in self.sound():
            say(f"idle {name}")
            with self.blaming(name, self.faults):
                self.counted[name] = {"idle": idle.measure(self.servers[name], self.row, self.peers[name].path(self.row),
                                                           self.options.idle)}

    def run(self, method):
        with contextlib.ExitStack() as stack:
            self.start(stack)
            if self.row.idle:
                self.measure_idle()
            else:
                self.each_round(self.options.rounds, "peak", self.at_peak, self.faults)
                if "rate" in self.options.measure:
                    self.rates = {name: self.rate_of(name) for name in self.sound()}
                    self.each_round(self.options.rounds, "rate", self.at_rate, self.rate_faults)
                self.count(method)
        say("")
        rounds = {name: runs for name, runs in self.rounds.items() if name not in self.faults}
        for name in self.rate_faults.keys() & rounds.keys():
            rounds[name] = [{key: run[key] for key in run if "rate" not in key and key != "late_p99_us"} for run in rounds[name]]
        order = [name for name in self.peers if name in self.sound()]
        measured = summarise(rounds)
        title = f"{self.options.idle:,} {self.row.title}" if self.row.idle else self.row.title
        return {"title": title, "workers": self.row.workers, "connections": self.row.connections,
                "server_cpus": self.server_cpus, "client_cpus": self.client_cpus,
                "peers": {name: measured.get(name, {}) | {"counts": self.counted.get(name, {})} for name in order},
                "left_out": self.left_out, "faults": self.faults, "rate_faults": self.rate_faults, "head_bytes": self.heads, "rounds": rounds}
