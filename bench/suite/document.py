# SPDX-License-Identifier: Apache-2.0
"""Markdown of the result: the tables, and the summary of README.md. What stands between the markers is ours."""
import os

from . import bars, origin, summary, table

BEGIN, END = "<!-- bench/run: begin -->", "<!-- bench/run: end -->"


def markdown_table(cells):
    lines = ["| " + " | ".join(cells[0]) + " |", "| --- |" + " ---: |" * (len(cells[0]) - 1)]
    return "\n".join(lines + ["| " + " | ".join(line) + " |" for line in cells[1:]])


def conditions(out):
    common, lines = origin.split(out)
    where = ", ".join(common[what] for what in ("cpu", "cpus", "kernel") if what in common)
    how = f"{common.get('rounds', 'medians of rounds')}, interleaved, with their quartiles"
    parts = "; ".join(text for text in (where, common.get("commit"), how) if text)
    versions = "; ".join(text for what, text in common.items() if what.startswith("version of "))
    return "\n\n".join([f"{parts}. {versions}.", *(["\n".join(f"- {line}" for line in lines)] if lines else [])])


def scaling_lines(out):
    for workers in (2, 4):
        for peer, of in summary.scaling(out["rows"], workers).items():
            yield f"{peer}, {workers} workers to one: {of['by_rate']:.2f} in requests a second, {of['by_cpu']:.2f} in work for the CPU time"


def full(out):
    """Every row's table, and what was not equal."""
    parts = [conditions(out)]
    for name, row in out["rows"].items():
        parts.append(f"### {name}: {row['title']}")
        parts.append(markdown_table(table.cells(row)))
        if lines := table.left_out(row):
            parts.append("\n".join(f"- {text}" for text in lines))
    if lines := list(scaling_lines(out)):
        parts += ["### Scaling", "\n".join(f"- {text}" for text in lines)]
    if lines := list(bars.verdicts(out)):
        parts += ["### What is to be met", "\n".join(f"- {text}" for text in lines)]
    parts += ["### What was not equal", "\n".join(f"- {note}" for note in out["not_equal"])]
    return "\n\n".join(parts)


def best_p99(row):
    """Our p99 at the fixed rate to that of the best server, as its bar has it."""
    found = bars.to_best(row, "pronghorn", "rate_p99_us", bars.SERVERS)
    return f"{found[0]:.2f} ({found[1]})" if found else "-"


def short(out):
    """A line for each row that we are in."""
    cells = [["pronghorn", "req/s", "to nginx", "CPU to nginx", "CPU to the limit", "p99 at a fixed rate to the best", "calls/req",
              "instructions/req"]]
    for row in out["rows"].values():
        peer = row["peers"].get("pronghorn")
        if not peer or "req_s" not in peer:
            continue
        cells.append([row["title"], table.plain(peer["req_s"]), table.ratio_to("nginx")(peer["req_s"]),
                      table.ratio_to("nginx")(peer["cpu_us"]), table.ratio_to("limit")(peer["cpu_us"]), best_p99(row),
                      table.counted("syscalls", "per_request")(peer), table.counted("instructions", "per_request")(peer)])
    parts = [markdown_table(cells)] if len(cells) > 1 else []
    if idle := out["rows"].get("idle"):
        bytes_of = table.counted("idle", "bytes_per_connection")
        parts.append("An idle connection: " + ", ".join(f"{name} {bytes_of(peer)} bytes" for name, peer in idle["peers"].items()) + ".")
    parts.append("Below 1 is better but for requests a second. " + conditions(out))
    return "\n\n".join(parts)


def between_markers(text, content):
    """`text` with `content` between its markers; None: it has none."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return f"{head}{begin}\n\n{content}\n\n{end}{tail}" if begin and end else None


def write(path, content, whole):
    """Into the markers of the file; one without is written whole where that is allowed."""
    text = ""
    if os.path.exists(path):
        with open(path) as file:
            text = file.read()
    renewed = between_markers(text, content)
    if renewed is None and not whole:
        raise OSError(f"{path} has no '{BEGIN}' with its end")
    with open(path, "w") as file:
        file.write(renewed if renewed is not None else content + "\n")
