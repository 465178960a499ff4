# SPDX-License-Identifier: Apache-2.0
"""What all peers of bench/run have in common: whether they are here, what they can answer, how they are started."""
import dataclasses
import os
import pwd
import shutil
import subprocess

from ..server import BenchError, Server

SBIN = "/usr/sbin:/usr/local/sbin:"


def environment(**more):
    """Ours without what would configure a server."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PRONGHORN_", "NODE_", "NOTIFY_", "LISTEN_"))}
    return kept | more


def user_of_root():
    return pwd.getpwuid(0).pw_name


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a peer is started with; `under` is what its program is started by (valgrind)."""
    options: object
    row: object
    folder: str  # its own
    root: str    # of the files
    cpus: tuple
    under: tuple = ()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path


class Peer:
    name = ""
    package = None      # Debian's
    command = None      # on the PATH
    version_flag = "-v"
    only_named = False  # in the rows that name it alone
    # Paths by what is asked for, and why there is none.
    answers = {}
    cannot = {}
    # Why its instructions are not counted.
    uncounted = None

    def program(self, _options):
        return shutil.which(self.command, path=SBIN + os.environ.get("PATH", ""))

    def missing(self, options):
        """None, or what to do to have it."""
        return None if self.program(options) else f"not installed: apt install {self.package}"

    def unfit(self, row, _options):
        """None, or why it has no part in this row."""
        what = row.what if row.what != "plaintext" else "hello"
        if what in self.answers:
            return None
        return self.cannot.get(what, f"does not answer {row.what}")

    def path(self, row):
        return self.answers.get(row.what) or self.answers["hello"]

    def version(self, options):
        program = self.program(options)
        try:
            run = subprocess.run([program, self.version_flag], capture_output=True, text=True, timeout=10)
        except (OSError, TypeError):
            return "?"
        lines = (run.stdout + run.stderr).strip().splitlines()
        return lines[0] if lines else "?"

    def begin(self, setting, argv, port=None, **more):
        """Starts argv as this peer."""
        server = Server(self.name, [*setting.under, *argv], setting.cpus, os.path.join(setting.folder, "stderr"),
                        environment(**more))
        server.port = port
        return server

    def start(self, setting):
        raise BenchError(f"{self.name} cannot be started")
