#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starting: the ready line, what every wrong start says, and with which code it exits (docs/reference/exit-codes.md)."""
import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import BINARY, Server, descriptors, get, main, run, wait_until

NOBODY = 65534


class Ready(unittest.TestCase):
    def test_one_line_and_nothing_else_goes_to_standard_output(self):
        with Server(workers=2) as server:
            self.assertEqual(server.ready_line, f"ready http://127.0.0.1:{server.port} workers=2 pid={server.process.pid}\n")
            self.assertEqual(get(server.port)[0], 200)
            server.signal(15)
            self.assertEqual(server.wait(), 0)
            self.assertEqual(server.rest_of_stdout(), "")

    def test_it_comes_when_every_worker_listens(self):
        with Server(workers=3) as server:
            self.assertEqual(len(server.worker_pids()), 3)
            self.assertEqual([w["state"] for w in server.status()["workers"]], ["ready"] * 3)

    def test_one_url_for_each_listener(self):
        with Server(listen=("127.0.0.1:0", "127.0.0.1:0", "unix:web.sock")) as server:
            kinds = [url.split(":")[0] for url in server.urls]
            self.assertEqual(kinds, ["http", "http", "http+unix"])
            self.assertEqual(len({*server.urls}), 3)
            for url in server.urls[:2]:
                self.assertEqual(get(int(url.rsplit(":", 1)[1]))[0], 200)
            self.assertEqual(get(server.path / "web.sock")[0], 200)

    def test_ipv6(self):
        if not Path("/proc/net/if_inet6").exists():
            self.skipTest("no IPv6 here")
        with Server(listen=("[::1]:0",)) as server:
            self.assertRegex(server.urls[0], r"^http://\[::1\]:\d+$")

    def test_processes_are_named(self):
        with Server(workers=2) as server:
            def title(pid):
                return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            self.assertEqual(title(server.pid), "pronghorn: master")
            self.assertEqual(sorted(title(p) for p in server.worker_pids()), ["pronghorn: worker 1", "pronghorn: worker 2"])

    def test_a_worker_inherits_only_what_it_needs(self):
        with Server(workers=1) as server:
            worker, = server.worker_pids()
            names = Path(f"/proc/{worker}/environ").read_bytes()
            self.assertNotIn(b"NOTIFY_SOCKET", names)
            # Neither the master's control socket nor its end of the channel.
            names = descriptors(worker).values()
            sockets = [name for name in names if name.startswith("socket:")]
            self.assertEqual(len(sockets), 2, names)  # the channel and the listener

    def test_every_descriptor_of_the_master_closes_on_exec(self):
        with Server(workers=1) as server:
            seen = 0
            for fd, name in descriptors(server.pid).items():
                with contextlib.suppress(FileNotFoundError):  # closed since
                    flags = int(Path(f"/proc/{server.pid}/fdinfo/{fd}").read_text().split("flags:")[1].split()[0], 8)
                    seen += 1
                    if int(fd) > 2:
                        self.assertTrue(flags & os.O_CLOEXEC, (fd, name))
            self.assertGreater(seen, 5)


class Refused(unittest.TestCase):
    def refuse(self, code, *words, arguments=(), **options):
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def test_wrong_command_lines(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments, words in [
                ([], ["pronghorn serve"]),
                (["sevre"], ["unknown command 'sevre'", "did you mean 'serve'"]),
                (["serve", "--wokers", "4", folder], ["unknown option '--wokers'", "did you mean '--workers'"]),
                (["serve", folder, "--workers"], ["--workers"]),
                (["serve", folder, "--workers", "many"], ["many"]),
                (["serve", folder, "--workers", "0"], ["0"]),
                (["serve", folder, "--listen", "nonsense"], ["nonsense"]),
                (["serve", folder, "--listen", "127.0.0.1:99999"], ["99999"]),
                (["serve", folder, "--log-level", "loud"], ["loud"]),
                (["serve", folder, "another"], ["another"]),
                (["serve", "./sit"], ["cannot serve './sit': no such directory"]),
                (["serve", BINARY], ["cannot serve"]),
                (["check"], ["FILE"]),
                (["status", "--jsno"], ["unknown option '--jsno'", "did you mean '--json'"]),
            ]:
                with self.subTest(arguments=arguments):
                    text = self.refuse(2, *words, arguments=arguments, cwd=folder)
                    if arguments:
                        self.assertTrue(text.startswith("pronghorn: error: "), text)

    def test_no_directory_and_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            self.refuse(2, "pronghorn.toml", arguments=["serve"], cwd=folder)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken, tempfile.TemporaryDirectory() as folder:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            text = self.refuse(75, arguments=["serve", folder, "--listen", address])
            self.assertTrue(text.startswith(f"pronghorn: error: cannot listen on {address}: address already in use\n"), text)
            self.assertIn(f"held by pid {os.getpid()}", text)

    def test_a_second_server_on_the_same_port(self):
        with Server() as server:
            self.refuse(75, "address already in use",
                        arguments=["serve", server.root, "--listen", f"127.0.0.1:{server.port}"])
            self.assertEqual(get(server.port)[0], 200)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to run as another user")
    def test_a_port_that_is_not_ours_to_open(self):
        first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if first <= 1:
            self.skipTest("every port is unprivileged here")
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            self.refuse(77, "cannot listen on 127.0.0.1:1: permission denied",
                        arguments=["serve", folder, "--listen", "127.0.0.1:1"], user=NOBODY)

    def test_a_wrong_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pronghorn.toml"
            file.write_text('listen = "127.0.0.1:0"\nwokers = 4\n')
            problem = "pronghorn.toml:2:1: error: unknown key 'wokers'; did you mean 'workers'?"
            self.refuse(78, problem, arguments=["serve", "-c", "pronghorn.toml"], cwd=folder)
            done = run("check", "pronghorn.toml", cwd=folder)  # its problems are what was asked for
            self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (78, problem))

    def test_a_file_that_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("serve", "--config", "none.toml", cwd=folder)
            self.assertIn(done.returncode, (2, 78))
            self.assertIn("none.toml", done.stderr)


class Asked(unittest.TestCase):
    def test_help_and_version_go_to_standard_output(self):
        for option in ("--help", "-h"):
            done = run(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("pronghorn serve ./site", done.stdout)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        done = run("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^pronghorn \d+\.\d+\.\d+ \(libuv .*llhttp .*\)\n$")

    def test_check_touches_nothing(self):
        with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
            file = Path(folder) / "good.toml"
            file.write_text(f'listen = "127.0.0.1:{taken.getsockname()[1]}"\nroot = "."\naccess_log = "access.log"\n')
            done = run("check", file, cwd=folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(os.listdir(folder), ["good.toml"])

    def test_the_output_of_config_is_a_valid_file_of_the_same_values(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "a.toml"
            file.write_text('root = "."\nworkers = 3\n[timeouts]\nkeepalive = "7s"\n')
            first = run("config", "--config", file, cwd=folder, environment={"PRONGHORN_LIMITS_BODY": "8KiB"})
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertRegex(first.stdout, r"workers = 3 .*a\.toml:2")
            self.assertRegex(first.stdout, r"(?i)body = .*8KiB.*environment")
            (Path(folder) / "b.toml").write_text(first.stdout)
            second = run("config", "--config", "b.toml", cwd=folder)
            self.assertEqual(second.returncode, 0, second.stderr)

            def values(text):
                return [line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]
            self.assertEqual(values(first.stdout), values(second.stdout))


class UnixSocket(unittest.TestCase):
    def test_a_stale_socket_is_replaced_and_ours_removed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "web.sock"
            stale = socket.socket(socket.AF_UNIX)
            stale.bind(str(path))
            stale.close()
            with Server(listen=(f"unix:{path}",)) as server:
                self.assertEqual(server.urls, [f"http+unix:{path}"])
                self.assertEqual(get(path)[0], 200)
                server.signal(15)
                self.assertEqual(server.wait(), 0)
            self.assertFalse(path.exists())

    def test_a_live_socket_is_in_use(self):
        with Server(listen=("unix:web.sock",)) as server:
            done = run("serve", server.root, "--listen", f"unix:{server.path}/web.sock")
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertIn("already in use", done.stderr)
            self.assertEqual(get(server.path / "web.sock")[0], 200)

    def test_a_file_that_is_no_socket_is_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "precious"
            path.write_text("text")
            done = run("serve", folder, "--listen", f"unix:{path}")
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertEqual(path.read_text(), "text")

    def test_the_socket_of_a_master_that_was_killed_is_stale(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "web.sock"
            with Server(listen=(f"unix:{path}",)) as server:
                server.signal(9)
                server.wait()
                wait_until(lambda: not server.alive(), "the workers to leave")
                self.assertTrue(stat.S_ISSOCK(path.stat().st_mode))
            with Server(listen=(f"unix:{path}",)):
                self.assertEqual(get(path)[0], 200)


class Surroundings(unittest.TestCase):
    def serve_and_stop(self, prepare):
        """Starts it in a child that `prepare` has changed; without its ready line, found by a unix socket."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "web.sock"
            (Path(folder) / "index.html").write_text("here")
            environment = {k: v for k, v in os.environ.items() if not k.startswith("PRONGHORN_")}
            environment["PRONGHORN_CONTROL"] = str(Path(folder) / "control")
            process = subprocess.Popen([BINARY, "serve", folder, "--listen", f"unix:{path}", "--workers", "2"],
                                       preexec_fn=prepare, env=environment, start_new_session=True)
            try:
                wait_until(lambda: path.exists() or process.poll() is not None, "the socket")
                wait_until(lambda: self.answers(path), "an answer")
                process.terminate()
                self.assertEqual(process.wait(20), 0)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @staticmethod
    def answers(path):
        try:
            return get(path)[0] == 200
        except OSError:
            return False

    def test_standard_descriptors_that_are_closed(self):
        for closed in ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)):
            with self.subTest(closed=closed):
                self.serve_and_stop(lambda: [os.close(fd) for fd in closed])

    def test_standard_output_that_takes_nothing(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x")
        os.set_blocking(writer, True)
        self.serve_and_stop(lambda: os.dup2(writer, 1))
        os.close(reader)
        os.close(writer)

    def test_a_root_that_is_gone_is_no_fault_of_a_new_worker(self):
        with Server(workers=2) as server:
            shutil.rmtree(server.root)
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: [w["state"] for w in server.status()["workers"]] == ["ready"] * 2 and
                       victim not in server.worker_pids(), "a new worker")
            self.assertEqual(get(server.port)[0], 404)


if __name__ == "__main__":
    main()
