# SPDX-License-Identifier: Apache-2.0
"""The command line of bench/run."""
import argparse

from .peers import PEERS
from .rows import ROWS

MEASURES = ["rate", "syscalls", "instructions"]
QUICK = {"rounds": 1, "seconds": 1, "idle": 200, "only": ["keepalive", "idle"], "servers": ["pronghorn", "nginx", "limit"],
         "measure": ["rate", "syscalls"]}
FULL = {"rounds": 9, "seconds": 1, "idle": 10_000, "only": [row.name for row in ROWS], "servers": list(PEERS),
        "measure": MEASURES}


def bounded(low, high, kind=int):
    def number(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be {low} to {high}")
        return value
    return number


def words_of(legal):
    def check(text):
        words = text.split(",") if text else []
        for word in words:
            if word not in legal:
                raise argparse.ArgumentTypeError(f"'{word}' is none of {' '.join(legal)}")
        return words
    return check


def parse(top, description):
    p = argparse.ArgumentParser(prog="bench/run", description=description, epilog=f"rows: {' '.join(FULL['only'])}; "
                                f"servers: {' '.join(PEERS)}. How it is measured: docs/performance.md")
    p.add_argument("--quick", action="store_true", help="a smoke test: 1 round of keepalive and 200 idle connections, of "
                   "pronghorn, nginx and limit, no instructions; what is given beside it counts")
    p.add_argument("--rounds", type=bounded(1, 100), help="of each row [9]")
    p.add_argument("--seconds", type=bounded(1, 60), help="of each run [1]")
    p.add_argument("--only", type=words_of(FULL["only"]), metavar="ROWS", help="comma-separated [all]")
    p.add_argument("--servers", type=words_of(list(PEERS)), metavar="NAMES",
                   help="comma-separated [all that are installed]; one that is named must be there")
    p.add_argument("--measure", type=words_of(MEASURES), metavar="WHAT",
                   help=f"beside the peak, comma-separated [{','.join(MEASURES)}]")
    p.add_argument("--rate-share", type=bounded(0.01, 1.0, float), default=0.7, metavar="X", help="of the peak, of the fixed rate [0.7]")
    p.add_argument("--rate-of", choices=["own", "slowest"], default="own", help="whose peak: each its own, or the row's slowest [own]")
    p.add_argument("--rate", type=bounded(1, 10_000_000), metavar="N", help="the fixed rate of all, requests a second")
    p.add_argument("--count-by", choices=["best", "perf", "strace"], default="best",
                   help="of system calls; perf needs root, strace slows the servers [best]")
    p.add_argument("--idle", type=bounded(1, 100_000), metavar="N", help="connections of the row idle [10000, or what "
                   "the limit of open files allows for every peer]")
    p.add_argument("--access-log", choices=["on", "buffered"], default="on", help="of the row log; buffered: 64 KiB or 1 s [on]")
    p.add_argument("--build", default=f"{top}/build/release", metavar="DIR", help="where the programs are [build/release]")
    p.add_argument("--json", metavar="FILE", help="write everything measured there ('-': standard output)")
    p.add_argument("--markdown", metavar="FILE", help="write tables there; between its markers, where FILE has them")
    p.add_argument("--svg", metavar="DIR", help="draw charts there")
    p.add_argument("--readme", action="store_true", help="renew what README.md shows, with docs/performance/overview.svg; of 9 "
                   "rounds or more")
    p.add_argument("--from", dest="sources", nargs="+", metavar="FILE",
                   help="measure nothing: show what --json wrote, of --only these rows; of a row in several the last "
                   "counts")
    options = p.parse_args()
    for name in ("servers", "only", "idle"):
        setattr(options, f"{name}_named", getattr(options, name) is not None)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options
