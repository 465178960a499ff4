# SPDX-License-Identifier: Apache-2.0
"""What is refused before anything is measured: a peer that is not there, an output that cannot be written, a poor README."""
import os
import sys
import tempfile

from . import document, origin
from .peers import PEERS
from .server import UsageError

README_ROUNDS = 9


def peers(o):
    """Ours, and what was asked for by name, must be there; what is not there otherwise is told and left out."""
    for name in o.servers:
        why = PEERS[name].missing(o)
        if why and (o.servers_named or name == "pronghorn"):
            raise UsageError(f"{name}: {why}" + ("" if o.servers_named else " (--servers can leave it out)"))
        if why and not PEERS[name].only_named:
            print(f"{name}: {why}", file=sys.stderr)


def can_write(option, path):
    """Nothing of it is changed."""
    try:
        existed = os.path.exists(path)
        with open(path, "a"):
            pass
        if not existed:
            os.unlink(path)
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}") from None


def can_fill(option, folder):
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"{option} {folder}: {error.strerror}") from None


def outputs(o, readme, charts):
    if o.json and o.json != "-":
        can_write("--json", o.json)
    if o.markdown:
        can_write("--markdown", o.markdown)
    if o.svg:
        can_fill("--svg", o.svg)
    if o.readme:
        can_write("--readme", readme)
        can_fill("--readme", charts)
        with open(readme) as file:
            if document.between_markers(file.read(), "") is None:
                raise UsageError(f"--readme {readme}: it has no '{document.BEGIN}' with its end")


def readme(o):
    """What README.md shows is measured in full."""
    if not o.readme:
        return
    if o.quick:
        raise UsageError("--readme: not beside --quick, whose figures are worth nothing")
    for option in ("only", "servers"):
        if not getattr(o, option):
            raise UsageError(f"--readme: --{option} names none")
    if "pronghorn" not in o.servers:
        raise UsageError("--readme: --servers leaves pronghorn out")
    if not o.sources and o.rounds < README_ROUNDS:
        raise UsageError(f"--readme: --rounds {o.rounds}, wants {README_ROUNDS} at least")


def readme_of(out):
    """The same of results that are read."""
    for rounds, rows in origin.values(out, lambda _, options: options["rounds"]):
        if rounds < README_ROUNDS:
            raise UsageError(f"--readme: {rounds} rounds only{rows}, wants {README_ROUNDS} at least")
