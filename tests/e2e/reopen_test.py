#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The access log's file: opened anew by command, by signal and by itself, under load and faults, and no line is lost."""
import collections
import json
import os
import re
import resource
import signal
import subprocess
import threading
import time
import unittest

from support import BINARY, PATIENCE, Server, connect, get, main, read_answer, run, wait_until


def reopen(server, *arguments):
    return subprocess.run([BINARY, "reopen", "--control", server.path / "control", *arguments], text=True, cwd=server.path,
                          env=server.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)


def serve(*arguments, **options):
    environment = {"PRONGHORN_ACCESS_LOG": "access.log"} | options.pop("environment", {})
    return Server(*arguments, environment=environment, **options)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


class Load:
    """Clients on kept connections; each request has an id of its own."""

    def __init__(self, server, clients=4):
        self.server, self.stop, self.answered = server, threading.Event(), [0] * clients
        self.threads = [threading.Thread(target=self.client, args=(i,)) for i in range(clients)]

    def client(self, number):
        with connect(self.server.port) as sock:
            rest, count = b"", 0
            while not self.stop.is_set():
                sock.sendall(f"GET /?id={number}-{count} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                status, fields, _, rest = read_answer(sock, rest)
                assert status == 200
                count += 1
                self.answered[number] = count
                if fields.get("connection") == "close":  # limits.requests_per_connection
                    sock.close()
                    sock = connect(self.server.port)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def ids(self):
        return {f"{number}-{i}" for number, count in enumerate(self.answered) for i in range(count)}


class Reopen(unittest.TestCase):
    def one_line(self, server, path):
        """Two requests more (a worker each, perhaps) are two lines more in this file."""
        before = len(lines(path))
        for _ in range(2):
            self.assertEqual(get(server.port)[0], 200)
        wait_until(lambda: len(lines(path)) == before + 2, f"two more lines in {path.name}")

    def test_the_command_comes_back_when_no_worker_writes_to_the_old_file(self):
        with serve(workers=2) as server:
            log, old = server.path / "access.log", server.path / "old.log"
            self.one_line(server, log)
            log.rename(old)
            done = reopen(server)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"^access.log is open anew: 2 workers after \d+ ms\n$")
            before = old.read_text()
            self.one_line(server, log)
            self.assertEqual(old.read_text(), before)
            self.assertEqual(log.stat().st_mode & 0o777, 0o640 & ~os.umask(os.umask(0)))

            done = reopen(server, "--json")
            outcome = json.loads(done.stdout)
            self.assertEqual((done.returncode, outcome["reopened"], outcome["error"]), (0, True, ""))
            self.assertEqual([w["pid"] for w in outcome["workers"]], server.worker_pids())
            self.assertTrue(all(w["ms"] >= 0 for w in outcome["workers"]))
            self.one_line(server, log)

    def test_the_signal_does_the_same(self):
        with serve(workers=2) as server:
            log = server.path / "access.log"
            log.rename(server.path / "old.log")
            server.signal(signal.SIGUSR1)
            wait_until(lambda: "access log reopened" in server.stderr(), "the log to say so")
            self.one_line(server, log)

    def test_by_itself_when_the_file_was_moved_or_removed(self):
        with serve(workers=2) as server:
            log = server.path / "access.log"
            log.rename(server.path / "old.log")
            wait_until(log.exists, "a new file in place of the moved one")
            wait_until(lambda: "access log reopened" in server.stderr(), "the log to say so")
            self.one_line(server, log)
            log.unlink()
            wait_until(log.exists, "a new file in place of the removed one")
            wait_until(lambda: server.stderr().count("access log reopened") == 2, "the log to say so")
            self.one_line(server, log)

    def test_no_line_is_lost_or_written_twice_under_load(self):
        with serve(workers=2) as server:
            log = server.path / "access.log"
            with Load(server) as load:
                for turn in range(9):
                    wait_until(lambda: lines(log), "a line")
                    log.rename(server.path / f"access.log.{turn}")
                    if turn % 3 == 0:
                        self.assertEqual(reopen(server).returncode, 0)
                    elif turn % 3 == 1:
                        server.signal(signal.SIGUSR1)
                    wait_until(log.exists, "the new file")
            ids = load.ids()
            self.assertGreater(len(ids), 500)

            def counted():
                text = "".join(path.read_text() for path in server.path.glob("access.log*"))
                return collections.Counter(re.findall(r'"GET /\?id=(\d+-\d+) HTTP/1.1" 200 ', text))

            found = wait_until(lambda: (c := counted()) and len(c) >= len(ids) and c, f"{len(ids)} lines")
            self.assertEqual(set(found), ids)
            self.assertEqual(set(found.values()), {1})

    def test_a_new_file_that_cannot_be_opened_changes_nothing(self):
        server = Server("--access-log", "logs/access.log", workers=2)
        (server.path / "logs").mkdir()
        with server:
            log = server.path / "logs/access.log"
            (server.path / "logs").rename(server.path / "away")
            (server.path / "logs").write_text("no directory")
            done = reopen(server)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("cannot open the access log 'logs/access.log': not a directory", done.stderr.lower())
            self.one_line(server, server.path / "away/access.log")
            (server.path / "logs").unlink()
            (server.path / "away").rename(server.path / "logs")
            self.assertEqual(reopen(server).returncode, 0)
            self.one_line(server, log)

    def test_a_worker_that_does_not_answer_is_named_and_follows_later(self):
        with serve(workers=2) as server:
            log, old = server.path / "access.log", server.path / "old.log"
            stopped = server.worker_pids()[0]
            os.kill(stopped, signal.SIGSTOP)
            log.rename(old)
            done = reopen(server)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("1 of 2 workers writes to the new access.log", done.stderr)
            self.assertIn(f"(pid {stopped}) has not answered", done.stderr)
            os.kill(stopped, signal.SIGCONT)
            wait_until(lambda: all(w["state"] == "ready" for w in server.status()["workers"]), "all ready")
            self.assertEqual(reopen(server).returncode, 0)
            before = old.read_text()
            self.one_line(server, log)
            self.assertEqual(old.read_text(), before)

    def test_a_storm_of_signals_costs_no_descriptors_while_a_worker_stands_still(self):
        with serve(workers=2) as server:
            log = server.path / "access.log"
            self.one_line(server, log)
            before, stopped = len(os.listdir(f"/proc/{server.pid}/fd")), server.worker_pids()[0]
            os.kill(stopped, signal.SIGSTOP)
            for number in range(100):
                log.rename(server.path / f"old.{number}")
                server.signal(signal.SIGUSR1)
                wait_until(log.exists, "the new file")
            self.assertLess(len(os.listdir(f"/proc/{server.pid}/fd")), before + 10)
            os.kill(stopped, signal.SIGCONT)
            wait_until(lambda: "access log reopened" in server.stderr(), "the log to say so")
            self.assertIn(stopped, server.worker_pids())
            wait_until(lambda: all(w["state"] == "ready" for w in server.status()["workers"]), "all ready")
            self.one_line(server, log)
            self.assertEqual(sum(len(lines(path)) for path in server.path.glob("old.*")), 2)

    def test_a_worker_that_dies_before_it_answers_is_not_waited_for(self):
        with serve(workers=2) as server:
            log, stopped = server.path / "access.log", server.worker_pids()[0]
            os.kill(stopped, signal.SIGSTOP)
            log.rename(server.path / "old.log")
            command = subprocess.Popen([BINARY, "reopen", "--control", server.path / "control"], text=True,
                                       env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            wait_until(log.exists, "the new file")
            os.kill(stopped, signal.SIGKILL)
            output, error = command.communicate(timeout=PATIENCE)
            self.assertEqual((command.returncode, error), (0, ""))
            self.assertRegex(output, r"^access.log is open anew: 1 worker after \d+ ms\n$")
            wait_until(lambda: len(server.worker_pids()) == 2, "a new worker")
            self.one_line(server, log)

    def test_a_directory_in_the_place_of_the_file_is_said_once_and_survived(self):
        here = os.path.dirname(os.path.abspath(__file__))
        refused = run("serve", here, "--listen", "127.0.0.1:0", "--access-log", here)
        self.assertEqual((refused.returncode, refused.stdout), (77, ""))
        self.assertIn("is a directory", refused.stderr)
        with serve(workers=1) as server:
            log = server.path / "access.log"
            self.one_line(server, log)
            log.unlink()
            log.mkdir()
            wait_until(lambda: "access log not reopened" in server.stderr(), "the log to say so")
            done = reopen(server)
            self.assertEqual(done.returncode, 1)
            self.assertIn("is a directory", done.stderr)
            self.assertEqual(get(server.port)[0], 200)
            log.rmdir()
            wait_until(log.is_file, "the file")
            wait_until(lambda: "access log reopened" in server.stderr(), "the log to say so")
            self.one_line(server, log)
            self.assertEqual(server.stderr().count("access log not reopened"), 1)

    def test_the_successor_of_a_dead_worker_writes_to_the_new_file(self):
        with serve(workers=1) as server:
            log, old = server.path / "access.log", server.path / "old.log"
            log.rename(old)
            self.assertEqual(reopen(server).returncode, 0)
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: server.worker_pids() not in ([], [victim]), "a new worker")
            self.one_line(server, log)
            self.assertEqual(lines(old), [])

    def test_where_there_is_no_file(self):
        for target in ("off", "-"):
            with Server("--access-log", target, workers=1) as server:
                done = reopen(server)
                self.assertEqual((done.returncode, done.stdout), (0, "there is no log file to open anew\n"))
                server.signal(signal.SIGUSR1)
                self.assertEqual(get(server.port)[0], 200)
        self.assertEqual(run("reopen", "--control", "/nonexistent/control").returncode, 69)


class Faults(unittest.TestCase):
    SMALL = {"PRONGHORN_ACCESS_LOG_BUFFER": "8KiB"}

    def limit_files(self, server, size):
        for pid in server.worker_pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def test_a_full_disk_loses_lines_and_nothing_else_and_it_is_said_when_it_begins_and_ends(self):
        with serve(workers=1, environment=self.SMALL) as server:
            log = server.path / "access.log"
            for _ in range(3):
                get(server.port)
            wait_until(lambda: len(lines(log)) == 3, "three lines")
            self.limit_files(server, log.stat().st_size + 10)
            for _ in range(300):
                self.assertEqual(get(server.port)[0], 200)
            full = wait_until(lambda: (s := server.status()["access_log"]) and s["dropped"] > 0 and s["losing"] and s, "losses")
            self.assertEqual((full["path"], full["error"]), ("access.log", "file too large"))
            self.assertIn("lost", server.status_command().stdout)
            wait_until(lambda: "access log lines dropped" in server.stderr(), "the log to say so")

            self.limit_files(server, resource.RLIM_INFINITY)
            wait_until(lambda: get(server.port)[0] == 200 and "access log written again" in server.stderr(), "the end of it")
            self.assertEqual(server.stderr().count("access log lines dropped"), 1)
            def settled():
                status = server.status()
                taken = status["access_log"]
                return taken["error"] == "" and taken["lines"] + taken["dropped"] == status["requests"] and status

            status = wait_until(settled, "no error, and every line counted")
            # One line was cut; it was ended before the next began.
            whole = [line for line in lines(log) if re.match(r'127\.0\.0\.1 - - \[.*"-" "-"$', line)]
            self.assertEqual(len(lines(log)), len(whole) + 1)
            self.assertEqual(len(whole), status["access_log"]["lines"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to mount")
    def test_a_file_system_without_room(self):
        with serve(workers=2) as server:
            folder = server.path / "small"
            folder.mkdir()
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder], stderr=subprocess.DEVNULL).returncode:
                self.skipTest("mount is not permitted here")
            try:
                with serve(workers=2, environment=self.SMALL | {"PRONGHORN_ACCESS_LOG": str(folder / "access.log")}) as full:
                    for _ in range(600):
                        self.assertEqual(get(full.port)[0], 200)
                    status = wait_until(lambda: (s := full.status()["access_log"]) and s["losing"] and s, "losses")
                    self.assertEqual(status["error"], "no space left on device")
                    # Room again: the file is taken away, which is seen by itself.
                    (folder / "access.log").unlink()
                    wait_until((folder / "access.log").exists, "a new file")
                    wait_until(lambda: full.status()["access_log"]["error"] == "", "no error")
                    get(full.port)
                    wait_until(lambda: lines(folder / "access.log"), "a line")
            finally:
                subprocess.run(["umount", "-l", folder], check=True)

    def test_a_fifo_needs_no_reader(self):
        server = serve(workers=2, environment=self.SMALL)
        fifo = server.path / "access.log"
        os.mkfifo(fifo)
        with server:
            for _ in range(20):
                self.assertEqual(get(server.port)[0], 200)
            for _ in range(2):  # a reader, and another after it has left
                with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
                    get(server.port)
                    text = b""

                    def has_line():
                        nonlocal text
                        text += reader.read() or b""
                        return text.endswith(b'"-" "-"\n')

                    wait_until(has_line, "a whole line")
            # Nobody reads any more, and more comes than fits.
            with Load(server):
                wait_until(lambda: server.status()["access_log"]["dropped"] > 0, "losses")
            self.assertEqual(get(server.port)[0], 200)
            with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
                wait_until(lambda: (reader.read(), server.status()["access_log"]["error"])[1] == "", "that it is taken")

    def test_a_killed_worker_loses_what_it_had_not_written_and_no_more(self):
        with serve(workers=1) as server:
            log = server.path / "access.log"
            with connect(server.port) as sock:
                rest = b""
                for i in range(50):
                    sock.sendall(f"GET /?id={i} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    _, _, _, rest = read_answer(sock, rest)
                    if i == 39:
                        wait_until(lambda: len(lines(log)) == 40, "the lines so far")
                os.kill(server.worker_pids()[0], signal.SIGKILL)
            # A thread writes them: those of the last milliseconds may be missing, and none is cut.
            self.assertGreaterEqual(len(lines(log)), 40)
            self.assertTrue(log.read_text().endswith("\n"))

    def test_lines_may_be_written_together_later(self):
        with serve(workers=1, environment={"PRONGHORN_ACCESS_LOG_FLUSH": "300ms"}) as server:
            log = server.path / "access.log"
            begun = time.monotonic()
            get(server.port)
            wait_until(lambda: lines(log), "a line")
            self.assertGreater(time.monotonic() - begun, 0.2)
            get(server.port)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertEqual(len(lines(log)), 2)


class Formats(unittest.TestCase):
    def test_json_and_a_pattern(self):
        with serve(workers=1, environment={"PRONGHORN_ACCESS_LOG_FORMAT": "json"}) as server:
            with connect(server.port) as sock:
                sock.sendall(b'GET /"x HTTP/1.1\r\nHost: x\r\nUser-Agent: a\x1b\xff"b\xc3\xa9\r\nConnection: close\r\n\r\n'
                             .replace(b"\x1b", b"\t"))
                read_answer(sock)
            line = json.loads(wait_until(lambda: lines(server.path / "access.log"), "a line")[0])
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual((line["client"], line["method"], line["host"], line["worker"]), ("127.0.0.1", "GET", "x", 1))
            self.assertEqual((line["user_agent"], line["connection"]), ('a\t\u00ff"b\u00e9', "close"))
        pattern = "%m %U%q %>s %B %{Host}i %{Content-Type}o %X %k"
        with serve(workers=1, environment={"PRONGHORN_ACCESS_LOG_FORMAT": pattern}) as server:
            get(server.port, "/index.html?a=b")
            line = wait_until(lambda: lines(server.path / "access.log"), "a line")[0]
            self.assertEqual(line, "GET /index.html?a=b 200 13 test text/html; charset=utf-8 - 0")


if __name__ == "__main__":
    main()
