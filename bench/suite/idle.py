# SPDX-License-Identifier: Apache-2.0
"""The memory of a server's idle connections: each has made one request and stays."""
import select
import socket
import time

from .server import BenchError, most_connections, read_answer

WARM = 20  # that are not counted: what the first ones of all make stays


def most():
    """What every peer takes here, so that all hold the same number."""
    return max(1, most_connections() - WARM)


def connect(server, request):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=3)
    try:
        s.sendall(request)
        head, _ = read_answer(s, server.name)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise OSError(f"answers with {head[:12].decode(errors='replace')}")
    except (OSError, BenchError):
        s.close()
        raise
    return s


def require_idle(server, sockets, pids):
    """Without it who closes connections, or loses a process with all of them, would have the smallest ones."""
    if server.pids() != pids:
        raise BenchError(f"{server.name} lost or gained a process while its connections were idle:\n{server.log()}")
    poller = select.poll()
    for s in sockets:
        poller.register(s, select.POLLIN)
    readable = {fd for fd, _ in poller.poll(0)}
    closed = sum(has_ended(s) for s in sockets if s.fileno() in readable)
    if readable:
        raise BenchError(f"{server.name} closed {closed} of {len(sockets)} idle connections, and sent something on "
                         f"{len(readable) - closed}")


def has_ended(s):
    try:
        return not s.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:  # reset
        return True


def measure(server, row, path, wanted):
    """{connections, base_mb, after_mb, bytes_per_connection}; fewer than wanted where the server takes no more."""
    request, sockets, refused, pids = row.request(path, server.port), [], None, server.pids()
    try:
        sockets += [connect(server, request) for _ in range(WARM)]
        time.sleep(0.2)
        base = server.pss_bytes()
        while len(sockets) < wanted + WARM:
            try:
                sockets.append(connect(server, request))
            except OSError as error:
                refused = str(error)
                break
        count = len(sockets) - WARM
        if count == 0:
            raise BenchError(f"{server.name} takes no more than {WARM} connections: {refused}")
        time.sleep(0.5)  # what is given back a little later
        after = server.pss_bytes()
        require_idle(server, sockets, pids)  # what lives now lived then
    finally:
        for s in sockets:
            s.close()
    return {"connections": count, "base_mb": base / 1e6, "after_mb": after / 1e6,
            "bytes_per_connection": (after - base) / count, "refused": refused}
