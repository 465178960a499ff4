# SPDX-License-Identifier: Apache-2.0
"""Charts as plain SVG: bars with the spread of their rounds for each row, and one overview. They follow the reader's dark mode."""
import html
import math
import os

STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.small { font-size: 11px; fill: #59636e; }
.title { font-weight: 600; font-size: 15px; }
.bar { fill: #8c959f; } .ours { fill: #0969da; } .floor { fill: #d1d9e0; }
.axis { stroke: #d1d9e0; } .one { stroke: #cf222e; stroke-dasharray: 4 3; } .spread { stroke: #1f2328; stroke-width: 1.5; }
.nginx { fill: #0969da; } .limit { fill: #9a6700; } .back { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .small { fill: #9198a1; }
  .bar { fill: #656c76; } .ours { fill: #4493f8; } .floor { fill: #3d444d; }
  .axis { stroke: #3d444d; } .one { stroke: #f85149; } .spread { stroke: #f0f6fc; }
  .nginx { fill: #4493f8; } .limit { fill: #d29922; } .back { fill: #0d1117; }
}"""
WIDTH, LEFT, RIGHT = 760, 150, 90
LETTER = 7  # of a label, on average: no font is known here
LINE = 26
# (metric, what its axis says)
PANELS = [("cpu_us", "CPU per request, microseconds (less is better)"), ("req_s", "requests per second (more is better)"),
          ("rate_p99_us", "p99 at the fixed rate, microseconds (less is better)")]


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(words)}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def number(value):
    if value >= 10_000:
        return f"{value / 1000:,.0f} k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ticks(most):
    """Round numbers from 0 up to `most`, five or so."""
    step = 10 ** math.floor(math.log10(most / 4))
    step = next(step * by for by in (1, 2, 2.5, 5, 10) if most / (step * by) <= 5)
    return [step * n for n in range(math.floor(most / step) + 1)]


class Axis:
    """Where a value is; with its lines and labels."""

    def __init__(self, most, left=LEFT, right=RIGHT):
        self.most, self.left, self.right = most, left, right

    def x(self, value):
        return self.left + value / self.most * (WIDTH - self.left - self.right)

    def draw(self, top, bottom, label):
        for tick in ticks(self.most):
            yield line(self.x(tick), top, self.x(tick), bottom, "axis")
            yield text(self.x(tick), bottom + 14, number(tick), "small", "middle")
        yield text(self.left, bottom + 30, label, "small")


def whiskers(axis, entry, y):
    if entry["rounds"] < 2:
        return
    low, high = axis.x(entry["min"]), axis.x(entry["max"])
    yield line(low, y, high, y, "spread")
    for x in (low, high):
        yield line(x, y - 4, x, y + 4, "spread")


def document(parts, height, title):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">',
                      f"<title>{html.escape(title)}</title>", f"<style>\n{STYLE}\n</style>",
                      f'<rect class="back" width="{WIDTH}" height="{height:.0f}"/>', text(16, 26, title, "title"), *parts, "</svg>", ""])


def panel(peers, metric, label, top):
    """One metric's bars; (parts, the y below them)."""
    entries = [(name, peer[metric]) for name, peer in peers.items() if metric in peer]
    if not entries:
        return [], top
    axis = Axis(max(entry["max"] for _, entry in entries) * 1.02 or 1)
    bottom = top + LINE * len(entries)
    parts = [*axis.draw(top, bottom, label)]
    for n, (name, entry) in enumerate(entries):
        y = top + LINE * n + LINE / 2
        kind = "ours" if name.startswith("pronghorn") else "floor" if name.startswith("limit") else "bar"
        parts.append(text(LEFT - 8, y + 4, name, anchor="end"))
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y - 8:.1f}" width="{axis.x(entry["median"]) - LEFT:.1f}" height="16"/>')
        parts += whiskers(axis, entry, y)
        parts.append(text(axis.x(entry["max"]) + 8, y + 4, number(entry["median"]), "small"))
    return parts, bottom + 48


def idle_panel(peers):
    """The bytes of an idle connection as a metric of one round."""
    entry = lambda value: {"median": value, "min": value, "max": value, "rounds": 1}  # noqa: E731
    return {name: {"idle": entry(max(0.0, peer["counts"]["idle"]["bytes_per_connection"]))}
            for name, peer in peers.items() if "bytes_per_connection" in peer["counts"].get("idle", {})}


def of_row(row):
    parts, y = [], 44
    for metric, label in PANELS:
        more, y = panel(row["peers"], metric, label, y)
        parts += more
    more, y = panel(idle_panel(row["peers"]), "idle", "bytes of memory (PSS) per idle connection (less is better)", y)
    return document(parts + more, y, row["title"]) if parts or more else None


def overview(out):
    """Our CPU time a request to nginx's and to the floor's, row by row."""
    rows = [(row["title"], row["peers"]["pronghorn"]["cpu_us"]["to"]) for row in out["rows"].values()
            if row["peers"].get("pronghorn", {}).get("cpu_us", {}).get("to")]
    if not rows:
        return None
    left = 24 + LETTER * max(len(title) for title, _ in rows)  # the titles are longer than names
    axis = Axis(max(1.2, max(entry["max"] for _, to in rows for entry in to.values()) * 1.05), left, 30)
    top, parts = 64, []
    bottom = top + 34 * len(rows)
    parts += axis.draw(top, bottom, "CPU per request of pronghorn to the other's: left of 1 ours is less")
    parts.append(line(axis.x(1), top, axis.x(1), bottom, "one"))
    for n, (title, to) in enumerate(rows):
        y = top + 34 * n + 17
        parts.append(text(left - 10, y + 4, title, anchor="end"))
        for k, base in enumerate(name for name in ("nginx", "limit") if name in to):
            at = y - 6 + 12 * k
            parts += whiskers(axis, to[base], at)
            parts.append(f'<circle class="{base}" cx="{axis.x(to[base]["median"]):.1f}" cy="{at:.1f}" r="5"/>')
    parts += [f'<circle class="nginx" cx="{left + 6}" cy="46" r="5"/>', text(left + 18, 50, "to nginx", "small"),
              f'<circle class="limit" cx="{left + 96}" cy="46" r="5"/>', text(left + 108, 50, "to the limit (raw epoll, no parsing)", "small")]
    return document(parts, bottom + 44, "CPU time per request, one worker unless said; median and range of the rounds")


def write_all(out, folder):
    os.makedirs(folder, exist_ok=True)
    drawn = {"overview": overview(out), **{name: of_row(row) for name, row in out["rows"].items()}}
    for name, svg in drawn.items():
        if svg:
            with open(os.path.join(folder, f"{name}.svg"), "w") as file:
                file.write(svg)
