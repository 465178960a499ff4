# SPDX-License-Identifier: Apache-2.0
"""The JSON result: written as it grows, and read again, several of them as one."""
import json

from .rows import ROWS
from .server import UsageError

MACHINE = {"cpu": str, "cpus": int, "kernel": str, "commit": str, "versions": dict, "load_before": (int, float)}
OPTIONS = {"rounds": int, "seconds": int, "access_log": str}
ROW = {"title": str, "server_cpus": list, "client_cpus": list, "peers": dict, "left_out": dict, "faults": dict, "rate_faults": dict,
       "rounds": dict}
SPREAD = ("median", "min", "max", "q1", "q3", "rounds", "to")


def write(out, path):
    with open(path, "w") as file:
        json.dump(out, file, indent=1)
        file.write("\n")


def lacks(value, fields):
    """The first of these fields that it does not have, or has of another kind."""
    if not isinstance(value, dict):
        return "object"
    return next((f"'{name}'" for name, kind in fields.items() if not isinstance(value.get(name), kind)), None)


def peer_lacks(peer):
    if lack := lacks(peer, {"counts": dict}):
        return lack
    spreads = [entry for name, entry in peer.items() if name != "counts"]
    return next((lack for entry in spreads if (lack := lacks(entry, dict.fromkeys(SPREAD, object)))), None)


def read_one(source):
    """{row: what was measured, with its machine and its options}; another file than --json writes is an error."""
    try:
        with open(source) as file:
            found = json.load(file)
    except OSError as error:
        raise UsageError(f"--from {source}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--from {source}: no JSON: {error}") from None
    if lack := lacks(found, {"rows": dict}):
        raise UsageError(f"--from {source}: not what --json writes: no {lack}")
    legal, rows = {row.name for row in ROWS}, {}
    for name, row in found["rows"].items():
        if name not in legal:
            raise UsageError(f"--from {source}: no row is named '{name}'")
        if isinstance(row, dict):
            row = {key: found.get(key) for key in ("machine", "options")} | row
        lack = lacks(row, ROW) or lacks(row["machine"], MACHINE) or lacks(row["options"], OPTIONS)
        lack = lack or next((lack for peer in row["peers"].values() if (lack := peer_lacks(peer))), None)
        if lack:
            raise UsageError(f"--from {source}: not what --json writes: row {name} lacks {lack}")
        rows[name] = row
    return rows


def read(sources, only=None):
    """One result of several: of a row in several the last counts, with its own machine and options. `only`: these rows."""
    rows = {}
    for source in sources:
        rows |= read_one(source)
    for name in only or ():
        if name not in rows:
            raise UsageError(f"--only {name}: no such row in {', '.join(sources)}")
    order = [row.name for row in ROWS if row.name in rows and (only is None or row.name in only)]
    if not order:
        raise UsageError(f"--from {', '.join(sources)}: no rows" if only is None else "--only: names no row")
    return {"rows": {name: rows[name] for name in order}}
