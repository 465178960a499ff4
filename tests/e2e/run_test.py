#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pronghorn run`: unmodified Node programs as workers. What people use a process manager's cluster mode for."""
import collections
import contextlib
import os
import pty
import re
import select
import signal
import socket
import tempfile
import time
import unittest
from pathlib import Path

from support import BINARY, PATIENCE, Server, connect, get, hammer, main, process_stat, processes, read_answer, report, run, wait_until

APP = """
const http = require('http');
console.log('starting');
http.createServer((request, response) => {
  if (request.url === '/log') console.error('logged');
  if (request.url === '/slow') return setTimeout(() => response.end('slow'), 300);
  response.end('worker ' + process.pid);
}).listen(Number(process.argv[2] || 0), '127.0.0.1');
"""
# The master alone says when a worker stops; a timer that never ends must not hold it up.
STUBBORN = "setInterval(() => {}, 1000);" + APP


class Program(Server):
    """`pronghorn run` of a script in a folder of its own."""

    def __init__(self, script, *arguments, options=("--workers", "2"), name="app.js", environment=None):
        super().__init__(program=BINARY, workers=None, listen=(), environment=environment)
        (self.path / name).write_text(script)
        self.command = [BINARY, "run", *map(str, options), name, *map(str, arguments)]
        self.stdout_lines = []

    def read_ready(self):
        """The workers' own lines may come before the ready line."""
        while True:
            line = self.read_line()
            match = re.fullmatch(r"ready((?: \S+)*) workers=(\d+) pid=(\d+)\n", line)
            if match:
                break
            self.stdout_lines.append(line)
        self.ready_line, self.urls = line, match[1].split()
        self.workers, self.pid = int(match[2]), int(match[3])
        ports = [int(url.rsplit(":", 1)[1]) for url in self.urls if ":" in url and not url.startswith("unix:")]
        self.port = ports[0] if ports else None

    def pids(self):
        return [worker["pid"] for worker in self.status()["workers"]]


def body(port, path="/"):
    status, _, text = get(port, path)
    assert status == 200, status
    return text.decode()


class Serves(unittest.TestCase):
    def test_requests_are_spread_in_turn_and_the_ready_line_has_the_address(self):
        with Program(APP) as server:
            self.assertRegex(server.ready_line, r"^ready 127\.0\.0\.1:\d+ workers=2 pid=\d+\n$")
            self.assertEqual(server.pid, server.process.pid)
            seen = collections.Counter(body(server.port) for _ in range(10))
            self.assertEqual(sorted(seen.values()), [5, 5])
            self.assertEqual(set(seen), {f"worker {pid}" for pid in server.pids()})

    def test_status_names_the_program(self):
        with Program(APP, options=("--workers", "2", "--name", "api")) as server:
            status = server.status()
            self.assertEqual([worker["program"] for worker in status["workers"]], ["api", "api"])
            self.assertEqual(status["verdict"], "OK")
            self.assertEqual([each["url"] for each in status["listeners"]], [f"127.0.0.1:{server.port}"])
            table = server.status_command()
            self.assertEqual(table.returncode, 0)
            self.assertRegex(table.stdout, r"WORKER +PROGRAM +STATE")

    def test_what_follows_the_program_is_its_own(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with Program(APP, port) as server:
            self.assertEqual(server.port, port)
            self.assertEqual(body(port)[:7], "worker ")

    def test_how_it_is_run_may_stand_directly_behind_the_program(self):
        script = "require('http').createServer((q, r) => r.end(process.argv.slice(2).join(' '))).listen(0)"
        for words, workers, own in (
                (("--workers", "3", "--scheduling=shared", "--", "--workers", "9"), 3, "--workers 9"),
                (("--workers=1", "a", "--workers", "9", "--"), 1, "a --workers 9 --"),
                (("--workers=2", "--name", "x", "--sticky"), 2, "--name x --sticky"),
                (("--sticky", "--workers", "2", "-w", "4"), 2, "-w 4")):
            with self.subTest(words), Program(script, *words, options=()) as server:
                self.assertEqual((server.workers, body(server.port)), (workers, own))

    def test_a_program_that_says_ready_need_not_listen(self):
        with Program("process.send('ready'); process.on('disconnect', () => process.exit(0))") as server:
            self.assertEqual((server.urls, server.workers), ([], 2))
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)

    def test_an_executable_found_on_the_path(self):
        server = Program(APP)
        server.command[-1:] = ["node", "app.js"]
        with server:
            self.assertEqual(body(server.port)[:7], "worker ")

    def test_the_ready_line_says_what_the_program_listens_on_word_by_word(self):
        script = """
          const udp = require('dgram').createSocket('udp4');
          udp.bind(0, '127.0.0.1', () => require('net').createServer().listen(0, () => process.send('ready')));
        """
        with Program(script, options=("--workers", "1")) as server:
            self.assertRegex(server.ready_line, r"^ready udp:127\.0\.0\.1:\d+")
            wait_until(lambda: any(each["url"].startswith("*:") for each in server.status()["listeners"]), "any address")

    def test_a_tcp_server_and_a_unix_socket_of_the_programs(self):
        script = """
          const net = require('net');
          net.createServer((s) => s.end('tcp')).listen(0, '127.0.0.1', () =>
            net.createServer((s) => s.end('unix')).listen('web.sock'));
        """
        with Program(script) as server:
            with connect(server.port) as sock:
                self.assertEqual(sock.recv(10), b"tcp")
            path = server.path / "web.sock"
            wait_until(lambda: any(each["url"].startswith("unix:") for each in server.status()["listeners"]),
                       "the unix socket")
            with connect(path) as sock:
                self.assertEqual(sock.recv(10), b"unix")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertFalse(path.exists())


class ServiceManager(unittest.TestCase):
    def test_it_is_told_by_the_master_and_the_program_knows_nothing_of_it(self):
        script = APP + "console.log('notify', process.env.NOTIFY_SOCKET, process.env.LISTEN_FDS, process.env.WATCHDOG_USEC);"
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(PATIENCE)
            given = {"NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "1000000"}
            with Program(script, environment=given) as server:
                self.assertEqual(manager.recv(500), b"READY=1\nSTATUS=OK: 2 workers ready")
                self.assertIn("worker 1 | notify undefined undefined undefined\n", server.stdout_lines)
                server.signal(signal.SIGTERM)
                self.assertEqual(server.wait(), 0)
                said = b""
                while not said.startswith(b"STOPPING=1\n"):
                    said = manager.recv(500)

    def test_the_descriptors_of_the_manager_may_be_listened_on_and_those_of_the_master_may_not(self):
        script = """
          const net = require('net');
          const ask = (fd) => { const s = net.createServer((c) => c.end('yes')).listen({ fd });
            s.on('error', (e) => console.log(fd, e.code)).on('listening', () => console.log(fd, 'listens')); };
          for (let fd = 3; fd < 40; fd++) ask(fd);
        """
        with socket.create_server(("127.0.0.1", 0)) as inherited:
            server = Program(script, options=("--workers", "1"))
            given = os.dup2(inherited.fileno(), 30, inheritable=True)
            try:
                server.pass_fds = (given,)
                with server:
                    while len(server.stdout_lines) < 37:  # it is ready as soon as it listens on one
                        server.stdout_lines.append(server.read_line())
                    said = dict(line.split(" | ")[1].split() for line in server.stdout_lines)
                    self.assertEqual({fd for fd, what in said.items() if what == "listens"}, {"30"}, said)
                    self.assertEqual(server.status()["verdict"], "OK")
                    with connect(inherited.getsockname()[1]) as sock:
                        self.assertEqual(sock.recv(10), b"yes")
            finally:
                os.close(given)


class Logs(unittest.TestCase):
    def test_lines_have_their_worker_in_front(self):
        with Program(APP) as server:
            self.assertEqual(sorted(server.stdout_lines), ["worker 1 | starting\n", "worker 2 | starting\n"])
            for _ in range(2):
                body(server.port, "/log")
            wait_until(lambda: "worker 1 | logged\n" in server.stderr() and "worker 2 | logged\n" in server.stderr(),
                       "both lines")

    def test_last_words_are_kept_also_without_a_line_feed(self):
        script = "if (process.env.DIE) { process.stdout.write('no end'); throw new Error('my last words'); }"
        with Program(script, environment={"DIE": "1"}).start(wait_ready=False) as server:
            wait_until(lambda: "worker 1 | Error: my last words\n" in server.stderr(), "the reason of its death")
            self.assertEqual(server.read_line()[-9:], "| no end\n")


class Deaths(unittest.TestCase):
    def test_kill_9_is_answered_by_a_new_worker(self):
        with Program(APP) as server:
            victim = server.pids()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: victim not in server.pids() and server.status()["verdict"] == "OK", "its successor")
            self.assertEqual(len({body(server.port) for _ in range(6)}), 2)
            self.assertEqual(server.status()["workers"][0]["exits"], 1)

    def test_kill_9_under_load_loses_what_was_in_flight_and_no_more(self):
        with Program(APP) as server:
            client = hammer(server.port, "close", 1.2, connections=16)
            time.sleep(0.5)
            os.kill(server.pids()[0], signal.SIGKILL)
            result = report(client)
            self.assertGreater(result["ok"], 20)
            self.assertEqual((result["refused"], result["timeout"]), (0, 0), result)
            self.assertLessEqual(result["failures"], 16, result)

    def test_a_worker_in_a_crash_loop_leaves_the_service_up(self):
        script = """
          const fs = require('fs');
          // The first to come takes the lock and dies of it, and so does each successor in its place.
          let bad = false;
          try { fs.writeFileSync('lock', String(process.ppid), { flag: 'wx' }); bad = true; } catch {}
          if (bad) { setTimeout(() => { fs.unlinkSync('lock'); process.exit(3); }, 50); } else {
        """ + APP + "}"
        with Program(script).start(wait_ready=False) as server:
            wait_until(lambda: server.stderr().count("worker exited") >= 3, "three deaths")
            addresses = wait_until(lambda: server.status()["listeners"], "the other one to listen")
            port = int(addresses[0]["url"].rsplit(":", 1)[1])
            self.assertEqual(body(port)[:7], "worker ")
            self.assertEqual(server.status()["verdict"], "DEGRADED")
            self.assertIn("code=3", server.stderr())
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)

    def test_those_that_die_each_time_after_they_listened_are_slowed_down_and_the_address_stays(self):
        with Program(APP + "setTimeout(() => process.exit(3), 30);") as server:
            wait_until(lambda: re.search(r"worker exited.* restart_ms=[1-9]", server.stderr()), "a death that is not answered at once")

            def answer():
                with contextlib.suppress(OSError):  # what such a worker had begun with dies with it
                    return body(server.port)

            self.assertEqual(wait_until(answer, "an answer")[:7], "worker ")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)

    def test_where_descriptors_are_few_servers_leave_enough_for_the_next_worker(self):
        script = """
          const ask = (left) => left === 0 ? process.send('ready') : require('net').createServer()
            .on('error', (e) => { console.log(e.code); process.send('ready'); })
            .listen(0, '127.0.0.1', () => ask(left - 1));
          ask(80);
        """
        server = Program(script, options=("--workers", "1"))
        server.command = ["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", *server.command]
        with server:
            said = server.stdout_lines[0] if server.stdout_lines else server.read_line()
            self.assertEqual(said, "worker 1 | EMFILE\n")
            victim, = server.pids()
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: victim not in server.pids() and server.status()["verdict"] == "OK", "its successor")

    def test_a_killed_master_takes_its_workers_along(self):
        with Program(STUBBORN) as server:
            workers = server.pids()
            server.signal(signal.SIGKILL)
            server.wait()
            wait_until(lambda: all(process_stat(pid) is None for pid in workers), "the workers to leave")


class Stops(unittest.TestCase):
    def test_under_one_request_per_connection_nothing_is_lost(self):
        with Program(APP) as server:
            client = hammer(server.port, "close", 3, connections=16)
            for _ in range(20):  # in their turn: as many of the client's have been answered by then
                get(server.port)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            result = report(client)
            self.assertGreater(result["ok"], 20)
            self.assertEqual(result["failures"], result["refused"], result)
            self.assertEqual(server.alive(), [])

    def test_a_request_in_flight_is_answered_by_every_signal_to_the_group(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), Program(APP) as server, connect(server.port) as sock:
                sock.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                time.sleep(0.1)
                server.signal(number, group=True)
                received = b""
                while more := sock.recv(4096):
                    received += more
                self.assertTrue(received.endswith(b"slow\r\n0\r\n\r\n") or received.endswith(b"slow"), received)
                self.assertEqual(server.wait(), 0)

    def test_a_timer_that_never_ends_holds_up_nothing(self):
        with Program(STUBBORN) as server:
            begun = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - begun, 10, "drain_timeout is 30 s")
            self.assertEqual(server.alive(), [])

    def test_one_that_blocks_is_ended_at_the_deadline(self):
        script = APP.replace("if (request.url === '/log')", "if (request.url === '/block') for (;;);\n  if (request.url === '/log')")
        with Program(script, environment={"PRONGHORN_DRAIN_TIMEOUT": "500ms"}) as server, connect(server.port) as sock:
            sock.sendall(b"GET /block HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.2)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertEqual(server.alive(), [])


class Terminal(unittest.TestCase):
    def test_when_its_window_is_closed_it_stops(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "app.js").write_text(APP)
            master, terminal = pty.fork()
            if master == 0:
                os.chdir(folder)
                os.execve(BINARY, [BINARY, "run", "-w", "1", "--name", "api", "app.js"],
                          {**os.environ, "PRONGHORN_CONTROL": f"{folder}/control.sock"})
            try:
                said = self.read_until(terminal, "\nready ")
                self.assertIn("api \u00b7 1 worker", said)
                (worker,) = [pid for pid, stat in processes().items() if stat["parent"] == master]
                os.kill(worker, signal.SIGKILL)
                self.read_until(terminal, "worker 1 (api) is ready")
            finally:
                os.close(terminal)
            end = time.monotonic() + PATIENCE
            while os.waitpid(master, os.WNOHANG) == (0, 0):
                if time.monotonic() > end:
                    os.kill(master, signal.SIGKILL)
                    self.fail("it lives on without its terminal")
                time.sleep(0.02)

    def read_until(self, terminal, text):
        said, end = "", time.monotonic() + PATIENCE
        while text not in said:
            self.assertTrue(select.select([terminal], [], [], max(0, end - time.monotonic()))[0], f"no {text!r} in {said!r}")
            said += os.read(terminal, 65536).decode(errors="replace")
        return said


class Fails(unittest.TestCase):
    def test_what_cannot_run_is_said_before_anything_starts(self):
        for arguments, code, text in ((["nowhere.js"], 2, "cannot run 'nowhere.js': no such file"),
                                      (["/"], 2, "cannot run '/': it is a directory"),
                                      (["/etc/passwd"], 77, "permission denied"),
                                      (["--node", "/nowhere", __file__], 2, "cannot run '/nowhere': no such file"),
                                      (["--workers", "none", "x.js"], 2, "--workers"),
                                      ([], 2, "'run' needs a PROGRAM")):
            with self.subTest(arguments):
                done = run("run", *arguments)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(text, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_without_node_it_says_where_it_looked(self):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "app.js")
            script.write_text(APP)
            done = run("run", script, environment={"PATH": folder})
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no 'node' on the PATH", done.stderr)

    def test_an_address_in_use_is_the_program_s_error(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with Program(APP, port).start(wait_ready=False) as server:
                wait_until(lambda: "EADDRINUSE" in server.stderr(), "the program's own words")
                server.signal(signal.SIGTERM)
                self.assertEqual(server.wait(), 0)


if __name__ == "__main__":
    main()
