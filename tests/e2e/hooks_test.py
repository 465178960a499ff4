#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an App has beside routes, in examples/guestbook: hooks of each worker, data of a request, files."""
import http.client
import os
import re
import signal
import socket
import subprocess
import unittest
from pathlib import Path

from support import PATIENCE, TOP, Server, main, wait_until

PROGRAM = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev")) / "examples/guestbook"
FILES = {"public/app.js": "js\n", "public/sub/index.html": "SUB\n"}


def ask(port, method, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


class Hooks(unittest.TestCase):
    def server(self, **options):
        return Server.in_folder(FILES, program=PROGRAM, **options)

    def said(self, server, what):
        """The processes that said so in the book."""
        book = server.path / "guestbook.txt"
        return [int(pid) for pid in re.findall(rf"^{what} by (\d+)$", book.read_text() if book.exists() else "", re.M)]

    def test_each_worker_is_told_also_the_one_that_replaces_another(self):
        with self.server(workers=2) as server:
            first = sorted(self.said(server, "opened"))
            self.assertEqual(first, server.worker_pids())  # all of them, before the ready line; not the master
            os.kill(first[0], signal.SIGKILL)
            wait_until(lambda: len(self.said(server, "opened")) == 3, "the hook of the third worker")
            third = self.said(server, "opened")[2]
            self.assertNotIn(third, first)
            wait_until(lambda: sum(w["state"] == "ready" for w in server.status()["workers"]) == 2, "two workers")
            self.assertEqual(ask(server.port, "POST", "/sign", {"X-User": "ada"})[0], 201)
            self.assertEqual(self.said(server, "closed"), [])
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertEqual(sorted(self.said(server, "closed")), sorted([first[1], third]))

    def test_an_idle_connection_does_not_keep_it_from_its_stop(self):
        with self.server(workers=1) as server:
            idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            self.addCleanup(idle.close)
            idle.request("GET", "/public/app.js")
            idle.getresponse().read()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertEqual(self.said(server, "closed"), self.said(server, "opened"))

    def test_what_the_deadline_cuts_is_over_before_it_too(self):
        with self.server(workers=1, environment={"PRONGHORN_DRAIN_TIMEOUT": "300ms"}) as server:
            asked = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
            self.addCleanup(asked.close)
            asked.sendall(b"POST /sign HTTP/1.1\r\nHost: x\r\nX-User: ada\r\nContent-Length: 5\r\n\r\n")  # and no body
            wait_until(lambda: any(w["requests_active"] for w in server.status()["workers"]), "the request")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertEqual(self.said(server, "closed"), self.said(server, "opened"))

    def test_a_hook_that_fails_is_a_death_at_the_start(self):
        server = self.server(workers=1, environment={"GUESTBOOK": "no/such/folder/book"})
        try:
            server.start(wait_ready=False)
            # Not once for ever, and not in a busy loop: the back-off has it.
            wait_until(lambda: server.stderr().count("cannot start") >= 2, "another try")
            line = next(line for line in server.stderr().splitlines() if "cannot start" in line)
            self.assertIn("critical", line)
            self.assertIn("the guest book no/such/folder/book", line)
            self.assertIn("no such file", line.lower())
            self.assertRegex(server.stderr(), r"code 1\b|code=1\b")
            self.assertIsNone(server.process.poll())
            (server.path / "no/such/folder").mkdir(parents=True)  # it comes up once it can
            server.read_ready()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
        finally:
            server.close()

    def test_a_folder_that_is_not_there_is_told_at_once(self):
        server = Server(program=PROGRAM, workers=1)
        try:
            server.start(wait_ready=False)
            self.assertEqual(server.wait(), 70)
            self.assertIn('files "/public": ', server.stderr())
        finally:
            server.close()


class Requests(unittest.TestCase):
    def test_what_middleware_knows_and_files(self):
        with Server.in_folder(FILES, program=PROGRAM, workers=1) as server:
            self.assertEqual(ask(server.port, "POST", "/sign")[0], 403)
            status, fields, text = ask(server.port, "POST", "/sign", {"X-User": "ada"})
            self.assertEqual((status, fields["X-Signed-By"], text), (201, "ada", "thank you\n"))

            status, fields, text = ask(server.port, "GET", "/book")
            self.assertEqual((status, fields["Content-Type"]), (200, "text/plain"))
            self.assertEqual(fields["Content-Disposition"], 'attachment; filename="guest book.txt"')
            self.assertIn("ada was here", text)
            self.assertEqual(ask(server.port, "GET", "/book", {"Range": "bytes=0-5"})[::2], (206, "opened"))
            status, head, text = ask(server.port, "HEAD", "/book")
            self.assertEqual((status, head["Content-Length"], text), (200, fields["Content-Length"], ""))

            status, fields, text = ask(server.port, "GET", "/public/app.js")
            self.assertEqual((status, text, fields["Cache-Control"]), (200, "js\n", "max-age=3600"))
            self.assertEqual(ask(server.port, "GET", "/public/app.js", {"If-None-Match": fields["ETag"]})[0], 304)
            self.assertEqual(ask(server.port, "GET", "/public/sub")[1]["Location"], "/public/sub/")
            self.assertEqual(ask(server.port, "GET", "/public/sub/")[2], "SUB\n")
            self.assertEqual(ask(server.port, "GET", "/public/../guestbook.txt")[0], 404)
            self.assertEqual(ask(server.port, "POST", "/public/app.js")[0], 405)


class Alone(unittest.TestCase):
    def test_a_server_without_a_master_logs_under_the_name_of_its_program(self):
        with subprocess.Popen([PROGRAM.parent / "handlers"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            self.addCleanup(process.kill)
            try:
                port = int(process.stdout.readline().rsplit(" ", 1)[1])
                self.assertEqual(ask(port, "GET", "/sum/x")[0], 500)
            finally:
                process.kill()
            self.assertRegex(process.stderr.read(), r"Z error handlers handler failed method=GET path=/sum/x error=")


if __name__ == "__main__":
    main()
