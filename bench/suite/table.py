# SPDX-License-Identifier: Apache-2.0
"""The figures of a row as a table of texts, for the terminal and for Markdown."""


def number(value):
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def with_spread(entry):
    """Median and quartiles; of one round the value alone."""
    if entry is None:
        return "-"
    if entry["rounds"] == 1:
        return number(entry["median"])
    return f"{number(entry['median'])} ({number(entry['q1'])}..{number(entry['q3'])})"


def ratio_to(base):
    def text(entry):
        found = entry["to"].get(base) if entry else None
        if not found:
            return "-"
        return f"{found['median']:.2f}" if found["rounds"] == 1 else f"{found['median']:.2f} ({found['q1']:.2f}..{found['q3']:.2f})"
    return text


def plain(entry):
    return number(entry["median"] if entry else None)


def three(prefix):
    return lambda peer: " ".join(plain(peer.get(f"{prefix}{name}_us")) for name in ("p50", "p99", "p999"))


def counted(what, key):
    def text(peer):
        return number(peer["counts"].get(what, {}).get(key))
    return text


def of(metric, text):
    return lambda peer: text(peer.get(metric))


LOAD = [
    ("req/s", of("req_s", with_spread)),
    ("to nginx", of("req_s", ratio_to("nginx"))),
    ("CPU us/req", of("cpu_us", with_spread)),
    ("to nginx", of("cpu_us", ratio_to("nginx"))),
    ("to limit", of("cpu_us", ratio_to("limit"))),
    ("p50 p99 p99.9 us at peak", three("")),
    ("fixed rate", of("rate", plain)),
    ("p50 p99 p99.9 us there", three("rate_")),
    ("system calls/req", counted("syscalls", "per_request")),
    ("without waits", counted("syscalls", "without_waits")),
    ("instructions/req", counted("instructions", "per_request")),
    ("PSS MB", of("pss_mb", plain)),
]
IDLE = [
    ("connections", counted("idle", "connections")),
    ("PSS MB before", counted("idle", "base_mb")),
    ("after", counted("idle", "after_mb")),
    ("bytes a connection", counted("idle", "bytes_per_connection")),
]


def cells(row):
    """[[heading …], [peer, text …] …], without the columns that nobody has."""
    columns = IDLE if any("idle" in peer["counts"] for peer in row["peers"].values()) else LOAD
    table = [["", *(heading for heading, _ in columns)]]
    table += [[name, *(text(peer) for _, text in columns)] for name, peer in row["peers"].items()]
    kept = [i for i in range(len(table[0])) if i == 0 or any(line[i].strip("- ") for line in table[1:])]
    return [[line[i] for i in kept] for line in table]


def left_out(row):
    """Whom the table lacks, and why."""
    lines = [f"{name}: {why}" for name, why in row["left_out"].items()]
    lines += [f"{name}: MARKED, not used: {why.splitlines()[0]}" for name, why in row["faults"].items()]
    lines += [f"{name}: MARKED, no fixed rate: {why.splitlines()[0]}" for name, why in row["rate_faults"].items()]
    for name, peer in row["peers"].items():
        lines += [f"{name}: no {what}: {count['left_out']}" for what, count in peer["counts"].items() if "left_out" in count]
        if (peer["counts"].get("idle") or {}).get("refused"):
            lines.append(f"{name}: no more connections: {peer['counts']['idle']['refused']}")
    return lines


def terminal(row):
    table = cells(row)
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    lines = [row["title"]]
    for line in table:
        texts = [line[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(line[1:], widths[1:]))]
        lines.append("  " + "  ".join(texts).rstrip())
    return "\n".join(lines + [f"  {text}" for text in left_out(row)])
