# SPDX-License-Identifier: Apache-2.0
"""The servers that bench/run compares: each is started on loopback, pinned, and ended by its own pid."""
import os
import pwd
import re
import shutil
import socket
import subprocess
import time

NGINX_CONF = """\
{user}daemon off;
worker_processes {workers};
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  include /etc/nginx/mime.types;
  access_log {access_log};
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 60s;
  open_file_cache_min_uses 1;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096{deferred};
    root {root};
    location = / {{ default_type text/plain; return 200 "Hello, World!"; }}
  }}
}}
"""

PRONGHORN_TOML = """\
root = "{root}"
workers = {workers}
access_log = "{access_log}"
access_log_flush = "{flush}"
control = "{dir}/control"

[limits]
requests_per_connection = 0

[[routes]]
path = "/"
handler = "text"
text = "Hello, World!"
"""


class BenchError(Exception):
    """What the user should read instead of a trace."""


class Server:
    """A started server. `pids()` are the processes whose CPU time is its cost."""

    def __init__(self, name, argv, cpus, log_path, environment=None):
        self.name = name
        self.log_path = log_path
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment,
                preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self.port = None

    def line(self):
        """The first line it prints; it must come before anything can be measured."""
        text = self.process.stdout.readline().decode()
        if not text:
            raise BenchError(f"{self.name} did not start:\n{self.log()}")
        return text

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()[-2000:]

    def wait_until_it_answers(self, path="/"):
        deadline = time.monotonic() + 10
        while True:
            if self.process.poll() is not None:
                raise BenchError(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")
            try:
                return self.get(path)
            except OSError:
                if time.monotonic() > deadline:
                    raise BenchError(f"{self.name} does not answer after 10 s:\n{self.log()}") from None
                time.sleep(0.02)

    def get(self, path):
        """One answer: (head, body)."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while b"\r\n\r\n" not in data:
                part = s.recv(65536)
                if not part:
                    raise OSError("closed within the head")
                data += part
            head, body = data.split(b"\r\n\r\n", 1)
            found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            if not found:
                raise BenchError(f"{self.name}: no Content-Length for {path}")
            while len(body) < int(found.group(1)):
                part = s.recv(65536)
                if not part:
                    raise OSError("closed within the body")
                body += part
            return head, body

    def pids(self):
        parents = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parents[int(entry)] = int(stat.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass  # it ended meanwhile
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return sorted(found)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nginx_log(options, folder):
    if options.access_log == "off":
        return "off"
    return f"{folder}/nginx-access.log combined{' buffer=64k flush=1s' if options.access_log == 'buffered' else ''}"


def start_nginx(options, folder, root, cpus):
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
    if not program:
        raise BenchError("nginx is not installed\n  try: apt install nginx-light")
    port = free_port()
    user = f"user {pwd.getpwuid(0).pw_name};\n" if os.geteuid() == 0 else ""
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w") as f:
        f.write(NGINX_CONF.format(user=user, workers=options.workers, dir=folder, port=port, root=root,
                                  deferred=" deferred" if options.nginx_deferred else "",
                                  access_log=nginx_log(options, folder)))
    server = Server("nginx", [program, "-p", folder, "-c", conf, "-e", f"{folder}/nginx.log"], cpus,
                    f"{folder}/nginx.err")
    server.port = port
    return server


def start_pronghorn(options, folder, root, cpus):
    if not os.access(options.binary, os.X_OK):
        raise BenchError(f"no program at '{options.binary}'\n"
                         "  try: cmake --preset release && cmake --build --preset release")
    conf = os.path.join(folder, "pronghorn.toml")
    with open(conf, "w") as f:
        f.write(PRONGHORN_TOML.format(root=root, workers=options.workers, dir=folder,
                                      access_log="off" if options.access_log == "off" else f"{folder}/pronghorn-access.log",
                                      flush="1s" if options.access_log == "buffered" else "0ms"))
    server = Server("pronghorn", [options.binary, "serve", "--config", conf, "--listen", "127.0.0.1:0"],
                    cpus, f"{folder}/pronghorn.err")
    ready = server.line()
    found = re.match(r"ready http://127\.0\.0\.1:(\d+) ", ready)
    if not found:
        server.stop()
        raise BenchError(f"pronghorn's first line is not a ready line: {ready!r}")
    server.port = int(found.group(1))
    return server


def start_limit(options, folder, row, cpus):
    if not os.access(options.limit, os.X_OK):
        raise BenchError(f"no limit server at '{options.limit}'\n"
                         "  try: cmake --preset release && cmake --build --preset release")
    mode = "close" if row.close else "keep-alive"
    server = Server("limit", [options.limit, str(row.body_bytes), mode], cpus, f"{folder}/limit.err")
    server.port = int(server.line())
    return server
