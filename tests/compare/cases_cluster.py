# SPDX-License-Identifier: Apache-2.0
"""The cases of cluster, as cases.py has those of child_process. A worker is `w` and its number; what its primary tells
at the cluster's level begins with `cluster-`, what the worker says of itself with `own-` or has a word of its own."""
from case import Case

UP = "connected=true dead=false left=false member=true state="
# A worker that died: told at both levels, still a member at 'disconnect', none at 'exit'.
DIED = "connected=false dead=false left=false member=true state=\"disconnected\""
DEAD = "connected=false dead=true left={left} member=false state=\"dead\""


def start(worker):
    return f'{worker}: fork {UP}"none" < online {UP}"online" < cluster-online {UP}"online"'


LISTENS = ' < listening address="127.0.0.1" port=true type=4 < cluster-listening address="127.0.0.1" port=true type=4'


def died(worker, how):
    code, signal = (how, "") if isinstance(how, int) else (None, how)
    said = f'code={"null" if code is None else code} connected=false dead=true left=false member=false signal="{signal}" state="dead"'
    return f"{worker}: disconnect {DIED} < cluster-disconnect {DIED} < exit {how} < cluster-exit {said}"


def left(worker, member):
    """It was told to, or wanted to: by its own account it is still a member at 'disconnect'."""
    at = f'connected=false dead=false left=true member={member} state="disconnected"'
    said = 'code=0 connected=false dead=true left=true member=false signal="" state="dead"'
    return f"{worker}: disconnect {at} < cluster-disconnect {at} < exit 0 < cluster-exit {said}"


CASES = {
    "cl-basic": Case([
        "cluster: fact kinds=[true, true, false]",
        "cluster: setup args=[] silent=false"]
        + [chain for n in (1, 2) for chain in (
            f'w{n}: fact forked=[{n}, "none", true, true] < fork',
            start(f"w{n}") + LISTENS,
            f"w{n}: kinds id={n} primary=false worker=true",
            f'w{n}: environment given="given {n}" hidden=[false, false, false] < cluster-listening',
            died(f"w{n}", "SIGTERM"))]),
    "cl-message": Case([
        start("w1"),
        'w1: cluster-message {"first": [1, null, "two"]} < message {"first": [1, null, "two"]} < cluster-message {"to": "worker"}'
        ' < message {"to": "worker"} < cluster-message "text" < message "text" < disconnect',
        'w1: received message={"to": "worker"} < received message="text" < disconnect',
        left("w1", "false")]),
    "cl-message-early": Case([
        start("w1") + ' < cluster-message "now" < message "now" < disconnect',
        'w1: received message="now" < disconnect',
        left("w1", "true")]),
    "cl-worker-exit": Case([
        start("w1"),
        died("w1", 42),
        "w1: exit 42 < fact gone=true < fact codes=[42, null]"]),
    "cl-eaddrinuse": Case([
        start("w1") + ' < server-error code="EADDRINUSE" < disconnect',
        left("w1", "true")]),
    "cl-setup": Case([
        "cluster: returned < setup args=[] silent=true < setup args=[\"a\", \"b\"] silent=true < setup args=[\"a\", \"b\"] silent=false",
        "w1: fact piped=true < fork",
        'w1: fact printed="args a b"',
        "w2: fact piped=false < fork",
        left("w1", "true"),
        left("w2", "true")]),
    "cl-disconnect": Case([
        start("w1") + LISTENS,
        start("w2") + LISTENS,
        'w1: listening < returned connected=true dead=false left=true member=false state="listening" < cluster-listening',
        left("w1", "false"),
        left("w2", "true"),
        *(f"w{n}: own-disconnect connected=false left=true < ends code=0 < exit" for n in (1, 2))]),
    "cl-kill": Case([
        *(start(f"w{n}") + LISTENS for n in (1, 2, 3)),
        f'w1: listening < returned {UP}"listening" < cluster-listening',
        died("w1", "SIGTERM"),
        left("w2", "true"),
        "w2: own-disconnect left=true < exit 0",
        died("w3", "SIGKILL")]),
    "cl-crash": Case([
        start("w1") + LISTENS,
        died("w1", "SIGKILL"),
        start("w2"),
        left("w2", "true")]),
    "cl-disconnect-all": Case([
        "cluster: returned < done-none < setup",
        # Node's documentation says: when all are disconnected, and so does ours. Node itself calls back with the first exit,
        # which may come before the other's disconnect.
        "cluster: asked left=0 < of-disconnect n=1 < done left=0 < of-exit n=2",
        "cluster: of-disconnect n=2",
        left("w1", "false"),
        left("w2", "false")], ours=["cluster: of-disconnect n=2 < done left=0"]),
    "cl-primary-gone": Case([
        start("w1") + LISTENS,
        "w1: own-disconnect left=false < ends code=0"]),
    "cl-port-zero": Case([
        "cluster: fact ports=[2, 2, 0]",
        *(start(f"w{n}") + LISTENS for n in (1, 2)),
        left("w1", "false"),
        left("w2", "false")]),
    "cl-same-port": Case([
        start("w1") + LISTENS,
        'w1: server-error code="EADDRINUSE" < disconnect',
        left("w1", "true")]),
    "cl-exclusive": Case([
        'w2: server-error code="EADDRINUSE" < disconnect',
        left("w2", "true"),
        died("w1", "SIGTERM")]),
    "cl-unix": Case([
        *(start(f"w{n}") + ' < listening address="<folder>/socket" port=false type=-1'
          ' < cluster-listening address="<folder>/socket" port=false type=-1 < disconnect' for n in (1, 2)),
        "cluster: fact there=true < fact left=false",
        left("w1", "false"),
        left("w2", "false")]),
}
