#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/run measures, in its shortest form: nothing of its figures is judged, only that all are there.

usage: smoke_test.py        PRONGHORN_BUILD names the build folder
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev"))


def bench(*arguments, **environment):
    return subprocess.run([sys.executable, "-B", TOP / "bench/run", "--build", BUILD, *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=100, env=os.environ | environment)


def fields_of(value, own=("versions", "rows", "peers", "left_out", "faults", "rate_faults", "head_bytes", "calls")):
    """The names of all fields of a JSON result; what stands in `own` has names of its own kind."""
    if isinstance(value, list):
        return {name for entry in value for name in fields_of(entry)}
    if not isinstance(value, dict):
        return set()
    names = set(value)
    for name, entry in value.items():
        entries = entry.values() if isinstance(entry, dict) and name in own else [entry]
        names |= {found for each in entries for found in fields_of(each)}
    return names - {"pronghorn"}


@unittest.skipUnless(shutil.which("wrk") or "CI" in os.environ, "no wrk here")
class Smoke(unittest.TestCase):
    def test_all_figures_of_the_shortest_run_are_there(self):
        with tempfile.TemporaryDirectory(prefix="pronghorn-smoke-") as folder:
            folder = Path(folder)
            done = bench("--quick", "--servers", "pronghorn,limit", "--only", "keepalive,idle", "--idle", "100", "--rate", "500",
                         "--count-by", "strace", "--json", folder / "out.json", "--markdown", folder / "out.md", "--svg", folder / "charts")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            out = json.loads((folder / "out.json").read_text())
            for peer in ("pronghorn", "limit"):
                measured = out["rows"]["keepalive"]["peers"][peer]
                for metric in ("req_s", "cpu_us", "p50_us", "p99_us", "pss_mb", "rate_p50_us", "rate_p99_us", "rate_cpu_us"):
                    self.assertGreater(measured[metric]["median"], 0, (peer, metric))
                if shutil.which("strace") and "left_out" not in measured["counts"]["syscalls"]:  # some may not trace
                    self.assertGreater(measured["counts"]["syscalls"]["without_waits"], 1)
                idle = out["rows"]["idle"]["peers"][peer]["counts"]["idle"]
                self.assertEqual(idle["connections"], 100)
            self.assertIn("limit", out["rows"]["keepalive"]["peers"]["pronghorn"]["cpu_us"]["to"])
            self.assertIn("| pronghorn |", (folder / "out.md").read_text())
            page = (TOP / "docs/performance.md").read_text()
            for field in fields_of(out):
                self.assertIn(f"`{field}`", page)
            for chart in ("overview", "keepalive", "idle"):
                xml.parse(folder / f"charts/{chart}.svg")

    def test_a_server_that_is_named_must_be_there(self):
        done = bench("--quick", "--servers", "limit,haproxy", PATH="/nowhere")
        if Path("/usr/sbin/haproxy").exists():
            done = bench("--quick", "--servers", "limit,pronghorn", "--build", "/nowhere")
            self.assertIn("error: limit: no program at '/nowhere/bench/limit'", done.stderr)
        else:
            self.assertIn("error: haproxy: not installed: apt install haproxy", done.stderr)
        self.assertEqual(done.returncode, 2)

    def test_pronghorn_must_be_there_unless_it_is_left_out(self):
        done = bench("--quick", "--only", "", "--build", "/nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr.startswith("bench/run: error: pronghorn: no program at '/nowhere/pronghorn'"), done.stderr)
        done = bench("--quick", "--only", "", "--servers", "limit")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_cannot_be_written_is_told_before_it_is_measured(self):
        with tempfile.TemporaryDirectory(prefix="pronghorn-smoke-") as folder:
            missing, file = f"{folder}/none/x", f"{folder}/file"
            Path(file).write_text("kept")
            for option, path in (("--json", missing), ("--markdown", missing), ("--svg", f"{file}/charts"), ("--json", folder)):
                done = bench("--only", "keepalive", "--servers", "limit", option, path)
                self.assertEqual((done.returncode, done.stdout), (2, ""), (option, done.stderr))
                self.assertRegex(done.stderr, f"^bench/run: error: {option} {path}: [A-Z][^\n]*\n$")
            # What is there is not touched, nor anything left, when something else is wrong.
            done = bench("--json", file, "--markdown", f"{folder}/new", "--from", missing)
            self.assertEqual((done.returncode, Path(file).read_text(), os.listdir(folder)), (2, "kept", ["file"]))

    def test_the_readme_is_of_a_full_run_only(self):
        before = (TOP / "README.md").read_text()
        for more in (("--quick",), ("--rounds", "8"), ("--only", ""), ("--servers", ""), ("--servers", "limit")):
            done = bench("--readme", *more)
            self.assertEqual((done.returncode, done.stdout), (2, ""), more)
            self.assertRegex(done.stderr, "^bench/run: error: --readme: [^\n]*\n$")
        self.assertEqual((TOP / "README.md").read_text(), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
