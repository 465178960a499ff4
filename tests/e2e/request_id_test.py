#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a visitor reads on an error page is found in the access log: by default, and with a name that came or is told."""
import json
import re
import unittest

from support import Server, connect, main, read_answer, wait_until

CONFIG = """
listen = "127.0.0.1:0"
workers = 2
root = "www"
access_log = "access.log"
access_log_format = "json"
"""
OWN = "[0-9a-hjkmnp-tv-z]{16}"


def serve(test, more=""):
    server = Server.in_folder({"pronghorn.toml": CONFIG + more, "www/index.html": "INDEX"}, config="pronghorn.toml")
    test.addCleanup(server.close)
    return server.start()


def ask(server, target="/none", fields=""):
    with connect(server.port) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode())
        return read_answer(sock)[:3]


def logged(server, count):
    path = server.path / "access.log"
    text = wait_until(lambda: path.exists() and (t := path.read_text()).count("\n") >= count and t, f"{count} lines")
    return [json.loads(line)["request_id"] for line in text.splitlines()]


class RequestIds(unittest.TestCase):
    def test_a_page_of_any_worker_has_the_log_s_and_no_two_are_the_same(self):
        server = serve(self)
        shown = []
        for _ in range(20):
            status, fields, body = ask(server)
            self.assertEqual((status, fields.get("x-request-id")), (404, None))
            shown.append(re.search(f"<p>Request ({OWN})\n", body.decode()).group(1))
        self.assertEqual(len(set(shown)), 20)
        self.assertEqual(sorted(logged(server, 20)), sorted(shown))

    def test_it_is_answered_and_a_client_s_is_taken_only_where_that_is_configured(self):
        for trust in (False, True):
            server = serve(self, f"[request_id]\nanswer = true\ntrust = {str(trust).lower()}\n")
            given = [ask(server, target, "X-Request-Id: from-proxy-1\r\n")[1]["x-request-id"] for target in ("/", "/none")]
            self.assertEqual(sorted(logged(server, 2)), sorted(given))  # each worker writes its own lines
            self.assertEqual(given == ["from-proxy-1"] * 2, trust)
            status, fields, body = ask(server, fields='X-Request-Id: "><script>\r\n')
            self.assertRegex(fields["x-request-id"], f"^{OWN}$")
            self.assertNotIn(b"script", body)


if __name__ == "__main__":
    main()
