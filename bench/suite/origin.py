# SPDX-License-Identifier: Apache-2.0
"""On what machine, of which commit and how each row was measured: rows of several results need not be alike in it."""

# Said where rows differ in it; whom and what was measured beside the peak the tables show.
OPTIONS = {"idle": "--idle", "rate": "--rate", "rate_of": "--rate-of", "rate_share": "--rate-share", "access_log": "--access-log"}


def of_rows(out):
    """[(row, its machine, its options)]: of a result of several each row has its own, else the result has both."""
    rows = [(name, row.get("machine") or out["machine"], row.get("options") or out["options"]) for name, row in out["rows"].items()]
    return rows or [("", out["machine"], out["options"])]


def facts(machine, options):
    """{what: its text}."""
    rounds = "round" if options["rounds"] == 1 else "rounds"
    return {"cpu": machine["cpu"], "cpus": f"{machine['cpus']} CPUs", "kernel": f"Linux {machine['kernel']}",
            "commit": f"commit {machine['commit']}", "load": f"load {machine['load_before']:.1f}",
            "rounds": f"medians of {options['rounds']} {rounds} of {options['seconds']} s",
            **{key: f"{word} {options[key]}" for key, word in OPTIONS.items() if options.get(key) is not None},
            **{f"version of {name}": f"{name}: {text}" for name, text in machine["versions"].items()}}


def split(out):
    """(what is so of all rows: {what: text}, [a line for the rows that are alike in what is not])."""
    of_row = {name: facts(machine, options) for name, machine, options in of_rows(out)}
    found = {}
    for entry in of_row.values():
        for what, text in entry.items():
            found.setdefault(what, set()).add(text)
    groups = {}
    for name, entry in of_row.items():
        own = [entry[what] for what, texts in found.items() if len(texts) > 1 and what in entry]
        groups.setdefault(", ".join(own), []).append(name)
    lines = [f"rows {', '.join(names)}: {own}" for own, names in groups.items() if own]
    return {what: texts.pop() for what, texts in found.items() if len(texts) == 1}, lines


def values(out, value):
    """[(value(machine, options), " of " these rows, or "" where all are alike)]."""
    groups = {}
    for name, machine, options in of_rows(out):
        groups.setdefault(value(machine, options), []).append(name)
    return [(found, f" of {', '.join(names)}" if len(groups) > 1 else "") for found, names in groups.items()]
