# SPDX-License-Identifier: Apache-2.0
"""`user` and `group`: a server started as root whose workers are nobody, for good.

Needs root, or it exits with 77, which CTest shows as skipped.
"""
import os
import pwd
import shutil
import signal
import sys
import unittest
from pathlib import Path

from support import Server, get, main, run, wait_until

NOBODY = 65534
HTTP_PROGRAM = """
require('http').createServer((q, r) => r.end(JSON.stringify(
  [process.getuid(), process.getgid(), process.getgroups(), process.env.HOME, process.env.USER])))
  .listen('app.sock')
"""


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def as_nobody(text=""):
    return f'user = "nobody"\nlisten = "127.0.0.1:0"\nworkers = 2\nroot = "site"\naccess_log = "access.log"\n' + text


class Privileges(unittest.TestCase):
    def serve(self, text=None, **files):
        return Server.in_folder({"pronghorn.toml": as_nobody() if text is None else text,
                                 "site/index.html": "<p>index</p>\n"} | files, config="pronghorn.toml")

    def assert_nobody(self, pid):
        status = status_of(pid)
        self.assertEqual(status["Uid"], [str(NOBODY)] * 4)
        self.assertEqual(status["Gid"], [str(pwd.getpwuid(NOBODY).pw_gid)] * 4)
        self.assertEqual(set(status["Groups"]),
                         {str(g) for g in os.getgrouplist("nobody", pwd.getpwuid(NOBODY).pw_gid)})
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(status[capabilities][0], 16), 0, capabilities)
        self.assertEqual(status["NoNewPrivs"], ["1"])

    def test_workers_are_nobody_and_the_master_replaces_them_as_nobody(self):
        with self.serve() as server:
            self.assertEqual(status_of(server.pid)["Uid"], ["0"] * 4)
            workers = server.worker_pids()
            self.assertEqual(len(workers), 2)
            for pid in workers:
                self.assert_nobody(pid)
            os.kill(workers[0], signal.SIGKILL)
            fresh = wait_until(lambda: [w for w in server.status()["workers"]
                                        if w["state"] == "ready" and w["pid"] not in workers], "a new worker")
            self.assert_nobody(fresh[0]["pid"])
            self.assertEqual(get(server.port)[0], 200)
            # Everything that was opened as root still works: the log that nobody may not open, the status.
            wait_until(lambda: "GET / HTTP/1.1" in (server.path / "access.log").read_text(), "a line in the access log")
            self.assertEqual((server.path / "access.log").stat().st_uid, 0)
            denied = run("status", "--control", server.path / "control", user=NOBODY)
            self.assertNotEqual(denied.returncode, 0)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)

    def test_the_root_may_lie_where_nobody_cannot_go_but_its_files_are_asked_for_as_nobody(self):
        server = self.serve(as_nobody().replace('"site"', '"closed/site"'),
                            **{"closed/site/open.txt": "open", "closed/site/secret.txt": "secret"})
        (server.path / "closed").chmod(0o700)
        (server.path / "closed/site").chmod(0o755)
        (server.path / "closed/site/secret.txt").chmod(0o600)
        with server:
            self.assertEqual(get(server.port, "/open.txt")[::2], (200, b"open"))
            self.assertEqual(get(server.port, "/secret.txt")[0], 403)

    def test_a_unix_socket_is_the_masters_which_removes_it(self):
        with self.serve(as_nobody().replace('"127.0.0.1:0"', '["127.0.0.1:0", "unix:own.sock"]')) as server:
            own = server.path / "own.sock"
            self.assertEqual(own.stat().st_uid, 0)
            self.assertEqual(get(own)[0], 200)
            os.kill(server.worker_pids()[0], signal.SIGKILL)
            wait_until(lambda: server.status()["verdict"] == "OK", "all workers")
            self.assertEqual(get(own)[0], 200)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertFalse(own.exists())

    def test_a_root_that_nobody_cannot_enter_is_said(self):
        server = self.serve()
        (server.path / "site").chmod(0o700)
        with server.start(wait_ready=False):
            self.assertEqual(server.wait(), 78)
            self.assertIn("the workers' user cannot enter the root 'site': permission denied", server.stderr())

    def test_an_unknown_user_is_an_error_with_its_place(self):
        for text, place, message in (
                ('user = "nobdy"', "1:8", "there is no user \"nobdy\" here"),
                ('user = "nobody"\ngroup = "nogrp"', "2:9", "there is no group \"nogrp\" here"),
                ('user = "4242424"', "1:8", "the user 4242424 has no entry and so no group: say 'group'"),
                ('group = "nogroup"', "1:9", "'group' needs a 'user'"),
                ('user = "root"\ngroup = "nogroup"', "2:9", "'group' means nothing for root")):
            with self.subTest(text), self.serve(text + "\n").start(wait_ready=False) as server:
                self.assertEqual(server.wait(), 78)
                self.assertIn(f"pronghorn.toml:{place}: error: {message}", server.stderr())

    def test_numbers_are_users_too(self):
        text = as_nobody('group = "12345"\n').replace('"nobody"', '"54321"')
        with self.serve(text) as server:
            status = status_of(server.worker_pids()[0])
            self.assertEqual(status["Uid"], ["54321"] * 4)
            self.assertEqual(status["Gid"], ["12345"] * 4)
            self.assertEqual(status["Groups"], ["12345"])

    def test_root_s_group_is_said_and_another_is_not(self):
        for group, is_said in (("0", True), ("root", True), ("nogroup", False)):
            with self.subTest(group), self.serve(as_nobody(f'group = "{group}"\n')) as server:
                self.assertEqual("workers keep root's group" in server.stderr(), is_said)

    def test_the_command_line_names_user_and_group_and_wins(self):
        with self.serve() as server:
            folder = server.path / "site"
            with Server("--user", "54321", "--group", "12345", root=folder) as other:
                status = status_of(other.worker_pids()[0])
                self.assertEqual((status["Uid"], status["Gid"]), (["54321"] * 4, ["12345"] * 4))
            done = run("serve", folder, "--group", "12345", "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("'group' needs a 'user'", done.stderr)

    def test_only_root_can_make_somebody_else_of_workers(self):
        with self.serve() as server:
            folder = server.path / "site"
            done = run("serve", folder, "--user", "daemon", "--listen", "127.0.0.1:0", user=NOBODY)
            self.assertEqual(done.returncode, 77, done.stderr)
            self.assertIn("workers cannot run as user 'daemon'", done.stderr)

    @unittest.skipUnless(shutil.which("setpriv"), "no 'setpriv' on PATH")
    def test_a_root_that_may_not_change_its_user_or_not_end_such_workers_is_told_before_it_listens(self):
        for capability in ("setuid", "setgid", "kill"):
            server = self.serve()
            server.command = ["setpriv", f"--bounding-set=-{capability}", *server.command]
            with self.subTest(capability), server.start(wait_ready=False):
                self.assertEqual(server.wait(), 77)
                self.assertIn("root without one of the capabilities SETUID, SETGID and KILL", server.stderr())
                self.assertNotIn("listening", server.stderr())

    def test_who_is_that_user_already_needs_no_root(self):
        with Server("--user", "nobody", environment={"PRONGHORN_GROUP": str(os.getegid())}, user=NOBODY) as server:
            self.assertEqual(status_of(server.worker_pids()[0])["Uid"], [str(NOBODY)] * 4)

    def test_keeping_root_is_said_once(self):
        for user, times in ((None, 1), ("nobody", 0)):
            with self.subTest(user=user), Server(*(["--user", user] if user else [])) as server:
                self.assertEqual(server.stderr().count("workers keep root"), times, server.stderr())

    @unittest.skipUnless(shutil.which("node"), "no 'node' on PATH")
    def test_programs_are_nobody_too(self):
        text = 'user = "nobody"\nlisten = "127.0.0.1:0"\nworkers = 1\n[[programs]]\nfile = "app.js"\nworkers = 1\n'
        with self.serve(text, **{"app.js": HTTP_PROGRAM}).start(wait_ready=False) as server:
            self.assertIn("app.sock", server.read_line())
            status, _, body = get(server.path / "app.sock")
            entry = pwd.getpwuid(NOBODY)
            groups = os.getgrouplist("nobody", entry.pw_gid)
            self.assertEqual(status, 200)
            self.assertEqual(body.decode().replace(" ", ""),
                             f'[{NOBODY},{entry.pw_gid},{groups},"{entry.pw_dir}","nobody"]'.replace(" ", ""))


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: dropping root needs root")
        sys.exit(77)
    main()
