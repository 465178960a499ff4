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


def cases():
    return {case["name"]: case for case in map(json.loads, (CASES / "visible.jsonl").read_text().splitlines())}


def run_cases(port):
    """({name: result}, what else the runner said, exit code) of all cases, the slow ones too."""
    done = subprocess.run([sys.executable, "-B", CASES / "run_cases.py", "127.0.0.1", str(port), "--slow", "--json"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
    lines = done.stdout.splitlines()
    results = [json.loads(line) for line in lines if line.startswith("{")]
    said = [line for line in lines if not line.startswith("{")] + done.stderr.splitlines()
    return {result["name"]: result for result in results}, said, done.returncode


class KnownFailures(unittest.TestCase):
    def test_each_is_a_case_and_none_is_about_paths_or_smuggling(self):
        every = cases()
        for name in known_failures():
            with self.subTest(name):
                self.assertIn(name, every)
                self.assertNotIn(every[name]["cat"], NEVER_KNOWN)


class HttpCases(unittest.TestCase):
    def test_what_fails_is_what_is_known_to_fail(self):
        with tempfile.TemporaryDirectory(prefix="pronghorn-cases-") as folder:
            os.chmod(folder, 0o755)
            subprocess.run([CASES / "make_fixture.sh", folder], check=True, stdin=subprocess.DEVNULL)
            with Server(root=Path(folder, "www"), config=CASES / "server.toml", workers=None) as server:
                workers = server.worker_pids()
                results, said, _ = run_cases(server.port)
                self.assertEqual(server.worker_pids(), workers, "a worker died: " + server.stderr())
        failed = {name: result for name, result in results.items() if not result["pass"]}
        print(f"{len(results) - len(failed)} of {len(results)} cases passed", flush=True)
        self.assertEqual(set(results), set(cases()), said)
        self.assertEqual(len(said), 1, said)  # the count; another line says that the server is gone
        known = known_failures()
        unexpected = [f"[{r['cat']}/{r['level']}] {name}: {r['why']} ({r['rfc']})"
                      for name, r in failed.items() if name not in known]
        self.assertEqual(unexpected, [], "cases that fail:\n" + "\n".join(unexpected))
        repaired = sorted(known - set(failed))
        self.assertEqual(repaired, [], "these pass now; take them out of known_failures.txt")


if __name__ == "__main__":
    main()
