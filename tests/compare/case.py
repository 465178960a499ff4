# SPDX-License-Identifier: Apache-2.0
"""What a case is: cases.py and cases_cluster.py have them."""
from dataclasses import dataclass, field


@dataclass
class Difference:
    """`why` is a heading of docs/differences-from-node.md (tests/docs checks that); the events are only Node's, or only
    ours."""
    why: str
    node: list[str] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)

    def of(self, who):
        return self.node if who == "node" else self.ours


@dataclass
class Case:
    """Chains of events `CHILD: A < B`, beside the rules that events.py has for every child."""
    shown: list[str]
    differences: list[Difference] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    node: list[str] = field(default_factory=list)
