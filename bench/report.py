# SPDX-License-Identifier: Apache-2.0
"""Medians, ratios to nginx and their spread; the table, and what was not equal."""
import os
import platform
import re
import statistics
import subprocess

METRICS = ["req_s", "cpu_us", "p50_us", "p99_us"]
BASE = "nginx"


def summarise(rounds):
    """{server: [measurement a round]} to {server: {metric: {median, min, max, ratio}}}. A ratio is the
    median of the rounds' own ratios, for a machine that slows down slows both."""
    out = {}
    for server, runs in rounds.items():
        out[server] = {}
        for metric in METRICS:
            values = [run[metric] for run in runs if run[metric] is not None]
            if not values:
                out[server][metric] = {"median": None}
                continue
            entry = {"median": statistics.median(values), "min": min(values), "max": max(values)}
            if BASE in rounds:
                pairs = [(run[metric], base[metric]) for run, base in zip(runs, rounds[BASE])]
                ratios = [mine / theirs for mine, theirs in pairs if mine is not None and theirs]
                if ratios:
                    entry["ratio"] = {"median": statistics.median(ratios), "min": min(ratios),
                                      "max": max(ratios)}
            out[server][metric] = entry
    return out


def ratio_text(entry):
    r = entry.get("ratio")
    return f"{r['median']:.2f} ({r['min']:.2f}..{r['max']:.2f})" if r else "-"


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def table(row, summary):
    lines = [row.title,
             f"  {'':10} {'req/s':>10} {'to nginx':<20} {'CPU us/req':>10} {'to nginx':<20} "
             f"{'p50 us':>7} {'to nginx':<20} {'p99 us':>7} {'to nginx':<20}".rstrip()]
    for server, metrics in summary.items():
        line = f"  {server:10}"
        for metric, width in zip(METRICS, [10, 10, 7, 7]):
            line += f" {number(metrics[metric]['median']):>{width}} {ratio_text(metrics[metric]):<20}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def version(argv):
    try:
        run = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    except OSError:
        return "?"
    lines = (run.stdout + run.stderr).strip().splitlines()
    return lines[0] if lines else "?"


def machine(options):
    model = "?"
    with open("/proc/cpuinfo") as f:
        if found := re.search(r"^model name\s*:\s*(.+)$", f.read(), re.M):
            model = found.group(1)
    versions = {"nginx": version(["/usr/sbin/nginx", "-v"]), "wrk": version(["wrk", "-v"])}
    if "pronghorn" in options.servers:
        versions["pronghorn"] = version([options.binary, "--version"])
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "versions": versions,
            "load_before": os.getloadavg()[0]}


def not_equal(options, heads, same_core, load_before):
    """What a reader must know before believing a ratio. `heads`: {row: {server: bytes of its head}}."""
    notes = []
    if load_before > 0.5:
        notes.append(f"the machine was busy before (load average {load_before:.1f}): repeat when it is quiet")
    if same_core:
        notes.append("one CPU only: server and client shared it")
    if options.workers != 1:
        notes.append(f"{options.workers} workers each, but limit has one process")
    else:
        notes.append("one worker each; nginx and pronghorn have a master beside it, its CPU time is counted too")
    notes.append("limit parses nothing, has no timeouts and sends from memory: a floor, not a server; "
                 "no floor for 100 KiB, which it copies and sendfile does not")
    if options.nginx_deferred:
        notes.append("all listen with TCP_DEFER_ACCEPT")
    else:
        notes.append("nginx listens without TCP_DEFER_ACCEPT (its default; --nginx-deferred), limit with it, "
                     "pronghorn as it comes")
    notes.append("nginx sends files by sendfile with tcp_nopush and open_file_cache; the others as they come")
    notes.append("wrk on one CPU is itself near its limit with keep-alive: read the CPU column first")
    if "pipelined" in heads:
        notes.append("wrk times a whole batch when pipelining, and corrects it as if it were one request: "
                     "its p50 and p99 are for comparing in that row only")
    for row, sizes in heads.items():
        text = ", ".join(f"{server} {size}" for server, size in sizes.items())
        notes.append(f"bytes of the answer's head, {row}: {text}")
    return notes
