# SPDX-License-Identifier: Apache-2.0
"""What does not wander: system calls a request (perf's tracepoints or strace) and instructions a request (callgrind)."""
import contextlib
import glob
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import wrk
from .server import BenchError, read_answers, require_good, threads

NAMES = ("read write readv writev pread64 recvfrom sendto recvmsg sendmsg sendfile sendfile64 splice epoll_wait epoll_pwait "
         "epoll_pwait2 epoll_ctl poll accept accept4 close shutdown setsockopt getsockopt getsockname getpeername ioctl fcntl "
         "openat newfstatat fstat statx mmap munmap madvise futex clock_gettime nanosleep clock_nanosleep").split()
WAITS = ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll")
CONNECTIONS = 8  # of the requests that are counted one by one
PERF = """\
[ -d /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing || exit 99
events=raw_syscalls:sys_enter
for name in $NAMES; do
  [ ! -d "/sys/kernel/tracing/events/syscalls/sys_enter_$name" ] || events=$events,syscalls:sys_enter_$name
done
exec perf stat -x, -o "$OUT" -e "$events" $WHAT
"""


def syscall_method(wanted):
    """`wanted`, or of 'best' 'perf' with tracepoints where we may, else 'strace', whose servers are slow; None: it is not
    here. tracefs is mounted for perf alone, in a namespace of its own."""
    if wanted != "strace" and os.geteuid() == 0 and shutil.which("perf") and shutil.which("unshare"):
        if perf("/dev/null", "true", "").wait() == 0:
            return "perf"
    return "strace" if wanted != "perf" and shutil.which("strace") else None


def perf(out, what, names=" ".join(NAMES)):
    return subprocess.Popen(["unshare", "--mount", "sh", "-c", PERF], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True,
                            env=os.environ | {"NAMES": names, "OUT": out, "WHAT": what})


def start_perf(out, pids, folder):
    """Running: it is told to begin, and says when it has."""
    control, answer = (os.path.join(folder, name) for name in ("perf-control", "perf-answer"))
    for path in (control, answer):
        if not os.path.exists(path):
            os.mkfifo(path)
    tracer = perf(out, f"-D -1 --control fifo:{control},{answer} -p {','.join(map(str, pids))}")
    ends = [os.open(path, os.O_RDWR) for path in (control, answer)]
    try:
        os.write(ends[0], b"enable\n")
        if not select.select([ends[1]], [], [], 20)[0]:
            raise BenchError("perf has not begun within 20 s")
        os.read(ends[1], 64)
    finally:
        for end in ends:
            os.close(end)
    return tracer


def start_strace(out, pids):
    attach = [word for pid in pids for word in ("-p", str(pid))]
    tracer = subprocess.Popen(["strace", "-f", "-c", "-U", "name,calls", "-o", out, *attach], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 20
    for status in [f"/proc/{pid}/task/{thread}/status" for pid in pids for thread in threads(pid)]:
        while "TracerPid:\t0\n" in Path(status).read_text():
            if tracer.poll() is not None or time.monotonic() > deadline:
                tracer.kill()
                raise BenchError("strace has not attached within 20 s")
            time.sleep(0.02)
    return tracer


def count_syscalls(server, row, path, method, folder, seconds, cpus):
    """{method, per_request, without_waits, calls: {name: a request}} under wrk."""
    out, pids = os.path.join(folder, "syscalls"), server.pids()
    tracer = start_perf(out, pids, folder) if method == "perf" else start_strace(out, pids)
    try:
        requests = wrk.drive(server, row, path, seconds, cpus)["answers"]
    finally:
        os.killpg(tracer.pid, signal.SIGINT)
        tracer.wait()
    total, calls = parse_counts(out, method)
    if total == 0:
        raise BenchError(f"{method} has counted nothing of {server.name}")
    per = {name: count / requests for name, count in sorted(calls.items(), key=lambda entry: -entry[1])}
    waits = sum(per.get(name, 0) for name in WAITS)
    return {"method": method, "requests": round(requests), "per_request": total / requests,
            "without_waits": total / requests - waits, "calls": {k: round(v, 4) for k, v in per.items() if v >= 0.002}}


def parse_counts(out, method):
    total, calls = 0, {}
    with open(out) as file:
        for line in file:
            if method == "perf":
                fields = line.split(",")
                if len(fields) < 3 or not fields[0].isdigit():
                    continue
                if fields[2] == "raw_syscalls:sys_enter":
                    total = int(fields[0])
                elif int(fields[0]):
                    calls[fields[2].removeprefix("syscalls:sys_enter_")] = int(fields[0])
            elif (found := re.match(r"\s*(\w+)\s+(\d+)", line)) and found.group(1) != "total":
                calls[found.group(1)] = int(found.group(2))
    return total or sum(calls.values()), calls


def send_exactly(server, row, path, count):
    """That many requests, `row.depth` at a time, over CONNECTIONS connections in turn; each answer is looked at."""
    body = row.body()
    connect = lambda: socket.create_connection(("127.0.0.1", server.port), timeout=60)  # noqa: E731
    with contextlib.ExitStack() as stack:
        sockets = [] if row.close else [stack.enter_context(connect()) for _ in range(CONNECTIONS)]
        for n in range(0, count, row.depth):
            with connect() if row.close else contextlib.nullcontext(sockets[n // row.depth % CONNECTIONS]) as s:
                s.sendall(b"".join(row.request(path, server.port, k) for k in range(n, n + row.depth)))
                require_good(read_answers(s, row.depth, server.name), body, server.name)


def instructions_of_run(peer, setting, count):
    """Of all its processes under callgrind, start and end included."""
    pattern = os.path.join(setting.folder, f"callgrind.{count}.%p")
    under = (shutil.which("valgrind"), "-q", "--tool=callgrind", f"--callgrind-out-file={pattern}")
    server = peer.start(type(setting)(setting.options, setting.row, setting.folder, setting.root, setting.cpus, under))
    try:
        path = peer.path(setting.row)
        server.verify(setting.row, path, 60)
        send_exactly(server, setting.row, path, count)
    finally:
        server.stop(60)
    total = 0
    for name in glob.glob(pattern.replace("%p", "*")):
        with open(name, errors="replace") as file:
            found = re.findall(r"^(?:totals|summary): (\d+)", file.read(), re.M)
        total += int(found[-1]) if found else 0
    if total == 0:
        raise BenchError(f"callgrind has counted nothing of {peer.name}:\n{server.log()}")
    return total


def count_instructions(peer, setting):
    """{method, per_request}: two runs of different length; what both have, start and end, is subtracted."""
    if not shutil.which("valgrind"):
        raise BenchError("valgrind is not installed: apt install valgrind")
    few, more = setting.row.counted
    few, more = (n // setting.row.depth * setting.row.depth for n in (few, few + more))
    first, second = (instructions_of_run(peer, setting, n) for n in (few, more))
    return {"method": "callgrind", "requests": more - few, "per_request": (second - first) / (more - few)}
