# SPDX-License-Identifier: Apache-2.0
"""Medians, their spread and ratios of what was measured in rounds."""
import statistics

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


def scaling(rows, workers):
    """What `workers` workers do to what one does, by peer: {peer: {by_rate, by_cpu}}.

    by_rate: their requests a second to one worker's, as it was on this machine, where client and servers may share CPUs.
    by_cpu:  workers times the CPU time of a request of one worker's over theirs: what they would do a second, to what one
             does, if each had a CPU and the client one for each of them.
    """
    one, many = rows.get("keepalive"), rows.get(f"workers{workers}")
    out = {}
    for peer, measured in (many or {}).get("peers", {}).items():
        alone = (one or {}).get("peers", {}).get(peer)
        if alone and median(alone, "cpu_us") and median(measured, "cpu_us"):
            out[peer] = {"by_rate": median(measured, "req_s") / median(alone, "req_s"),
                         "by_cpu": workers * median(alone, "cpu_us") / median(measured, "cpu_us")}
    return out
