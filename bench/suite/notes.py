# SPDX-License-Identifier: Apache-2.0
"""What a reader must know before believing a ratio: what was not equal, and what is no good figure."""
from . import origin
from .summary import median

# What pronghorn has to read each time: another head, a new connection, a body that follows; and what is no load.
NO_HEAD_AGAIN = ("browser-new", "close", "echo", "idle")


def of_clients(out):
    rows = out["rows"]
    shared = [name for name, row in rows.items() if set(row["server_cpus"]) & set(row["client_cpus"])]
    if shared:
        yield f"server and client shared their CPUs, of which the machine has too few: {', '.join(shared)}"
    yield ("wrk on one CPU is itself near its limit with keep-alive: read the CPU column first. Its percentiles at peak are "
           "corrected by wrk for what it could not send, not measured: those of the fixed rate are")
    if "pipelined" in rows or "plaintext" in rows:
        yield "wrk times a whole batch when pipelining: no percentiles at peak are shown"
    for name, row in rows.items():
        for peer, measured in row["peers"].items():
            late, p99 = median(measured, "late_p99_us"), median(measured, "rate_p99_us")
            if late and p99 and late > p99 / 4:
                yield f"{name}, {peer}: the client at the fixed rate was itself late, by {late:.0f} us at p99 of {p99:.0f}"
            if (median(measured, "rate_kept") or 1) < 0.97:
                yield f"{name}, {peer}: did not keep up with the fixed rate"


def of_servers(out):
    rows = out["rows"]
    yield ("limit parses nothing, has no timeouts and answers from memory: a floor, not a server; a floor for large files is "
           "the lower of limit and limit-sendfile")
    yield "one worker each; nginx and pronghorn have a master beside it, whose CPU time and memory are counted too"
    if "close" in rows:
        yield ("a connection each: nginx listens without TCP_DEFER_ACCEPT (its default), nginx-deferred and limit with it, "
               "pronghorn too, which sets it on every listening socket; the others as they come")
    if {"keepalive", "pipelined", "close", "browser", "browser-new"} & rows.keys():
        yield ("h2o and lighttpd answer 13 bytes from a file, HAProxy, nginx and pronghorn from their configuration, Node from "
               "a handler")
    if again := [name for name in rows if name not in NO_HEAD_AGAIN]:
        yield (f"on each connection the client repeats one head, byte for byte ({', '.join(again)}): pronghorn's best case, which "
               "recognises the head before and does not read it again (docs/decisions/0021); of heads that are all new: browser-new")
    if "json" in rows:
        yield ("JSON: pronghorn (examples/techempower) and Node serialise a value for each request; nginx, HAProxy and limit "
               "send a fixed text")
    if {"file1k", "file100k", "file10m"} & rows.keys():
        yield "files: nginx with sendfile, tcp_nopush and open_file_cache; Node with createReadStream; the others as they come"
    if "log" in rows:
        how = next(options["access_log"] for name, _, options in origin.of_rows(out) if name == "log")
        yield f"the access log of pronghorn-log and nginx-log: combined, {how}, on the same disk"
    yield "the answers differ in their fields: the bytes of the heads are in the JSON result (head_bytes)"


def of_counts(out):
    counts = [peer["counts"] for row in out["rows"].values() for peer in row["peers"].values()]
    methods = {count["syscalls"]["method"] for count in counts if "method" in count.get("syscalls", {})}
    if methods:
        yield ("system calls: by perf's tracepoints, at full speed" if methods == {"perf"} else
               "system calls: by strace, which slows the servers so that they do more at once; perf needs root")
    if any("method" in count.get("instructions", {}) for count in counts):
        yield ("instructions: in user space, by callgrind, of two runs the difference; nginx without its master, pronghorn's "
               "worker alone")
    yield "CPU time: user and system, of all threads, from schedstat: nanoseconds, of a thread that runs good to a tick (4 ms or less)"


def all_of(out):
    notes = []
    for load, rows in origin.values(out, lambda machine, _: machine["load_before"]):
        if load > 0.5:
            notes.append(f"the machine was busy before{' those' + rows if rows else ''} (load average {load:.1f}): repeat when it is quiet")
    for rounds, rows in origin.values(out, lambda _, options: options["rounds"]):
        if rounds < 9:
            notes.append(f"{rounds} rounds only{rows}: nothing to quote")
    return notes + [*of_clients(out), *of_servers(out), *of_counts(out)]
