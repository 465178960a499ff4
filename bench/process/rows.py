# SPDX-License-Identifier: Apache-2.0
"""What bench/process/run measures, against whom, and the bars that ours has to meet."""
import dataclasses

METRICS = ["per_s", "cpu_us"]


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    what: str  # of peer.js and peer.cpp
    n: int
    detail: tuple = ()
    peers: tuple = ("pronghorn", "node")
    bars: dict = dataclasses.field(default_factory=dict)  # {peer: (metric, limit of the ratio)}


AT_LEAST_3 = {"node": ("per_s", 3)}

ROWS = [
    Row("spawn", "spawn and exit of /bin/true, one after the other, stdio inherited", "spawn", 1000, ("inherit",),
        ("pronghorn", "node", "posix_spawn"), {"node": ("cpu_us", 0.5), "posix_spawn": ("cpu_us", 1.8)}),
    Row("spawn-pipes", "the same with three pipes, the default", "spawn", 1000, ("pipe",),
        bars={"node": ("cpu_us", 0.5)}),
    Row("messages-100", "messages of 100 bytes, parent to child", "messages", 200_000, ("100",), bars=AT_LEAST_3),
    Row("messages-10k", "messages of 10 KiB, parent to child", "messages", 20_000, ("10240",), bars=AT_LEAST_3),
    Row("pingpong", "messages of 100 bytes, there and back one at a time", "pingpong", 20_000, ("100",)),
    Row("handles", "TCP sockets passed, each acknowledged by the child", "handles", 10_000, bars=AT_LEAST_3),
]
