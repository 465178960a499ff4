#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One of Node's cases, by Node and by us: the same events, each in a permitted order.

usage: compare.py CASE        exit 0, or 1 with what is wrong and both transcripts
       compare.py --list      the cases

PRONGHORN_SCENARIOS names the program of scenarios_*.cpp (CTest sets it). What is to be seen stands in cases.py.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import CASES
from events import disorder, parse, without

HERE = Path(__file__).resolve().parent
SCENARIOS = os.environ.get("PRONGHORN_SCENARIOS", str(HERE.parents[1] / "build/dev/tests/compare/compare_scenarios"))
PATIENCE = 50  # seconds until a run is a failure


class Run:
    """A program in a folder and a session of its own, from start to the end of what it prints."""

    def __init__(self, *command, stdin=subprocess.DEVNULL, before=lambda run: None, scheduling=None):
        self.folder = tempfile.TemporaryDirectory(prefix="pronghorn-compare-")
        before(self)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NODE_")}
        environment |= {"HELLO": "WORLD", "COMPARE_CHILDREN": str(HERE / "node/children"), "LC_ALL": "C"}
        environment |= {"NODE_CLUSTER_SCHED_POLICY": scheduling} if scheduling else {}
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(self.command, cwd=self.folder.name, env=environment, stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def finish(self, given=None, seconds=PATIENCE):
        """(standard output, complaints)"""
        complaints = []
        try:
            out, err = self.process.communicate(given, seconds)
        except subprocess.TimeoutExpired:
            self.end()
            out, err = self.process.communicate()
            complaints.append(f"{self.command}: not over after {seconds} s")
        if self.process.returncode and not complaints:
            complaints.append(f"{self.command}: exit {self.process.returncode}")
        if complaints and err:
            complaints.append(err.decode(errors="replace"))
        return out.decode(), complaints

    def end(self):
        """All of its session; not once it is reaped, as its number may be another's by then."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self):
        self.end()
        self.process.wait()
        self.folder.cleanup()


def start(name, scheduling=None):
    """Both programs of a case, running."""
    runs = {"ours": Run(SCENARIOS, name, scheduling=scheduling)}
    if shutil.which("node"):
        runs["node"] = Run("node", HERE / f"node/{name}.js", scheduling=scheduling)
    else:
        print("no 'node' on PATH: only our side is checked")
    return runs


def check(case, runs):
    """What is wrong with a case, and the transcripts."""
    complaints, events = [], {}
    for who, run in runs.items():
        out, wrong = run.finish()
        complaints += wrong
        events[who] = parse(out, run.folder.name)
        chains = [*case.shown, *(case.ours if who == "ours" else case.node)]
        complaints += [f"{who}: {text}" for text in disorder(events[who], chains)]
        run.close()
    if "node" in events:
        texts = {}
        for who in events:
            expected = [text for difference in case.differences for text in difference.of(who)]
            texts[who], wrong = without(events[who], expected, who)
            complaints += wrong
        complaints += [f"only ours: {t}" for t in surplus(texts["ours"], texts["node"])]
        complaints += [f"only Node's: {t}" for t in surplus(texts["node"], texts["ours"])]
    return complaints, events


def surplus(some, others):
    left = list(others)
    return [text for text in some if not (text in left and not left.remove(text))]


def main():
    if sys.argv[1:] == ["--list"]:
        return print("\n".join(CASES))
    name = sys.argv[1]
    # Of cluster each of Node's schedulings, side by side: what is seen is the same.
    schedulings = ("rr", "none") if name.startswith("cl-") else (None,)
    failed = False
    for scheduling, runs in [(each, start(name, each)) for each in schedulings]:
        complaints, events = check(CASES[name], runs)
        title = f"{name} {scheduling}" if scheduling else name
        if complaints:
            failed = True
            print(f"{title}:", *complaints, sep="\n")
            for who, transcript in events.items():
                print(f"-- {who}", *transcript, sep="\n")
            continue
        both = "Node and ours" if "node" in events else "ours"
        print(f"{title}: {both}: {len(events['ours'])} events")
    sys.exit(failed)


if __name__ == "__main__":
    main()
