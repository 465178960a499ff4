#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What handlers are written with, in the examples: WebSocket against the package ws, events, an upload, JSON."""
import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import unittest
from pathlib import Path

import node_packages
from support import TOP, Server, main

EXAMPLES = Path(os.environ.get("PRONGHORN_BUILD", TOP / "build/dev")) / "examples"


def ask(port, method, path, body=None, headers=None):
    """Status, fields and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


@unittest.skipUnless(shutil.which("node"), "no 'node' on PATH")
class WebSocket(unittest.TestCase):
    def test_the_package_ws(self):
        node_packages.need()
        with Server(program=EXAMPLES / "websocket", workers=1) as server:
            client = subprocess.Popen(["node", node_packages.APPS / "websocket.js", f"ws://127.0.0.1:{server.port}/echo"],
                                      stdout=subprocess.PIPE, text=True,
                                      env=os.environ | {"NODE_PATH": str(node_packages.modules())})
            self.addCleanup(client.stdout.close)
            self.addCleanup(client.wait)
            self.addCleanup(client.kill)
            watchdog = threading.Timer(60, client.kill)  # its output ends then, and with it the reading below
            watchdog.start()
            self.addCleanup(watchdog.cancel)
            told = json.loads(client.stdout.readline())

            def outcome(name):
                return {key: value for key, value in told[name].items() if value not in ([], "")}

            bye = {"code": 4001}
            self.assertEqual(outcome("messages"), bye | {"messages": ["t:hello", "b:bytes", "t:"]})
            self.assertEqual(outcome("fragments"), bye | {"messages": ["t:abc"], "pongs": ["p"]})
            self.assertEqual(outcome("large"), bye | {"messages": [True]})
            self.assertEqual(outcome("large fragments"), bye | {"messages": [True]})
            self.assertEqual(outcome("too large"), {"code": 1009, "reason": "message over the limit"})
            self.assertEqual(outcome("not UTF-8"), {"code": 1007, "reason": "text that is not UTF-8"})
            self.assertEqual(outcome("without a mask"), {"code": 1002, "reason": "frame without a mask"})
            self.assertEqual(outcome("close without a code"), {"code": 1005})
            self.assertEqual(outcome("close by us"), bye)
            self.assertEqual(outcome("protocol"), bye | {"protocol": "echo"})

            self.assertEqual(client.stdout.readline(), "open\n")
            server.signal(signal.SIGTERM)
            self.assertEqual(json.loads(client.stdout.readline())["code"], 1001)
            self.assertEqual(server.wait(), 0)

    def test_what_is_no_handshake(self):
        with Server(program=EXAMPLES / "websocket", workers=1) as server:
            status, fields, _ = ask(server.port, "GET", "/chat")
            self.assertEqual((status, fields["Sec-WebSocket-Version"], fields["Upgrade"]), (426, "13", "websocket"))
            self.assertEqual(fields["Connection"], "upgrade, keep-alive")  # RFC 9110 §7.8
            key = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            self.assertEqual(ask(server.port, "GET", "/chat", headers=key)[0], 400)
            self.assertEqual(ask(server.port, "POST", "/chat", headers=key)[0], 405)


class Events(unittest.TestCase):
    def test_a_client_hears_and_is_let_go(self):
        with Server(program=EXAMPLES / "events", workers=1) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            connection.request("GET", "/events", headers={"Last-Event-ID": "41"})
            answer = connection.getresponse()
            self.assertEqual(answer.getheader("Content-Type"), "text/event-stream")
            self.assertEqual(answer.getheader("Cache-Control"), "no-cache")

            def lines():
                found = []
                while line := answer.readline().decode().rstrip("\n"):
                    found.append(line)
                return found

            self.assertEqual(lines(), ["event: hello", "id: 0", "data: since 41"])
            self.assertEqual(ask(server.port, "POST", "/say", "one\r\ntwo")[0], 204)
            self.assertEqual(lines(), ["id: 1", "data: one", "data: two"])
            self.assertEqual(ask(server.port, "HEAD", "/events")[0], 200)
            server.signal(signal.SIGTERM)
            self.assertEqual(answer.read(), b"")  # a last chunk, not a cut
            connection.close()
            self.assertEqual(server.wait(), 0)


class Upload(unittest.TestCase):
    def test_a_form_with_files(self):
        large = os.urandom(3_000_000)
        body = (b'--B\r\nContent-Disposition: form-data; name="title"\r\n\r\ntwo files\r\n'
                b'--B\r\nContent-Disposition: form-data; name="files"; filename="..\\..\\a.txt"\r\n\r\nsmall\r\n'
                b'--B\r\nContent-Disposition: form-data; name="files"; filename="b.bin"\r\n\r\n' + large + b"\r\n--B--\r\n")
        form = {"Content-Type": "multipart/form-data; boundary=B"}
        with Server(program=EXAMPLES / "upload", workers=1) as server:
            status, _, told = ask(server.port, "POST", "/", body, form)
            self.assertEqual((status, told), (200, b"title two files\na.txt 5\nb.bin 3000000\n"))
            self.assertEqual(ask(server.port, "POST", "/", body[:-6], form)[0], 400)
            self.assertEqual(ask(server.port, "POST", "/", b"a=b", {"Content-Type": "text/plain"})[0], 415)
            self.assertEqual(ask(server.port, "GET", "/")[0], 200)


class JsonApi(unittest.TestCase):
    def test_notes(self):
        as_json = {"Content-Type": "application/json"}
        with Server(program=EXAMPLES / "json_api", workers=1) as server:
            self.assertEqual(ask(server.port, "PUT", "/notes/a", '{"n": 1}', as_json)[0], 201)
            self.assertEqual(ask(server.port, "PUT", "/notes/a", '{"n": 2}', as_json)[0::2], (200, b'{"n":2}'))
            status, _, told = ask(server.port, "PUT", "/notes/a", '{\n"n": }', as_json)
            self.assertEqual((status, told), (400, b"not JSON: line 2, column 6: unexpected '}'\n"))
            self.assertEqual(ask(server.port, "PUT", "/notes/a", "{}")[0], 415)
            status, fields, told = ask(server.port, "GET", "/notes", headers={"Cookie": "a=1; visits=7"})
            self.assertEqual((status, json.loads(told)), (200, {"a": {"n": 2}}))
            self.assertEqual(fields["Set-Cookie"], "visits=8; Path=/; HttpOnly; SameSite=Lax")
            self.assertEqual(fields["Content-Type"], "application/json")
            self.assertEqual(ask(server.port, "DELETE", "/notes/a")[0], 204)
            self.assertEqual(ask(server.port, "GET", "/notes/a")[0], 404)


if __name__ == "__main__":
    main()
