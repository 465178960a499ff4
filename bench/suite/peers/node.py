# SPDX-License-Identifier: Apache-2.0
"""Node: one process with node:http, and its cluster."""
import os

from .base import Peer

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node.js")


class Node(Peer):
    name, package, command = "node", "nodejs", "node"
    answers = {"hello": "/", "1k": "/1k.txt", "100k": "/100k.txt", "10m": "/10m.txt", "json": "/json", "echo": "/echo"}
    uncounted = "compiles itself as it goes: a few thousand requests say nothing"

    def unfit(self, row, options):
        return "one process: see node-cluster" if row.workers > 1 else super().unfit(row, options)

    def argv(self, setting):
        return [self.program(setting.options), SCRIPT, setting.root, "0"]

    def start(self, setting):
        server = self.begin(setting, self.argv(setting))
        server.port = int(server.line())
        return server


class NodeCluster(Node):
    name, only_named = "node-cluster", True

    def unfit(self, row, options):
        return Peer.unfit(self, row, options)

    def argv(self, setting):
        return [*super().argv(setting)[:-1], str(setting.row.workers)]
