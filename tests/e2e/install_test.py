#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed is enough: each example builds against it as its own project, and runs."""
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from support import TOP, Server, get, main, run

BUILD = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev"))
COMPILER = os.environ.get("PRONGHORN_CXX", "c++")
FLAGS = os.environ.get("PRONGHORN_CXXFLAGS", "")


def do(*command, **options):
    done = subprocess.run([str(c) for c in command], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise AssertionError(f"{shlex.join(map(str, command))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="pronghorn-install-")
        cls.path = Path(cls.folder.name)
        cls.path.chmod(0o755)
        cls.prefix = cls.path / "prefix"
        do("cmake", "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_program(self):
        self.assertEqual(run("--version", binary=self.prefix / "bin/pronghorn").returncode, 0)

    def test_hello_through_find_package(self):
        build = self.path / "hello"
        do("cmake", "-S", TOP / "examples/hello", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
           f"-DCMAKE_CXX_COMPILER={COMPILER}", f"-DCMAKE_CXX_FLAGS={FLAGS}")
        do("cmake", "--build", build)
        with Server(program=build / "hello", workers=2) as hello:
            self.assertEqual(get(hello.port, "/hello/ann")[::2], (200, b"hello ann\n"))
            self.assertEqual(get(hello.port, "/hello/a%20b")[::2], (200, b"hello a b\n"))
            self.assertEqual(get(hello.port, "/none")[0], 404)
            self.assertEqual(len(hello.worker_pids()), 2)
            self.assertEqual(hello.status()["pid"], hello.pid)
            hello.signal(signal.SIGTERM)
            self.assertEqual(hello.wait(), 0)
        done = run("--wokers", "2", binary=build / "hello")
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown option '--wokers'", done.stderr)

    @unittest.skipUnless(shutil.which("node"), "no 'node' on PATH")
    def test_child_process_through_find_package(self):
        build = self.path / "child_process"
        do("cmake", "-S", TOP / "examples/child_process", "-B", build, "-G", "Ninja",
           f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER}", f"-DCMAKE_CXX_FLAGS={FLAGS}")
        do("cmake", "--build", build)
        done = run(TOP / "examples/child_process/echo.js", binary=build / "child_process")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(done.stdout.splitlines()), ['message {"hello":"world"}', "out 5", "sh 3", "wc 0"])

    def test_cluster_through_find_package(self):
        build = self.path / "cluster"
        do("cmake", "-S", TOP / "examples/cluster", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
           f"-DCMAKE_CXX_COMPILER={COMPILER}", f"-DCMAKE_CXX_FLAGS={FLAGS}")
        do("cmake", "--build", build)
        with subprocess.Popen([build / "cluster", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as primary:
            self.addCleanup(primary.kill)
            watchdog = threading.Timer(60, primary.kill)  # its output ends then, and with it the reading below
            watchdog.start()
            self.addCleanup(watchdog.cancel)

            def lines(count):
                return sorted(primary.stdout.readline().rstrip("\n") for _ in range(count))

            said = lines(6)
            port = int(said[0].split()[-1])
            self.assertEqual(said, [f"listening 1 {port}", f"listening 2 {port}", 'message 1 {"ready":true}',
                                    'message 2 {"ready":true}', "online 1", "online 2"])
            self.assertEqual(sorted(get(port, "/")[2] for _ in range(4)), [b"worker 1"] * 2 + [b"worker 2"] * 2)
            children = Path(f"/proc/{primary.pid}/task/{primary.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGKILL)
            self.assertEqual(primary.stdout.readline(), "exit 1\n")
            self.assertEqual(lines(3), [f"listening 3 {port}", 'message 3 {"ready":true}', "online 3"])
            self.assertEqual(sorted(get(port, "/")[2] for _ in range(4)), [b"worker 2"] * 2 + [b"worker 3"] * 2)
            primary.terminate()

    @unittest.skipIf("-fsanitize" in FLAGS, "the same compiler reads them in dev")
    def test_each_public_header_stands_alone(self):
        headers = sorted(p.relative_to(self.prefix / "include") for p in (self.prefix / "include").rglob("*.h"))
        self.assertIn(Path("pronghorn/http.h"), headers)
        for header in headers:
            with self.subTest(header=str(header)):
                source = self.path / "alone.cpp"
                source.write_text(f"#include <{header}>\n#include <{header}>\nint main() {{}}\n")
                do(COMPILER, "-std=c++23", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{self.prefix / 'include'}", source)

    def test_hello_through_pkg_config(self):
        if not shutil.which("pkg-config"):
            self.skipTest("no pkg-config here")
        files = next(self.prefix.rglob("pronghorn.pc")).parent
        flags = do("pkg-config", "--cflags", "--libs", "pronghorn", env=os.environ | {"PKG_CONFIG_PATH": str(files)}).split()
        do(COMPILER, *FLAGS.split(), TOP / "examples/hello/main.cpp", "-o", self.path / "hello-pc", *flags)
        self.assertEqual(run("--version", binary=self.path / "hello-pc").returncode, 0)

    def test_nothing_names_the_build(self):
        for file in [*self.prefix.rglob("*.cmake"), *self.prefix.rglob("*.pc"), *self.prefix.rglob("*.h")]:
            text = file.read_text()
            self.assertNotIn(str(TOP), text, file)
            self.assertIsNone(re.search(r"-linux-gnu/\w", text), file)


if __name__ == "__main__":
    main()
