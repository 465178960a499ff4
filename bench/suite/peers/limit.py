# SPDX-License-Identifier: Apache-2.0
"""The raw epoll server (bench/limit.cpp), which has one answer: started for each row anew, as every peer is."""
import os

from .base import Peer


class Limit(Peer):
    name = "limit"
    answers = {what: "/" for what in ("hello", "1k", "100k", "10m", "json", "echo")}

    def program(self, options):
        return f"{options.build}/bench/limit"

    def missing(self, options):
        if os.access(self.program(options), os.X_OK):
            return None
        return f"no program at '{self.program(options)}': cmake --preset release && cmake --build --preset release"

    def version(self, _options):
        return "bench/limit.cpp"

    def words(self, setting):
        row = setting.row
        words = [str(row.body_bytes), f"workers={row.workers}", f"request={row.post_bytes}"]
        return words + (["close"] if row.close else []) + (["json"] if row.what == "json" else [])

    def start(self, setting):
        server = self.begin(setting, [self.program(setting.options), *self.words(setting)])
        server.port = int(server.line())
        return server


class Sendfile(Limit):
    name, only_named = "limit-sendfile", True

    def words(self, setting):
        return [*super().words(setting), f"file={setting.root}/{setting.row.what}.txt"]
