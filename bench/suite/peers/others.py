# SPDX-License-Identifier: Apache-2.0
"""h2o, lighttpd and HAProxy, as Debian has them, each with what it needs to be measured and no more."""
import os

from ..server import free_port, most_connections
from .base import Peer, user_of_root

H2O = """\
num-threads: {workers}
{user}max-connections: 12000
http1-request-timeout: 600
file.etag: on
error-log: /dev/null
tcp-fastopen: 0
hosts:
  default:
    paths:
      "/":
        file.dir: {root}
listen:
  host: 127.0.0.1
  port: {port}
"""

LIGHTTPD = """\
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.max-fds = {files}
server.max-connections = 12000
server.max-keep-alive-requests = 65000
server.max-keep-alive-idle = 600
server.max-worker = {workers}
server.listen-backlog = 4096
server.errorlog = "/dev/null"
mimetype.assign = ( ".txt" => "text/plain" )
"""

HAPROXY = """\
global
  nbthread {workers}
  maxconn {connections}
defaults
  mode http
  timeout client 600s
  timeout connect 5s
  timeout server 600s
  timeout http-keep-alive 600s
  timeout http-request 600s
frontend bench
  bind 127.0.0.1:{port} backlog 4096
  http-request return status 200 content-type "text/plain" string "Hello, World!" hdr Server haproxy hdr Date %[date,http_date] if {{ path / }}
  http-request return status 200 content-type "application/json" string "{{\\"message\\":\\"Hello, World!\\"}}" hdr Server haproxy hdr Date %[date,http_date] if {{ path /json }}
"""

FILES = {"hello": "/hello.txt", "1k": "/1k.txt", "100k": "/100k.txt", "10m": "/10m.txt"}


class H2o(Peer):
    name, package, command = "h2o", "h2o", "h2o"
    answers = FILES
    cannot = {"json": "makes JSON by a script (mruby) only", "echo": "sends no body back without a script"}

    def start(self, setting):
        port = free_port()
        conf = setting.write("h2o.conf", H2O.format(workers=setting.row.workers, user=f"user: {user_of_root()}\n" if os.geteuid() == 0 else "",
                                                   root=setting.root, port=port))
        return self.begin(setting, [self.program(setting.options), "-m", "worker", "-c", conf], port)


class Lighttpd(Peer):
    name, package, command = "lighttpd", "lighttpd", "lighttpd"
    answers = FILES
    cannot = {"json": "makes JSON by a program or a script only", "echo": "sends no body back without a program"}

    def start(self, setting):
        port = free_port()
        workers = setting.row.workers if setting.row.workers > 1 else 0  # 0: no process beside it
        conf = setting.write("lighttpd.conf", LIGHTTPD.format(workers=workers, files=2 * most_connections() + 100, root=setting.root, port=port))
        return self.begin(setting, [self.program(setting.options), "-D", "-f", conf], port)


class Haproxy(Peer):
    name, package, command = "haproxy", "haproxy", "haproxy"
    answers = {"hello": "/", "json": "/json"}
    cannot = {**{size: "is no file server" for size in ("1k", "100k", "10m")}, "echo": "sends no body back without a script"}

    def start(self, setting):
        port = free_port()
        conf = setting.write("haproxy.cfg", HAPROXY.format(workers=setting.row.workers, port=port,
                                                              connections=most_connections()))
        return self.begin(setting, [self.program(setting.options), "-db", "-q", "-f", conf], port)
