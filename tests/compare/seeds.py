#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One program of examples/seeds and Node with an equivalent script: the same lines, each in a permitted order.

usage: seeds.py PROGRAM       exit 0, or 1 with what is wrong and both outputs

PRONGHORN_SEEDS names the folder of the programs (CTest sets it). Process numbers and runs of spaces are not compared.
"""
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from compare import HERE, PATIENCE, Run

SEEDS = Path(os.environ.get("PRONGHORN_SEEDS", HERE.parents[1] / "build/dev/examples"))
NODE = HERE / "node/seeds"

# PROGRAM: (lines that must be there, [(A, B)]: of the first n lines, for each n, at least as many begin with A as
# with B; so each child's A comes before its B, whichever child it is)
THREE = [f"Child Process {i} executed." for i in range(3)]
SHOWN = {
    "spawn_wc": (["1 2 12", "", "child process exited with code 0"], []),
    "exec_find": (["Number of files 3", ""], []),
    "exec_file": ([""], []),
    "cluster_demo": (["Master PID is running", "Forking process number 0...", "Worker PID started and finished"],
                     [("Master", "Forking process number 0"), ("Forking", "Worker")]),
    "exec_three": (["Child process exited with exit code 0"] * 3 + ["stdout: " + line for line in THREE] +
                   [""] * 3 + ["stderr:"] * 3,
                   [("Child process exited", "stdout:"), ("stdout:", "stderr:"), ("stdout:", "")]),
    "spawn_three": (["stdout: " + line for line in THREE] + [""] * 3 + ["child process exited with code 0"] * 3,
                    [("stdout:", "child process exited"), ("stdout:", "")]),
    "fork_three": (THREE + ["child process exited with code 0"] * 3, [("Child Process", "child process exited")]),
}


def lines(output):
    """Without process numbers, and one space for many."""
    text = re.sub(r"(Master|Worker) \d+", r"\1 PID", output)
    return [" ".join(line.split()) for line in text.split("\n")[:-1]]


def begins(line, start):
    return line.startswith(start) if start else line == ""


def disorder(seen, rules):
    for first, then in rules:
        balance = 0
        for line in seen:
            balance += begins(line, first) - begins(line, then)
            if balance < 0:
                yield f"{line!r} before its {first!r}"
                break


def prepare(run):
    for name in ("a", "b", "below/c"):
        path = Path(run.folder.name) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")


def check(program):
    required, rules = SHOWN[program]
    runs = {"ours": Run(SEEDS / program, stdin=subprocess.PIPE, before=prepare),
            "node": Run("node", NODE / f"{program}.js", stdin=subprocess.PIPE, before=prepare)}
    complaints, seen = [], {}
    for who, run in runs.items():
        out, wrong = run.finish(b"Hello World\n")
        run.close()
        seen[who] = lines(out)
        complaints += wrong + [f"{who}: {text}" for text in disorder(seen[who], rules)]
        complaints += [f"{who}: no line {line!r}" for line in required if seen[who].count(line) < required.count(line)]
    if sorted(seen["ours"]) != sorted(seen["node"]):
        complaints.append("not the same lines")
    return complaints, seen


def talk(run):
    """What a parent that never ends, and its child, print up to the second counter; then the parent is ended, and the
    end of the output says that the child has left, too."""
    command, out, complaints = run.command, b"", []
    deadline = time.monotonic() + PATIENCE
    while b"counter: 1 }" not in out and not complaints:
        left = deadline - time.monotonic()
        readable = select.select([run.process.stdout], [], [], max(left, 0))[0]
        more = os.read(run.process.stdout.fileno(), 4096) if readable else b""
        out += more
        if not more:
            complaints.append(f"{command}: no second counter, exit {run.process.poll()}")
    run.process.send_signal(signal.SIGTERM)
    try:
        out += run.process.communicate(timeout=PATIENCE)[0]
    except subprocess.TimeoutExpired:
        complaints.append(f"{command}: the child outlives its parent")
    run.close()
    return lines(out.decode()), complaints


def check_fork_parent():
    """Ours with ours, Node with Node, and a Node parent with our child."""
    commands = {"ours": [SEEDS / "fork_parent"], "node": ["node", NODE / "fork_parent.js"],
                "node and ours": ["node", NODE / "fork_parent.js", SEEDS / "fork_child"]}
    runs = {who: Run(*command) for who, command in commands.items()}  # all at once: each takes two seconds
    complaints, seen = [], {}
    for who, run in runs.items():
        seen[who], wrong = talk(run)
        places = [seen[who].index(line) if line in seen[who] else None
                  for line in ("Message from child { counter: 0 }", "Message from child { counter: 1 }")]
        complaints += wrong
        if "Message from parent: { hello: 'world' }" not in seen[who] or places != sorted(p or 0 for p in places):
            complaints.append(f"{who}: not what it must print")
    return complaints, seen


def main():
    if not shutil.which("node"):
        return print("skipped: no 'node' on PATH")
    program = sys.argv[1]
    complaints, seen = check_fork_parent() if program == "fork_parent" else check(program)
    if complaints:
        print("\n".join(map(str, complaints)))
        for who, transcript in seen.items():
            print(f"-- {who}", *transcript, sep="\n")
        sys.exit(1)
    print(f"{program}: as Node, {len(seen['ours'])} lines")


if __name__ == "__main__":
    main()
