# SPDX-License-Identifier: Apache-2.0
"""Ours: the program with routes and files of its configuration, and examples/techempower for what handlers make."""
import os
import re

from ..server import BenchError, most_connections
from .base import Peer

TOML = """\
root = "{root}"
workers = {workers}
max_connections = {connections}
access_log = "{access_log}"
access_log_flush = "{flush}"
control = "{folder}/control"

[limits]
requests_per_connection = 0

[timeouts]
keepalive = "600s"
{routes}"""
ROUTES = """
[[routes]]
path = "/"
handler = "text"
text = "Hello, World!"

[[routes]]
path = "/echo"
handler = "echo"
"""
READY = re.compile(r"ready http://127\.0\.0\.1:(\d+) ")


class Pronghorn(Peer):
    name = "pronghorn"
    version_flag = "--version"
    answers = {"hello": "/", "1k": "/1k.txt", "100k": "/100k.txt", "10m": "/10m.txt", "echo": "/echo", "json": "/json",
               "plaintext": "/plaintext"}
    log = "off"

    def program(self, options):
        return f"{options.build}/pronghorn"

    def example(self, options):
        return f"{options.build}/examples/techempower"

    def missing(self, options):
        if os.access(self.program(options), os.X_OK):
            return None
        return f"no program at '{self.program(options)}': cmake --preset release && cmake --build --preset release"

    def unfit(self, row, options):
        if row.what in ("json", "plaintext") and not os.access(self.example(options), os.X_OK):
            return "examples/techempower is not built: cmake -DPRONGHORN_BUILD_EXAMPLES=ON"
        return super().unfit(row, options)

    def start(self, setting):
        options, by_example = setting.options, setting.row.what in ("json", "plaintext")
        conf = setting.write("pronghorn.toml", TOML.format(
            root=setting.root, workers=setting.row.workers, connections=most_connections(), folder=setting.folder,
            access_log=self.log if self.log == "off" else f"{setting.folder}/access.log",
            flush="1s" if self.log == "buffered" else "0ms", routes="" if by_example else ROUTES))
        argv = [self.example(options)] if by_example else [self.program(options), "serve"]
        shim = f"{options.build}/bench/valgrind_worker.so"
        more = {}
        if setting.under:  # the worker, not the master, is what is counted: the shim starts it so
            more = {"LD_PRELOAD": shim, "BENCH_UNDER": "\n".join(setting.under)}
            argv[0] = os.path.realpath(argv[0])
        server = super().begin(setting_without_under(setting), [*argv, "--config", conf, "--listen", "127.0.0.1:0"], **more)
        ready = server.line()
        found = READY.match(ready)
        if not found:
            server.stop()
            raise BenchError(f"pronghorn's first line is not a ready line: {ready!r}")
        server.port = int(found.group(1))
        return server


def setting_without_under(setting):
    return type(setting)(setting.options, setting.row, setting.folder, setting.root, setting.cpus)


class WithLog(Pronghorn):
    name = "pronghorn-log"
    only_named = True

    def start(self, setting):
        self.log = setting.options.access_log
        return super().start(setting)
