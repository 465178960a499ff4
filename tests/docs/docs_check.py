#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents keep their word: code below `<!-- region: FILE -->` is that file, and relative links lead somewhere.

usage: docs_check.py TOP
"""
import re
import sys
from pathlib import Path

REGION = re.compile(r"<!-- region: (\S+) -->\n```\w*\n(.*?)```\n", re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def region(path: Path) -> str:
    """The file without its licence line."""
    return "".join(line for line in path.read_text().splitlines(keepends=True) if "SPDX-License-Identifier" not in line)


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


found = list(problems(Path(sys.argv[1])))
print("\n".join(found) or "code and links are right")
sys.exit(1 if found else 0)
