# SPDX-License-Identifier: Apache-2.0
"""What bench/cluster/run measures, of whom, and the bars that ours has to meet."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Bar:
    peer: str
    metric: str
    most: float | None = None   # of the value, or with `to` of the ratio to that peer's
    least: float | None = None
    to: str | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    what: str  # load or restart
    peers: tuple
    close: bool = False
    bars: tuple = ()


NODE = ("pronghorn run", "node cluster", "pm2")
OURS = ("serve round_robin", "serve shared", "serve reuseport", "alone")

ROWS = [
    # 'floor' makes the system calls of a hand-over and nothing else: docs/decisions/0015.
    Row("node-close", "a Node application, one request per connection, round robin", "load", (*NODE, "floor"), True,
        (Bar("pronghorn run", "primary_us", most=0.25, to="node cluster"),
         Bar("pronghorn run", "primary_us", most=0.25, to="pm2"),
         Bar("pronghorn run", "primary_us", most=1.25, to="floor"))),
    Row("node-keepalive", "the same, keep-alive", "load", NODE, False,
        (Bar("pronghorn run", "req_s", least=1.0, to="node cluster"), Bar("pronghorn run", "req_s", least=1.0, to="pm2"))),
    Row("close", "C++ workers, one request per connection", "load", OURS, True,
        (Bar("serve round_robin", "cpu_us", most=60), Bar("serve shared", "cpu_us", most=1.05, to="alone"))),
    Row("keepalive", "C++ workers, keep-alive", "load", OURS, False,
        (Bar("serve shared", "cpu_us", most=1.05, to="alone"),)),
    Row("restart", "from kill -9 of the only worker to its successor's first answer", "restart",
        (*NODE, "serve round_robin", "serve shared")),
]

# {metric: (heading, width)}
METRICS = {"load": {"req_s": ("req/s", 9), "cpu_us": ("CPU us/req", 10), "primary_us": ("primary's", 9)},
           "restart": {"ms": ("ms", 8)}}
