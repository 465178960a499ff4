#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a configuration says about sites (docs/reference/site.md), by the real program."""
import gzip
import json
import re
import tempfile
import threading
import unittest
from pathlib import Path

from support import TOP, Server, connect, main, read_answer, run

PAGE = "a line of a page that repeats itself\n" * 100
CONFIG = """
listen = "127.0.0.1:0"
workers = 2
root = "www"
listing = true
fallback = "app.html"
[[cache_control]]
match = "*.css"
value = "max-age=9"
[[headers]]
set = { X-Site = "default" }
[[redirects]]
from = "/old/*"
to = "/new/*"
status = 308
[[error_pages]]
status = 404
file = "404.html"
[[hosts]]
names = ["other.org", "*.other.org"]
root = "other"
[[hosts.headers]]
set = { X-Site = "other" }
[[hosts]]
names = "nowhere.org"
[[hosts.redirects]]
from = "/*"
to = "https://example.org/*"
"""
CONFIG += f'[[routes]]\npath = "/text"\ntext = """\n{PAGE}"""\n'
FILES = {"pronghorn.toml": CONFIG, "www/page.html": PAGE, "www/index.html": "INDEX", "www/app.html": "APP", "www/404.html": "LOST",
         "www/style.css": "a{}", "www/dir/<b>.txt": "B", "www/dir/sub/x": "x", "other/index.html": "OTHER"}


def ask(port, target="/", host="test", method="GET", **fields):
    """(status, fields, body)"""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    with connect(port) as sock:
        sock.sendall(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\n\r\n".encode())
        if method != "HEAD":
            return read_answer(sock)[:3]
        head = b"".join(iter(lambda: sock.recv(65536), b""))
        return int(head.split()[1]), head.decode(), head.partition(b"\r\n\r\n")[2]


class Sites(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server.in_folder(FILES, config="pronghorn.toml")
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.port = cls.server.port

    def test_a_host_has_its_own_site(self):
        for host, body, site in (("test", b"INDEX", "default"), ("other.org", b"OTHER", "other"),
                                 ("A.b.OTHER.org.:80", b"OTHER", "other")):
            status, fields, got = ask(self.port, host=host)
            self.assertEqual((status, got, fields["x-site"]), (200, body, site), host)
        status, fields, _ = ask(self.port, "/a%20b?c=1", host="nowhere.org")
        self.assertEqual((status, fields["location"]), (301, "https://example.org/a%20b?c=1"))

    def test_redirects_keep_the_rest_and_the_query(self):
        status, fields, _ = ask(self.port, "//old//a/%0d%0ab?x=1")
        self.assertEqual((status, fields["location"]), (308, "/new/a/%0D%0Ab?x=1"))
        self.assertEqual(fields["x-site"], "default")

    def test_a_directory_is_listed(self):
        status, fields, body = ask(self.port, "/dir/")
        self.assertEqual(status, 200)
        self.assertIn(b'<a href="%3Cb%3E.txt">&lt;b&gt;.txt</a>', body)
        self.assertLess(body.index(b"sub/"), body.index(b"&lt;b&gt;"))
        self.assertEqual(fields["cache-control"], "no-cache")
        self.assertIn("default-src 'none'", fields["content-security-policy"])
        self.assertNotIn(b"<script", body)
        status, _, body = ask(self.port, "/dir/?sort=name&order=desc", Accept="application/json")
        self.assertEqual([(e["name"], e["type"]) for e in json.loads(body)], [("sub", "directory"), ("<b>.txt", "file")])
        status, head, body = ask(self.port, "/dir/", method="HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertIn("Content-Length: ", head)

    def test_the_fallback_is_for_pages(self):
        self.assertEqual(ask(self.port, "/orders/17")[::2], (200, b"APP"))
        status, fields, body = ask(self.port, "/orders/17.js")
        self.assertEqual((status, body, fields["content-type"]), (404, b"LOST", "text/html; charset=utf-8"))

    def test_rules_for_cache_control(self):
        self.assertEqual(ask(self.port, "/style.css")[1]["cache-control"], "max-age=9")
        self.assertNotIn("cache-control", ask(self.port, "/")[1])

    def test_an_error_has_the_form_that_was_asked_for(self):
        status, fields, body = ask(self.port, "/none.js", Accept="application/json")
        self.assertEqual((status, fields["content-type"]), (404, "application/problem+json"))
        problem = json.loads(body)
        self.assertEqual(len(problem.pop("request_id")), 16)
        self.assertEqual(problem, {"type": "about:blank", "title": "Not Found", "status": 404,
                                   "detail": "There is no page at this address."})
        status, fields, body = ask(self.port, "/none.js", Accept="image/png")
        self.assertEqual(fields["content-type"], "text/plain; charset=utf-8")
        self.assertRegex(body, rb"^404 Not Found: There is no page at this address. \(request \w{16}\)\n$")
        status, head, body = ask(self.port, "/none.js", method="HEAD")
        self.assertEqual((status, body), (404, b""))

    def test_files_and_answers_of_routes_are_compressed(self):
        page = PAGE.encode()
        for target in ("/page.html", "/text"):
            for coding, read in (("gzip", gzip.decompress), ("identity", bytes)):
                status, fields, body = ask(self.port, target, Accept_Encoding=coding)
                self.assertEqual((status, read(body), fields.get("content-encoding", "identity")), (200, page, coding))
                self.assertEqual(fields["vary"].lower(), "accept-encoding")
        status, fields, _ = ask(self.port, "/page.html", Accept_Encoding="br")
        self.assertEqual((status, fields["content-encoding"]), (200, "br"))
        self.assertEqual(ask(self.port, "/page.html", Accept_Encoding="br", If_None_Match=fields["etag"])[0], 304)
        self.assertEqual(ask(self.port, "/page.html", Accept_Encoding="gzip", If_None_Match=fields["etag"])[0], 200)
        status, fields, body = ask(self.port, "/page.html", Accept_Encoding="gzip", Range="bytes=0-9")
        self.assertEqual((status, body), (206, page[:10]))
        self.assertNotIn("content-encoding", fields)

    def test_rules_are_for_answers_of_routes_too(self):
        self.assertEqual(ask(self.port, "/text")[1]["x-site"], "default")
        self.assertEqual(ask(self.port, "/text", host="other.org")[1]["x-site"], "other")
        status, fields, _ = ask(self.port, "/", method="DELETE")
        self.assertEqual((status, fields["x-site"]), (405, "default"))

    def test_an_error_page_repeats_nothing_of_the_request(self):
        for accept in ("text/html", "application/json", "text/plain"):
            _, fields, body = ask(self.port, "/none-SECRET.js?SECRET", Accept=accept, Cookie="SECRET")
            self.assertNotIn("SECRET", str(fields) + body.decode())
            self.assertLess(len(body), 1024)

    def test_the_roots_are_the_same_after_they_were_renamed(self):
        with Server.in_folder(FILES, config="pronghorn.toml") as server:
            (server.path / "other").rename(server.path / "renamed")
            self.assertEqual(ask(server.port, host="other.org")[2], b"OTHER")


class Refused(unittest.TestCase):
    def test_an_unknown_host_is_421(self):
        config = 'listen = "127.0.0.1:0"\nworkers = 1\nunknown_hosts = "refuse"\n[[hosts]]\nnames = "a.org"\nroot = "www"\n'
        with Server.in_folder({"c.toml": config, "www/index.html": "A"}, config="c.toml") as server:
            self.assertEqual(ask(server.port, host="a.org:80")[::2], (200, b"A"))
            self.assertEqual(ask(server.port, host="b.org")[0], 421)


class CommandLine(unittest.TestCase):
    def test_listing(self):
        with Server("--listing", workers=1) as server:
            (Path(server.root) / "d").mkdir()
            self.assertIn(b"This folder is empty", ask(server.port, "/d/")[2])
        with Server(workers=1) as server:
            (Path(server.root) / "d").mkdir()
            self.assertEqual(ask(server.port, "/d/")[0], 404)

    def test_a_large_listing_makes_no_other_request_wait(self):
        with Server("--listing", workers=1) as server:
            (Path(server.root) / "large").mkdir()
            for number in range(10_000):
                (Path(server.root) / f"large/{number}").touch()
            answered = []
            with connect(server.port) as slow, connect(server.port) as quick:
                reader = threading.Thread(target=lambda: answered.append(read_answer(slow)))
                slow.sendall(b"GET /large/ HTTP/1.1\r\nHost: x\r\n\r\n")
                reader.start()
                rest, meanwhile = b"", 0
                while not answered and meanwhile < 500:
                    quick.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    status, _, _, rest = read_answer(quick, rest)
                    self.assertEqual(status, 200)
                    meanwhile += 1
                reader.join()
            self.assertEqual(answered[0][0], 200)
            self.assertEqual(answered[0][2].count(b"<tr><td>"), 10_000)
            self.assertGreater(meanwhile, 10)


class Documented(unittest.TestCase):
    def test_every_block_of_the_reference_is_a_right_configuration(self):
        blocks = re.findall(r"```toml\n(.*?)```", (TOP / "docs/reference/site.md").read_text(), re.S)
        self.assertGreater(len(blocks), 6)
        with tempfile.TemporaryDirectory() as folder:
            for site in ("www", "example"):
                (Path(folder) / site).mkdir()
                for name in ("app.html", "404.html", "50x.html"):
                    (Path(folder) / site / name).write_text(name)
            for block in blocks:
                file = Path(folder) / "c.toml"
                file.write_text(block.replace('"/srv/', f'"{folder}/'))
                done = run("check", file)
                self.assertEqual(done.returncode, 0, block + done.stdout)
                again = run("config", "--config", file)
                self.assertEqual(again.returncode, 0, again.stderr)
                file.write_text(again.stdout)
                self.assertEqual(run("check", file).returncode, 0, again.stdout)


if __name__ == "__main__":
    main()
