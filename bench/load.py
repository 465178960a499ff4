# SPDX-License-Identifier: Apache-2.0
"""One measurement of one server: wrk's figures, and the CPU time of the server's processes beside them."""
import dataclasses
import json
import os
import subprocess

from servers import BenchError

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")
CONNECTIONS = 64
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrk.lua")


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    path: str
    body_bytes: int
    depth: int = 1
    close: bool = False


ROWS = [
    Row("keepalive", "13-byte answer, keep-alive", "/", 13),
    Row("pipelined", "13-byte answer, 16 pipelined", "/", 13, depth=16),
    Row("close", "13-byte answer, a connection each", "/", 13, close=True),
    Row("file1k", "file of 1 KiB, keep-alive", "/1k.txt", 1024),
    Row("file100k", "file of 100 KiB, keep-alive", "/100k.txt", 100 * 1024),
]


def cpu_us(pids):
    """utime + stime of these processes (proc(5)), their threads included; good to one tick, 10 ms."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total * TICK_US


def drive(server, what, path, seconds, cpus, close=False, depth=1):
    """wrk's figures: requests, duration_us, p50_us, p99_us; any failure is an error, named after `what`."""
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "5s", "-s", SCRIPT]
    if close:
        argv += ["-H", "Connection: close"]
    argv += [f"http://127.0.0.1:{server.port}{path}", "--", str(depth)]
    pids = server.pids()
    try:
        run = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30,
                             preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    except FileNotFoundError:
        raise BenchError("wrk is not installed\n  try: apt install wrk") from None
    if server.pids() != pids:
        raise BenchError(f"{server.name} lost or gained a process under load:\n{server.log()}")
    results = [line for line in run.stdout.splitlines() if line.startswith("RESULT ")]
    if run.returncode != 0 or not results:
        raise BenchError(f"wrk failed against {server.name}:\n{run.stdout}{run.stderr}")
    r = json.loads(results[0].removeprefix("RESULT "))
    if r["requests"] == 0 or r["non_2xx"] or r["errors"]:
        raise BenchError(f"{server.name}, {what}: {r['requests']} answers, {r['non_2xx']} not 2xx, "
                         f"{r['errors']} socket errors; such a run compares nothing")
    return r


def measure(server, row, seconds, cpus):
    """req/s, p50 and p99 in microseconds, CPU microseconds a request."""
    path = row.path if server.name != "limit" else "/"
    pids = server.pids()
    before = cpu_us(pids)
    r = drive(server, f"row {row.name}", path, seconds, cpus, row.close, row.depth)
    used = cpu_us(pids) - before
    return {"req_s": r["requests"] / r["duration_us"] * 1e6, "cpu_us": used / r["requests"],
            # 0: wrk's correction for coordinated omission has left nothing at that percentile
            "p50_us": r["p50_us"] or None, "p99_us": r["p99_us"] or None}
