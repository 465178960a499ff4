# SPDX-License-Identifier: Apache-2.0
"""What it was measured on, and which CPUs are whose."""
import os
import platform
import re
import subprocess

from .peers import PEERS


def first_line(argv):
    try:
        run = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    except OSError:
        return "?"
    lines = (run.stdout + run.stderr).strip().splitlines()
    return lines[0] if lines else "?"


def commit(top):
    run = subprocess.run(["git", "-C", top, "describe", "--always", "--dirty", "--abbrev=10"], capture_output=True, text=True)
    return run.stdout.strip() or "?"


def describe(options, top):
    model = "?"
    with open("/proc/cpuinfo") as file:
        if found := re.search(r"^model name\s*:\s*(.+)$", file.read(), re.M):
            model = found.group(1)
    here = [PEERS[name] for name in options.servers if not PEERS[name].missing(options)]
    versions = {peer.name: peer.version(options) for peer in here if not peer.only_named or peer.name not in versions_alike(here)}
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)), "kernel": platform.release(), "commit": commit(top),
            "versions": versions | {"wrk": first_line(["wrk", "-v"])}, "load_before": os.getloadavg()[0]}


def versions_alike(peers):
    """Variants of a peer that is there itself."""
    names = {peer.name for peer in peers}
    return {name for name in names if name.rsplit("-", 1)[0] in names and "-" in name}


def cpus_for(workers):
    """(the servers' CPUs, the client's): apart where there are enough, and as many for the client as for the server where
    there are twice as many; else all share all."""
    all_of_them = sorted(os.sched_getaffinity(0))
    for clients in (workers, 1):
        if len(all_of_them) >= clients + workers:
            return tuple(all_of_them[clients:clients + workers]), tuple(all_of_them[:clients])
    return tuple(all_of_them), tuple(all_of_them)
