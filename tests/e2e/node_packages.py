# SPDX-License-Identifier: Apache-2.0
"""Where scripts/deps puts what tests/node/package.json names: other versions of Node, frameworks, PM2."""
import hashlib
import os
import unittest
from pathlib import Path

NODE = Path(__file__).resolve().parents[1] / "node"
APPS = NODE / "apps"
VERSIONS = ("18", "20", "22", "24")


def folder():
    digest = hashlib.sha256((NODE / "package-lock.json").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return cache / "pronghorn" / f"npm-{digest}"


def need():
    """For setUpModule: without the packages the module is skipped, in continuous integration it fails."""
    if folder().is_dir():
        return
    why = f"no {folder()}: scripts/deps --test installs it from npm"
    if os.environ.get("CI"):
        raise AssertionError(why)
    raise unittest.SkipTest(why)


def modules():
    """For NODE_PATH."""
    return folder() / "node_modules"


def node(version):
    """The binary of a major version."""
    return modules() / f"node-{version}" / "bin/node"
