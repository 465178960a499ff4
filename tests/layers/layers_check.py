#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads every #include of every room and says where the house's rules are broken (docs/architecture.md).

usage: layers_check.py TOP          exit 0, or 1 with one FILE:LINE: error: text for each violation
CTest runs it as `layers`; layers_self_test.py plants each kind of violation and checks that it is found.
"""
import re
import sys
from pathlib import Path

# Who may include whom, beside itself. base/uv is a room of its own here.
MAY_INCLUDE = {
    "base": set(),
    "base/uv": {"base"},
    "config": {"base"},
    "ipc": {"base", "base/uv"},
    "process": {"base", "base/uv", "ipc"},
    "server": {"base", "base/uv", "config"},
    "worker": {"base", "base/uv", "config", "ipc", "server"},
    "master": {"base", "base/uv", "config", "ipc", "process"},
    "app": {"base", "base/uv", "config", "ipc", "process", "server", "worker", "master"},
}
# Third-party headers by the beginning of their path, and the rooms that may use them.
EVERYWHERE = set(MAY_INCLUDE)
THIRD_PARTY = {
    "uv.h": EVERYWHERE - {"base", "config"},
    "llhttp.h": {"server", "app"},  # app: --version
    "immintrin.h": {"server"},  # of x86: what is used is asked of the processor first
    "wslay/": {"server"},
    "fmt/": EVERYWHERE,
    "spdlog/": {"base"},
    "brotli/": {"server"},
    "zlib.h": {"server"},
    "zstd.h": {"server"},
    "toml++/": {"config"},
    "CLI/": {"app"},
    "nlohmann/": EVERYWHERE - {"base", "base/uv", "server"},
}
# How many .cpp files of the rooms may reach these, directly or through a header: they cost 1.5 to 5 s a file.
EXPENSIVE = {"toml++/": 2, "CLI/": 2, "spdlog/": 2, "nlohmann/json.hpp": 5}
MOST_LINES = 400
UV_CLOSERS = {"base/uv/box.h", "base/uv/loop.cpp"}  # the owners' one deleter, and the loop's own handles
TABLES = {"tests/unit/server/syntax_table_test.cpp"}  # files that may be longer, because they are one table

POSIX = re.compile(r"(sys|net|netinet|arpa|linux|sanitizer)/[\w/]+\.h$|"
                   r"(dirent|errno|fcntl|grp|ifaddrs|netdb|poll|pthread|pwd|sched|signal|stdlib|syslog|termios|time|unistd)\.h$")
STANDARD = re.compile(r"[a-z_]+$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = {".h", ".cpp", ".c", ".py", ".cmake", ".sh"}


def room_of(path: str) -> str | None:
    """The room that a path from the top (base/uv/loop.h) lies in."""
    if path.startswith("base/uv/"):
        return "base/uv"
    room = path.split("/")[0]
    return room if room in MAY_INCLUDE else None


class Check:
    def __init__(self, top: Path):
        self.top = top
        self.problems: list[str] = []
        self.includes: dict[str, list[str]] = {}  # file -> the paths from the top, or third-party names
        self.public = self.public_headers()

    def problem(self, file: str, line: int, text: str) -> None:
        self.problems.append(f"{file}:{line}: error: {text}")

    def files(self, *folders: str) -> list[str]:
        found = []
        for folder in folders:
            found += (p for p in (self.top / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        return sorted(str(p.relative_to(self.top)) for p in found)

    def public_headers(self) -> set[str]:
        """What is installed: the HEADERS of each room's CMakeLists.txt, and the umbrella headers."""
        public = {f for f in self.files("include") if f.endswith(".h")}
        for room in MAY_INCLUDE:
            lists = self.top / room / "CMakeLists.txt"
            if lists.is_file():
                match = re.search(r"\bHEADERS\b(.*?)(\bDEPS\b|\bLIBS\b|\bSOURCES\b|\))", lists.read_text(), re.S)
                public |= {f"{room}/{name}" for name in match.group(1).split()} if match else set()
        return public

    def resolve(self, quote: str, name: str) -> str | None:
        """Path from the top of one of our own headers; None for anything else."""
        if quote == "<" and name.startswith("pronghorn/"):
            rest = name.removeprefix("pronghorn/")
            return rest if "/" in rest else f"include/pronghorn/{rest}"
        return name if quote == '"' else None

    def check_include(self, file: str, line: int, quote: str, name: str) -> None:
        room, own = room_of(file), self.resolve(quote, name)
        is_public = file in self.public
        if own is not None:
            self.includes[file].append(own)
            target = room_of(own)
            if target is None and not own.startswith("include/pronghorn/"):
                self.problem(file, line, f'"{name}" names no room; write "room/x.h" or <pronghorn/room/x.h>')
            elif room and target and target != room and target not in MAY_INCLUDE[room]:
                self.problem(file, line, f"{room} must not include {target} ({name})")
            if is_public and own not in self.public:
                self.problem(file, line, f"a public header includes {own}, which is not installed")
            if file.startswith("examples/") and own not in self.public:
                self.problem(file, line, f"an example includes {own}, which is not public")
            return
        if STANDARD.match(name) or POSIX.match(name):
            return
        self.includes[file].append(name)
        users = next((rooms for start, rooms in THIRD_PARTY.items() if name.startswith(start)), None)
        if users is None:
            self.problem(file, line, f"<{name}> is in no list of this check")
        elif room and room not in users:
            self.problem(file, line, f"{room} must not include <{name}>")
        if is_public and file not in {"include/pronghorn/json.h", "include/pronghorn/json_fwd.h"}:
            self.problem(file, line, f"a public header includes <{name}>")

    def check_source(self, file: str) -> None:
        lines = (self.top / file).read_text().splitlines()
        self.includes[file] = []
        for number, text in enumerate(lines, 1):
            match = INCLUDE.match(text)
            if match and not file.startswith(("tests/", "bench/")):
                self.check_include(file, number, *match.groups())
            if not file.startswith("tests/") and file not in UV_CLOSERS and re.search(r"\buv_close\s*\(", text):
                self.problem(file, number, "only base/uv/box.h may call uv_close")

    def check_form(self, file: str) -> None:
        """The licence line first (below a #! line), and no giants."""
        lines = (self.top / file).read_text().splitlines()
        head = lines[1:2] if lines[:1] and lines[0].startswith("#!") else lines[:1]
        if not head or "SPDX-License-Identifier: Apache-2.0" not in head[0]:
            self.problem(file, 1, "the first line must be the SPDX line")
        if len(lines) > MOST_LINES and file not in TABLES:
            self.problem(file, MOST_LINES + 1, f"{len(lines)} lines; at most {MOST_LINES}")

    def reached(self, file: str, seen: set[str]) -> set[str]:
        for name in self.includes.get(file, []):
            if name not in seen:
                seen.add(name)
                self.reached(name, seen)
        return seen

    def check_expensive(self) -> None:
        for start, most in EXPENSIVE.items():
            users = [f for f in self.includes if f.endswith(".cpp") and room_of(f)
                     and any(name.startswith(start) for name in self.reached(f, set()))]
            for file in users[most:]:
                self.problem(file, 1, f"the {len(users)}th file that reaches <{start}…>; at most {most} may: {users}")

    def run(self) -> list[str]:
        ours = self.files(*(r for r in MAY_INCLUDE if "/" not in r), "include", "examples", "tests", "bench",
                          "cmake", "scripts", "packaging")
        if not any(room_of(f) for f in ours):
            self.problem(str(self.top), 1, "no room found here")
        for file in ours:
            path = Path(file)
            is_script = path.suffix == "" and (self.top / file).read_bytes()[:2] == b"#!"
            if path.suffix in SOURCES or path.name == "CMakeLists.txt" or is_script:
                self.check_form(file)
            if path.suffix in {".h", ".cpp"}:
                self.check_source(file)
        self.check_expensive()
        return self.problems


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    problems = Check(Path(sys.argv[1])).run()
    print("\n".join(problems) or "every include is allowed")
    sys.exit(1 if problems else 0)
