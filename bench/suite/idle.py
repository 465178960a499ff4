# SPDX-License-Identifier: Apache-2.0
"""The memory of a server's idle connections: each has made one request and stays."""
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
        read_answer(s, server.name)
    except OSError:
        s.close()
        raise
    return s


def measure(server, row, path, wanted):
    """{connections, base_mb, after_mb, bytes_per_connection}; fewer than wanted where the server takes no more."""
    request, sockets, refused = row.request(path, server.port), [], None
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
    finally:
        for s in sockets:
            s.close()
    return {"connections": count, "base_mb": base / 1e6, "after_mb": after / 1e6,
            "bytes_per_connection": (after - base) / count, "refused": refused}
