#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same requests to nginx and to the program, over the same document root: what differs must be one of EXPLAINED, each
of which docs/conformance.md explains under its title; and each of EXPLAINED must still be seen.

usage: nginx_test.py [BINARY]        or PRONGHORN_BINARY
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
    os.environ["PRONGHORN_BINARY"] = os.path.abspath(sys.argv.pop(1))

from nginx_requests import EXPLAINED, REQUESTS  # noqa: E402
from support import PATIENCE, TOP, Server, main, wait_until  # noqa: E402  (reads PRONGHORN_BINARY when imported)

CASES = TOP / "tests/http_cases"
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
CONFIG = """
daemon off;
master_process off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log off;
    gzip_static on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen unix:{folder}/socket;
        root {root};
    }}
}}
"""
FIELDS = ("content-length", "content-type", "content-encoding", "content-range", "accept-ranges", "location", "vary", "allow",
          "last-modified", "connection", "x-content-type-options", "transfer-encoding")


class Nginx:
    """nginx in a folder of its own, on a unix socket, until the `with` block ends."""

    def __init__(self, root):
        self.folder = tempfile.TemporaryDirectory(prefix="pronghorn-nginx-")
        self.path = Path(self.folder.name)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.path / "nginx.conf").write_text(CONFIG.format(folder=self.path, root=root, user=user))

    def __enter__(self):
        self.process = subprocess.Popen([NGINX, "-p", self.path, "-c", self.path / "nginx.conf"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: (self.path / "socket").exists() or self.process.poll() is not None, "nginx to listen")
        if self.process.poll() is not None:
            raise AssertionError("nginx: " + self.process.stderr.read())
        return self

    def __exit__(self, *failure):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stderr.close()
        self.folder.cleanup()

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self.path / "socket"))
        return sock


class Ours(Server):
    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))


def is_whole(data, method):
    """Whether `data` is an answer up to its end; one without a length ends with the connection."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found or not head.startswith(b"HTTP/"):
        return False
    if method == b"HEAD" or head.split(b" ")[1] in (b"204", b"304"):
        return True
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return length is not None and len(body) >= int(length[1])


def ask(server, request):
    """The answer to `request`. (A client that half-closes would get half of a large file from nginx.)"""
    with server.connect() as sock:
        sock.settimeout(PATIENCE)
        sock.sendall(request)
        data = b""
        while not is_whole(data, request.split(b" ")[0]) and (piece := sock.recv(1 << 16)):
            data += piece
            if data.startswith(b"HTTP/1.1 100 "):
                data = data.partition(b"\r\n\r\n")[2]
    return data


def answer(server, request):
    """{"status", "body", and FIELDS}; a field that is absent is ''."""
    head, _, body = ask(server, request).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    seen = {"status": lines[0].split(" ")[1] if lines[0].startswith("HTTP/") else "HTTP/0.9"}
    seen |= {name: fields.get(name, "") for name in FIELDS} | {"body": body.decode("latin-1")}
    if seen["status"][:1] not in "23" or seen["status"] in ("301", "308"):  # pages of their own
        seen |= {"body": "", "content-length": "", "content-type": ""}
    boundary = re.search(r"boundary=(\S+)", seen["content-type"])
    if boundary:
        seen |= {name: seen[name].replace(boundary[1], "BOUNDARY") for name in ("content-type", "body")}
    return seen


def validators(server, path):
    head = ask(server, b"GET %s HTTP/1.0\r\n\r\n" % path.encode()).partition(b"\r\n\r\n")[0].decode("latin-1")
    return {name: (re.search(rf"(?i)^{field}: (.*?)\r?$", head, re.M) or ["", ""])[1]
            for name, field in (("ETAG", "etag"), ("LM", "last-modified"))}


def filled(server, request):
    """The request with what this server calls its file."""
    path = request.split(" ", 2)[1]
    for name, value in validators(server, path).items() if "%ETAG%" in request or "%LM%" in request else ():
        request = request.replace(f"%{name}%", value)
    return request.encode("latin-1")


def explanation(name, field, theirs, ours):
    for title, names, fields, values in EXPLAINED:
        if re.fullmatch(names, name) and field in fields and re.fullmatch(values, f"{theirs} {ours}", re.S):
            return title
    return None


@unittest.skipUnless(NGINX or "CI" in os.environ, "no nginx here")
class SameAsNginx(unittest.TestCase):
    def test_what_differs_is_explained(self):
        with tempfile.TemporaryDirectory(prefix="pronghorn-cases-") as folder:
            os.chmod(folder, 0o755)
            subprocess.run([CASES / "make_fixture.sh", folder], check=True, stdin=subprocess.DEVNULL)
            (root := Path(folder, "www")).joinpath("fifo").unlink()  # nginx opens it as we do; in other versions it waits
            with Nginx(root) as nginx, Ours(root=root, config=CASES / "server.toml", workers=None) as ours:
                unexplained, used = self.compare(nginx, ours)
        self.assertEqual(unexplained, [], "differences that EXPLAINED does not tell:\n" + "\n".join(unexplained))
        unused = {title for title, *_ in EXPLAINED} - used
        self.assertEqual(unused, set(), "explained, but no request shows it")

    def compare(self, nginx, ours):
        unexplained, used, same = [], set(), 0
        for name, request in REQUESTS.items():
            theirs, mine = answer(nginx, filled(nginx, request)), answer(ours, filled(ours, request))
            # Of answers that differ in kind the rest says nothing.
            fields = ["status"] if theirs["status"] != mine["status"] else [*FIELDS, "body"]
            different = [field for field in fields if theirs[field] != mine[field]]
            same += theirs["status"] == mine["status"]
            for field in different:
                title = explanation(name, field, theirs[field][:200], mine[field][:200])
                used.add(title)
                if title is None:
                    unexplained.append(f"{name}: {field}: nginx {theirs[field][:80]!r}, ours {mine[field][:80]!r}")
        print(f"{same} of {len(REQUESTS)} requests have the status that nginx gives them", flush=True)
        return unexplained, used


if __name__ == "__main__":
    main()
