# SPDX-License-Identifier: Apache-2.0
"""The two clients of bench/run: wrk, which asks as fast as it is answered, and our rate, which asks at a fixed rate."""
import json
import os
import subprocess

from .server import BenchError

# Of an answer's head, which is as long as the first one's but for numbers in it; and bodies of which those that are under
# way at the end are not few beside those that are complete.
VARIES_BYTES = 4
LARGE_BYTES = 1 << 20
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrk.lua")


def run_client(argv, cpus, seconds, hint):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30,
                              preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    except FileNotFoundError:
        raise BenchError(f"no program '{argv[0]}'\n  try: {hint}") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"{argv[0]} has not ended after {seconds + 30} s") from None


def drive(server, row, path, seconds, cpus):
    """wrk's figures: requests, duration_us, bytes, p50_us, p99_us, p999_us, and `answers`, by which what the server did is
    divided; any failure is an error."""
    threads = max(1, min(len(cpus), row.connections)) if row.workers > 1 else 1
    argv = ["wrk", f"-t{threads}", f"-c{row.connections}", f"-d{seconds}s", "--timeout", "5s", "-s", SCRIPT]
    for header in [*row.headers, *(["Connection: close"] if row.close else [])]:
        argv += ["-H", header]
    argv += [f"http://127.0.0.1:{server.port}{path}", "--", str(row.depth), str(row.post_bytes), str(row.queries)]
    pids = server.pids()
    run = run_client(argv, cpus, seconds, "apt install wrk")
    if server.pids() != pids:
        raise BenchError(f"{server.name} lost or gained a process under load:\n{server.log()}")
    results = [line for line in run.stdout.splitlines() if line.startswith("RESULT ")]
    if run.returncode != 0 or not results:
        raise BenchError(f"wrk failed against {server.name}:\n{run.stdout}{run.stderr}")
    r = json.loads(results[0].removeprefix("RESULT "))
    if r["requests"] == 0 or r["non_2xx"] or r["errors"]:
        raise BenchError(f"{server.name}, row {row.name}: {r['requests']} answers, {r['non_2xx']} not 2xx, "
                         f"{r['errors']} socket errors; such a run compares nothing")
    require_size(server, row, r)
    large = row.body_bytes >= LARGE_BYTES
    return r | {"answers": r["bytes"] / server.answer_bytes if large else r["requests"]}


def require_size(server, row, r):
    """wrk takes every status below 400 and any body: its answers must be as long as the one that was verified. Each connection
    may have a part of one more, under way at the end."""
    requests, size = r["requests"], server.answer_bytes
    if not (size - VARIES_BYTES) * requests <= r["bytes"] <= (size + VARIES_BYTES) * requests + row.connections * size:
        raise BenchError(f"{server.name}, row {row.name}: {r['bytes'] / requests:,.1f} bytes an answer of {requests:,}, where the "
                         f"first one had {size:,}: other answers than the row's; such a run compares nothing")


def at_rate(program, server, row, path, rate, seconds, cpus):
    """The figures of bench/rate; an answer that failed or never came is an error."""
    argv = [program, f"port={server.port}", f"path={path}", f"rate={rate}", f"seconds={seconds}", f"depth={row.depth}",
            f"connections={row.connections}", f"post={row.post_bytes}", f"body={row.body_bytes}",
            *(f"header={header}" for header in row.headers)]
    if row.close:
        argv.append("close")
    if row.queries:
        argv.append(f"queries={row.queries}")
    run = run_client(argv, cpus, seconds, "cmake --preset release && cmake --build --preset release")
    try:
        r = json.loads(run.stdout)
    except ValueError:
        raise BenchError(f"rate failed against {server.name}:\n{run.stdout}{run.stderr}") from None
    if run.returncode != 0:
        raise BenchError(f"{server.name}, row {row.name}, at {rate:,.0f} req/s: {r['requests']} answers, {r['errors']} failed, "
                         f"{r['unanswered']} not within 3 s; such a run compares nothing")
    return r
