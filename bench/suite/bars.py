# SPDX-License-Identifier: Apache-2.0
"""What pronghorn has to meet, row by row, and whether it does: of the medians, whatever the machine."""
import dataclasses

from .options import FULL
from .summary import column, median, ratio, scaling


@dataclasses.dataclass(frozen=True)
class Bar:
    row: str
    what: str  # a metric, or a count: what.key
    most: float | None = None
    least: float | None = None
    to: tuple = ()  # of the ratio to the best of these; () is the value itself
    of: str = "pronghorn"


SERVERS = ("nginx", "h2o", "lighttpd", "haproxy", "node")
BARS = [
    Bar("keepalive", "cpu_us", most=0.95, to=("nginx",)),
    Bar("keepalive", "cpu_us", most=1.06, to=("limit",)),
    Bar("keepalive", "instructions.per_request", most=2500),
    Bar("browser", "instructions.per_request", most=5000),
    Bar("keepalive", "syscalls.without_waits", most=2.01),  # 2, and the first of its connections
    Bar("pipelined", "req_s", least=8, to=("nginx",)),
    Bar("close", "cpu_us", most=0.72, to=("nginx",)),
    Bar("close", "cpu_us", most=1.0, to=("nginx-deferred",)),
    Bar("file1k", "cpu_us", most=0.75, to=("nginx",)),
    Bar("file1k", "cpu_us", most=1.15, to=("limit",)),
    Bar("file100k", "cpu_us", most=0.7, to=("nginx",)),
    Bar("file10m", "cpu_us", most=1.0, to=("nginx", "lighttpd")),
    Bar("idle", "idle.bytes_per_connection", most=450),
    Bar("log", "cpu_us", most=1.08, to=("pronghorn",), of="pronghorn-log"),
    Bar("keepalive", "rate_p99_us", most=1.0, to=SERVERS),
]
IDLE = FULL["idle"] * 9 // 10  # fewer share what all of them have; some limits of descriptors end a little below the default
WORKERS = 1.9  # by the CPU time, of two workers to one


def value(row, peer, what):
    measured = row["peers"].get(peer)
    if measured is None:
        return None
    if "." in what:
        count, key = what.split(".")
        return measured["counts"].get(count, {}).get(key)
    return median(measured, what)


def to_best(row, mine, what, others):
    """(the median of the rounds' own ratios to the best of the others by its median, who that is); None: not measured."""
    found = {name: value(row, name, what) for name in others}
    found = {name: its for name, its in found.items() if its}
    if not found:
        return None
    best = min(found, key=found.get)
    of_rounds = ratio(column(row, mine, what), column(row, best, what))
    return (of_rounds["median"], best) if of_rounds else None


def against(bar, row):
    """(the figure, whose best it is compared with or None); None: it was not measured."""
    if bar.to:
        return to_best(row, bar.of, bar.what, bar.to)
    mine = value(row, bar.of, bar.what)
    return None if mine is None else (mine, None)


def unfit(bar, row):
    """None, or why its figure is not what the bar is about."""
    counted = row["peers"].get(bar.of, {}).get("counts", {})
    if bar.what.startswith("syscalls.") and counted.get("syscalls", {}).get("method") == "strace":
        return "strace slows the server down, which then finds more to do at each turn"
    if bar.what.startswith("idle.") and counted.get("idle", {}).get("connections", IDLE) < IDLE:
        return f"{counted['idle']['connections']:,} connections, of {FULL['idle']:,}"
    return None


def verdicts(out):
    """A line for each bar whose figures are there."""
    for bar in BARS:
        row = out["rows"].get(bar.row)
        found = against(bar, row) if row else None
        if not found:
            continue
        figure, best = found
        met = figure <= bar.most if bar.most is not None else figure >= bar.least
        why = unfit(bar, row)
        verdict = f"not judged: {why}" if why else "met" if met else "MISSED"
        limit = f"at most {bar.most:g}" if bar.most is not None else f"at least {bar.least:g}"
        to = f" to {best}'s" if best else ""
        yield f"{bar.row}, {bar.of}, {bar.what}{to}: {figure:.2f}, {limit}: {verdict}"
    if of := scaling(out["rows"], 2).get("pronghorn"):
        yield (f"workers2, pronghorn, work for the CPU time to one worker's: {of['by_cpu']:.2f}, at least {WORKERS:g}: "
               f"{'met' if of['by_cpu'] >= WORKERS else 'MISSED'}")
