# SPDX-License-Identifier: Apache-2.0
"""nginx: as it comes, with `listen … deferred`, and with an access log."""
import os

from ..server import free_port
from .base import Peer, user_of_root

CONF = """\
{user}daemon off;
{master}worker_processes {workers};
worker_rlimit_nofile 20000;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ worker_connections 12000; multi_accept on; }}
http {{
  include /etc/nginx/mime.types;
  access_log {access_log};
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 600;
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
    location = /json {{ default_type application/json; return 200 '{{"message":"Hello, World!"}}'; }}
  }}
}}
"""


class Nginx(Peer):
    name, package, command = "nginx", "nginx-light", "nginx"
    answers = {"hello": "/", "1k": "/1k.txt", "100k": "/100k.txt", "10m": "/10m.txt", "json": "/json"}
    cannot = {"echo": "sends no body back without a module"}
    deferred = ""
    logs = False

    def start(self, setting):
        port = free_port()
        log = "off"
        if self.logs:
            buffered = " buffer=64k flush=1s" if setting.options.access_log == "buffered" else ""
            log = f"{setting.folder}/access.log combined{buffered}"
        conf = setting.write("nginx.conf", CONF.format(
            user=f"user {user_of_root()};\n" if os.geteuid() == 0 else "", workers=setting.row.workers,
            master="master_process off;\n" if setting.under else "", dir=setting.folder, port=port, root=setting.root,
            deferred=self.deferred, access_log=log))
        return self.begin(setting, [self.program(setting.options), "-p", setting.folder, "-c", conf,
                                    "-e", f"{setting.folder}/nginx.log"], port)


class Deferred(Nginx):
    name, only_named, deferred = "nginx-deferred", True, " deferred"


class WithLog(Nginx):
    name, only_named, logs = "nginx-log", True, True
