#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The raw HTTP cases of tests/http_cases against the program: what fails must be exactly what known_failures.txt says.

usage: http_cases_test.py [BINARY]        or PRONGHORN_BINARY
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
    os.environ["PRONGHORN_BINARY"] = os.path.abspath(sys.argv.pop(1))

from support import TOP, Server, main  # noqa: E402  (reads PRONGHORN_BINARY when imported)

CASES = TOP / "tests/http_cases"
NEVER_KNOWN = {"path", "smuggle"}


def known_failures():
    """Case names, one a line; '#' begins a comment."""
    lines = (CASES / "known_failures.txt").read_text().splitlines()
    return {name for line in lines if (name := line.split("#")[0].strip())}


def files():
    return [CASES / "visible.jsonl", *sorted((CASES / "own").glob("*.jsonl"))]


def cases():
    return [json.loads(line) for file in files() for line in file.read_text().splitlines()]


def run_cases(port, *how):
    """({name: result}, what else the runner said) of all cases."""
    done = subprocess.run([sys.executable, "-B", CASES / "run_cases.py", "127.0.0.1", str(port), *files(), "--json",
                           "--jobs", "24", *how], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)
    lines = done.stdout.splitlines()
    results = [json.loads(line) for line in lines if line.startswith("{")]
    said = [line for line in lines if not line.startswith("{")] + done.stderr.splitlines()
    return {result["name"]: result for result in results}, said


class Cases(unittest.TestCase):
    def test_each_has_a_name_of_its_own(self):
        names = [case["name"] for case in cases()]
        self.assertEqual(len(names), len(set(names)), {name for name in names if names.count(name) > 1})

    def test_each_known_failure_is_a_case_and_none_is_about_paths_or_smuggling(self):
        every = {case["name"]: case for case in cases()}
        for name in known_failures():
            with self.subTest(name):
                self.assertIn(name, every)
                self.assertNotIn(every[name]["cat"], NEVER_KNOWN)


class HttpCases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="pronghorn-cases-"))
        os.chmod(folder, 0o755)
        subprocess.run([CASES / "make_fixture.sh", folder], check=True, stdin=subprocess.DEVNULL)
        cls.server = cls.enterClassContext(Server(root=Path(folder, "www"), config=CASES / "server.toml", workers=None))
        cls.workers = cls.server.worker_pids()

    def judge(self, *how, slow):
        results, said = run_cases(self.server.port, *how)
        self.assertEqual(self.server.worker_pids(), self.workers, "a worker died: " + self.server.stderr())
        failed = {name: result for name, result in results.items() if not result["pass"]}
        print(f"{len(results) - len(failed)} of {len(results)} cases passed {' '.join(how)}", flush=True)
        self.assertEqual(set(results), {case["name"] for case in cases() if slow or not case.get("slow")}, said)
        self.assertEqual(len(said), 1, said)  # the count; another line says that the server is gone
        known = known_failures()
        unexpected = [f"[{r['cat']}/{r['level']}] {name}: {r['why']} ({r['rfc']})"
                      for name, r in failed.items() if name not in known]
        self.assertEqual(unexpected, [], "cases that fail:\n" + "\n".join(unexpected))
        repaired = sorted(known - set(failed))
        self.assertEqual(repaired, [], "these pass now; take them out of known_failures.txt")

    def test_what_fails_is_what_is_known_to_fail(self):
        self.judge("--slow", slow=True)

    def test_byte_by_byte_it_is_the_same(self):
        self.judge("--bytewise", slow=False)


if __name__ == "__main__":
    main()
