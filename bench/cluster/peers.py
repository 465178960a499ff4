# SPDX-License-Identifier: Apache-2.0
"""The clusters that bench/cluster/run compares. Each is a started Server with `primary`, the pid of the process
that hands connections over, or None."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.dirname(HERE), f"{TOP}/tests/e2e"]
import node_packages  # noqa: E402
from suite.peers.pronghorn import ROUTES, TOML  # noqa: E402
from suite.server import BenchError, Server, free_port, most_connections  # noqa: E402

APP = f"{HERE}/app.js"


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PRONGHORN_", "NODE_", "PM2_"))}
    return kept | {name: str(value) for name, value in more.items()}


def needs(program):
    if not os.access(program, os.X_OK):
        raise BenchError(f"no program at '{program}'\n  try: cmake --preset release && cmake --build --preset release")
    return program


def ready_port(server):
    """Of `pronghorn`'s ready line, which may come after the workers' own."""
    while True:
        line = server.line()
        if found := re.match(r"ready (?:http://)?127\.0\.0\.1:(\d+) ", line):
            return int(found.group(1))


def start_run(options, folder, cpus, workers):
    argv = [needs(f"{options.build}/pronghorn"), "run", "--workers", str(workers), "--node", options.node, APP]
    server = Server("pronghorn run", argv, cpus, f"{folder}/run.err", environment(PRONGHORN_CONTROL=f"{folder}/control-run"))
    server.port = ready_port(server)
    server.primary = server.process.pid
    return server


def start_floor(options, folder, cpus, workers):
    argv = [needs(f"{options.build}/bench/cluster/floor"), options.node, APP, str(workers)]
    server = Server("floor", argv, cpus, f"{folder}/floor.err", environment())
    server.port = ready_port(server)
    server.primary = server.process.pid
    return server


def start_node(options, folder, cpus, workers):
    argv = [options.node, f"{TOP}/tests/node/apps/cluster.js", APP, str(workers)]
    # A port of its own choice would be another one after the death of the only worker.
    server = Server("node cluster", argv, cpus, f"{folder}/node.err", environment(PORT=free_port()))
    server.port = int(re.fullmatch(r"ready (\d+)\n", server.line()).group(1))
    server.primary = server.process.pid
    return server


class Pm2(Server):
    """The daemon is the primary; it is told to start, and to go, by its own command."""

    def __init__(self, options, folder, cpus, workers):
        self.name, self.log_path, self.cpus = "pm2", f"{folder}/pm2.log", cpus
        self.port = free_port()
        self.command = [options.node, f"{node_packages.modules()}/pm2/bin/pm2"]
        self.environment = environment(PM2_HOME=f"{folder}/pm2", PM2_DISABLE_VERSION_CHECK="true", PORT=self.port,
                                       PM2_NO_INTERACTION="true")
        self.do("start", APP, "-i", str(workers), "--silent", "-o", "/dev/null", "-e", self.log_path)
        with open(f"{folder}/pm2/pm2.pid") as file:
            self.primary = int(file.read())
        self.process = self

    def do(self, *arguments):
        with open(self.log_path, "ab") as log:
            done = subprocess.run([*self.command, *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, timeout=60,
                                  preexec_fn=lambda: os.sched_setaffinity(0, self.cpus))
        if done.returncode != 0:
            raise BenchError(f"pm2 {arguments[0]} ended with {done.returncode}:\n{self.log()}")

    # What Server asks of its process.
    returncode = None

    @property
    def pid(self):
        return self.primary

    def poll(self):
        return None if os.path.exists(f"/proc/{self.primary}") else 1

    def stop(self):
        self.do("kill")


def start_serve(options, folder, cpus, workers, scheduling):
    conf = f"{folder}/{scheduling}.toml"
    with open(conf, "w") as file:
        file.write(TOML.format(root=folder, workers=workers, folder=f"{folder}/{scheduling}", access_log="off", flush="0ms",
                               connections=most_connections(), routes=ROUTES))
    os.makedirs(f"{folder}/{scheduling}", exist_ok=True)
    argv = [needs(f"{options.build}/pronghorn"), "serve", "--config", conf, "--scheduling", scheduling, "--listen", "127.0.0.1:0"]
    server = Server(f"serve {scheduling}", argv, cpus, f"{folder}/{scheduling}.err", environment())
    server.port = ready_port(server)
    server.primary = server.process.pid
    return server


def start_alone(options, folder, cpus, _):
    server = Server("alone", [needs(f"{options.build}/bench/cluster/alone")], cpus, f"{folder}/alone.err",
                            environment())
    server.port = int(server.line())
    server.primary = None
    return server


STARTS = {
    "pronghorn run": start_run,
    "node cluster": start_node,
    "pm2": Pm2,
    "floor": start_floor,
    "serve round_robin": lambda *args: start_serve(*args, "round_robin"),
    "serve shared": lambda *args: start_serve(*args, "shared"),
    "serve reuseport": lambda *args: start_serve(*args, "reuseport"),
    "alone": start_alone,
}
