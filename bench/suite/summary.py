# SPDX-License-Identifier: Apache-2.0
"""Medians, their spread and ratios of what was measured in rounds."""
import statistics

from .peers.one_worker import SUFFIX

# Whom the others are compared with, and in which metrics.
BASES = ("nginx", "limit")


def spread(values):
    """median, min, max and the quartiles."""
    low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "q1": low, "q3": high,
            "rounds": len(values)}


def ratio(mine, theirs):
    """The median of the rounds' own ratios (of each round that both have), for a machine that slows down slows both."""
    pairs = [(a, b) for a, b in zip(mine, theirs) if a is not None and b]
    return spread([a / b for a, b in pairs]) if pairs else None


def summarise(rounds):
    """{peer: [{metric: value or None} a round]} to {peer: {metric: spread, with `to`: {base: spread}}}."""
    out = {}
    for peer, runs in rounds.items():
        out[peer] = {}
        for metric in dict.fromkeys(name for run in runs for name in run):
            column = [run.get(metric) for run in runs]
            values = [value for value in column if value is not None]
            if not values:
                continue
            entry = spread(values)
            entry["to"] = {}
            for base in BASES:
                if base != peer and base in rounds:
                    found = ratio(column, [run.get(metric) for run in rounds[base]])
                    if found:
                        entry["to"][base] = found
            out[peer][metric] = entry
    return out


def median(measured, metric):
    entry = measured.get(metric)
    return entry["median"] if entry else None


def column(row, peer, metric):
    """A metric of each round."""
    return [run.get(metric) for run in row["rounds"].get(peer, [])]


def scaling(rows, workers):
    """What `workers` workers do to what one does, of the peers whose twin with one worker was measured in the same rounds:
    {peer: {by_rate, by_cpu}}, each the median of the rounds' own ratios.

    by_rate: their requests a second to one worker's, as it was on this machine, where client and servers may share CPUs.
    by_cpu:  workers times the CPU time of a request of one worker's over theirs: what they would do a second, to what one
             does, if each had a CPU and the client one for each of them.
    """
    row, out = rows.get(f"workers{workers}"), {}
    for peer in row["peers"] if row else ():
        many = lambda metric: column(row, peer, metric)  # noqa: E731
        one = lambda metric: column(row, peer + SUFFIX, metric)  # noqa: E731
        by_rate, by_cpu = ratio(many("req_s"), one("req_s")), ratio(one("cpu_us"), many("cpu_us"))
        if by_rate and by_cpu:
            out[peer] = {"by_rate": by_rate["median"], "by_cpu": workers * by_cpu["median"]}
    return out
