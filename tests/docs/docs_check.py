#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents keep their word: code below `<!-- region: FILE -->` is that file, relative links lead somewhere, and the
tests that they name exist.

usage: docs_check.py TOP
"""
import json
import re
import sys
from pathlib import Path

REGION = re.compile(r"<!-- region: (\S+) -->\n```\w*\n(.*?)```\n", re.S)
TEST = re.compile(r"`((?:base|ipc|process|server|worker|master|app|compare|e2e|http_cases|fuzz)/[^`…]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def region(path: Path) -> str:
    """The file without its licence line."""
    return "".join(line for line in path.read_text().splitlines(keepends=True) if "SPDX-License-Identifier" not in line)


def http_cases(top: Path) -> list[dict]:
    files = [top / "tests/http_cases/visible.jsonl", *(top / "tests/http_cases/own").glob("*.jsonl")]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def tests(top: Path) -> set[str]:
    """The names that CTest gives: ROOM/CASE of doctest, compare/CASE, e2e/FILE, fuzz/TARGET; and http_cases/CASE."""
    sys.path.insert(0, str(top / "tests/compare"))
    from cases import CASES
    from seeds import SHOWN

    names = {f"compare/{case}" for case in CASES} | {f"compare/seed-{seed}" for seed in (*SHOWN, "fork_parent")}
    names |= {f"e2e/{p.stem.removesuffix('_test')}" for p in (top / "tests/e2e").glob("*_test.py")}
    names |= {f"http_cases/{case['name']}" for case in http_cases(top)}
    names |= {f"fuzz/{p.stem.removesuffix('_fuzz')}" for p in (top / "tests/fuzz").glob("*_fuzz.cpp")}
    for path in (top / "tests/unit").rglob("*.cpp"):
        for quoted in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', path.read_text()):
            names.add(f"{path.parent.name}/" + "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', quoted)))
        for what in re.findall(r'PRONGHORN_CONVERSATION\(\s*\w+,\s*"([^"]*)"\)', path.read_text()):
            names |= {f"process/interop: {both}: {what}" for both in ("our parent, a Node child", "a Node parent, our child")}
    return names


def limit_problems(top: Path, limits: str):
    """Every key of [limits] and [timeouts] has a row with its default, and no row a key that is none."""
    keys = dict(re.findall(r"^### ((?:limits|timeouts)\.\w+)\n.*?^- Default: (`.*?`)$",
                           (top / "docs/reference/configuration.md").read_text(), re.M | re.S))
    rows = dict(re.findall(r"^\| `((?:limits|timeouts)\.\w+)` \| (`.*?`) \|", (top / limits).read_text(), re.M))
    if not keys:
        yield f"{limits}: docs/reference/configuration.md has no limits"
    for key in keys.keys() - rows.keys():
        yield f"{limits}: no row for {key!r}"
    for key in rows.keys() - keys.keys():
        yield f"{limits}: there is no {key!r}"
    for key in keys.keys() & rows.keys():
        if keys[key] != rows[key]:
            yield f"{limits}: the default of {key!r} is {keys[key]}, not {rows[key]}"


def reference_problems(top: Path):
    """Each row of the reference and each difference is pinned by tests; what cases.py calls a difference is one."""
    known = tests(top)
    from cases import CASES

    differences = "docs/differences-from-node.md"
    references = ("docs/reference/child_process.md", "docs/reference/cluster.md")
    limits = "docs/reference/limits.md"
    yield from limit_problems(top, limits)
    for name in (*references, differences, limits):
        for test in TEST.findall((top / name).read_text().replace("\n", " ")):
            if test not in known:
                yield f"{name}: there is no test {test!r}"
    for reference in (*references, limits):
        for row in re.findall(r"^\|(?!-| Node| name).*\|$", (top / reference).read_text(), re.M):
            if not TEST.search(row.rstrip("|").rsplit("|", 1)[1]) and "n/a in C++" not in row:
                yield f"{reference}: no test in the row {row[:60]!r}"
    sections = (top / differences).read_text().split("\n## ")[1:]
    for section in sections:
        if not TEST.search(section.replace("\n", " ")):
            yield f"{differences}: no test shows {section.splitlines()[0]!r}"
    headings = {section.splitlines()[0] for section in sections}
    for case, told in CASES.items():
        for why in {d.why for d in told.differences} - headings:
            yield f"tests/compare/cases.py: {case}: {differences} has no {why!r}"


# The rows of the tables of requirements: letter, number of them.
ROWS = {"R": 30, "H": 8, "F": 13, "L": 11, "T": 17, "E": 5, "C": 14, "S": 7, "N": 9, "G": 10, "P": 14, "A": 6}
WITHOUT_PROXY = {"C12", "C13"}


def conformance_problems(top: Path):
    """Every row of the tables is there and names what shows it; the cases' rows and nginx_test.py's differences as well."""
    name = "docs/conformance.md"
    text, known = (top / name).read_text(), tests(top)
    rows = {row[0].strip(): row for row in (line.strip("|").split(" | ") for line in re.findall(r"^\|.*\|$", text, re.M))}
    for row in [f"{letter}{number}" for letter, count in ROWS.items() for number in range(1, count + 1)]:
        if row not in rows:
            yield f"{name}: there is no row {row}"
        elif row not in WITHOUT_PROXY and not TEST.search(rows[row][-1]):
            yield f"{name}: no test in the row {row}"
    for test in TEST.findall(text.replace("\n", " ")):
        if test not in known:
            yield f"{name}: there is no test {test!r}"
    for case in http_cases(top):
        row = case.get("row", "R1")
        if not row.startswith("attack ") and row not in rows:
            yield f"tests/http_cases: {case['name']}: {name} has no row {row!r}"
    sys.path.insert(0, str(top / "tests/e2e"))
    from nginx_requests import EXPLAINED

    told = set(re.findall(r"^### (.*)$", text, re.M))
    for title in {title for title, *_ in EXPLAINED} ^ told:
        yield f"{name}: {title!r} is told here or in tests/e2e/nginx_requests.py, not in both"


def problems(top: Path):
    documents = [*top.glob("*.md"), *(top / "docs").rglob("*.md")]
    if not any("region: examples/hello/main.cpp" in d.read_text() for d in documents):
        yield "no document shows examples/hello/main.cpp"
    for document in documents:
        text, name = document.read_text(), document.relative_to(top)
        for file, code in REGION.findall(text):
            if not (top / file).is_file():
                yield f"{name}: there is no {file}"
            elif code != region(top / file):
                yield f"{name}: the code is not that of {file}"
        if text.count("<!-- region:") != len(REGION.findall(text)):
            yield f"{name}: a region marker without its code block"
        for link in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.S)):
            target = link.split("#")[0]
            if target and "://" not in target and not (document.parent / target).exists():
                yield f"{name}: the link to {link} leads nowhere"


found = [check for find in (problems, reference_problems, conformance_problems) for check in find(Path(sys.argv[1]))]
print("\n".join(found) or "code, links and names of tests are right")
sys.exit(1 if found else 0)
