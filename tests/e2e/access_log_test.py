#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each request is one line of the access log, with what the client saw of it: whole, cut, pipelined, drained."""
import collections
import random
import signal
import socket
import struct
import time
import unittest

from support import Server, connect, main, read_answer, wait_until

SEED = 20261122


def serve(pattern, **options):
    environment = {"PRONGHORN_ACCESS_LOG": "access.log", "PRONGHORN_ACCESS_LOG_FORMAT": pattern}
    environment |= options.pop("environment", {})
    return Server(environment=environment, **options)


def lines(server):
    path = server.path / "access.log"
    return path.read_text().splitlines() if path.exists() else []


def read_lines(server, count):
    """All lines, when there are so many."""
    found = wait_until(lambda: (l := lines(server)) and len(l) >= count and l, f"{count} lines")
    assert len(found) == count, found
    return found


def request(target, method="GET", **fields):
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode()


def read_all(sock):
    data = b""
    while more := sock.recv(65536):
        data += more
    return data


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Counted(unittest.TestCase):
    def test_bytes_and_connection_are_those_that_the_client_saw(self):
        with serve("%m %U %>s %I %O %B %b %X %k %p", workers=1) as server:
            (server.root / "big").write_bytes(b"b" * 3_000_000)
            port = server.port
            expected = []

            def one(sock, bytes_sent, method, path, status, keeps, earlier):
                sock.sendall(bytes_sent)
                if keeps:
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        head += sock.recv(1)
                    length = 0 if method == "HEAD" or status == 304 else next(
                        (int(l[15:]) for l in head.decode().split("\r\n") if l.startswith("Content-Length:")), 0)
                    body = b""
                    while len(body) < length:
                        body += sock.recv(length - len(body))
                else:
                    head, _, body = read_all(sock).partition(b"\r\n\r\n")
                    head += b"\r\n\r\n"
                self.assertIn(str(status), head.decode().split("\r\n")[0])
                expected.append(f"{method} {path} {status} {len(bytes_sent)} {len(head) + len(body)} {len(body)} "
                                f"{len(body) or '-'} {'+' if keeps else '-'} {earlier} {port}")
                return head

            with connect(port) as sock:
                head = one(sock, request("/"), "GET", "/", 200, True, 0)
                tag = next(l[6:] for l in head.decode().split("\r\n") if l.startswith("ETag: "))
                one(sock, request("/", If_None_Match=tag), "GET", "/", 304, True, 1)
                one(sock, request("/big", "HEAD"), "HEAD", "/big", 200, True, 2)
                one(sock, request("/big"), "GET", "/big", 200, True, 3)
                one(sock, request("/big", Range="bytes=10-19,1000000-1999999"), "GET", "/big", 206, True, 4)
                one(sock, request("/none"), "GET", "/none", 404, True, 5)
                one(sock, request("/", Connection="close"), "GET", "/", 200, False, 6)
            with connect(port) as sock:
                one(sock, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET", "-", 400, False, 0)
            found = read_lines(server, len(expected))
            # Of a head that is refused, the size and the path are as far as it was read.
            self.assertEqual(found[:-1], expected[:-1])
            self.assertRegex(found[-1], r"^GET .* 400 \d+ " + expected[-1].split(" ", 4)[4].replace("+", r"\+") + "$")

    def test_a_pipelined_batch_is_a_line_each_in_order(self):
        with serve("%q %>s %k", workers=1) as server:
            (server.root / "big").write_bytes(b"b" * 500_000)
            paths = ["/", "/big", "/none", "/"] * 10
            with connect(server.port) as sock:
                sock.sendall(b"".join(request(f"{path}?{i}") for i, path in enumerate(paths)))
                rest = b""
                for _ in paths:
                    _, _, _, rest = read_answer(sock, rest)
            statuses = {"/": 200, "/big": 200, "/none": 404}
            self.assertEqual(read_lines(server, len(paths)), [f"?{i} {statuses[path]} {i}" for i, path in enumerate(paths)])

    def test_the_time_is_until_the_last_byte_is_taken(self):
        with serve("%D", workers=1) as server:
            (server.root / "big").write_bytes(b"b" * 20_000_000)
            with connect(server.port) as sock:
                begun = time.monotonic()
                sock.sendall(request("/big"))
                sock.recv(1)
                wait_until(lambda: time.monotonic() - begun > 0.3, "0.3 s to pass")
                self.assertEqual(lines(server), [])
                read_answer(sock, b"H")
                took = time.monotonic() - begun
            self.assertTrue(0.25 < int(read_lines(server, 1)[0]) / 1e6 <= took)


class Cut(unittest.TestCase):
    def test_a_client_that_leaves_within_a_file_is_marked(self):
        with serve("%q %>s %B %X", workers=1) as server:
            size = 50_000_000
            with open(server.root / "big", "wb") as file:
                file.truncate(size)
            for number, leave in enumerate((socket.socket.close, reset)):
                sock = connect(server.port)
                sock.sendall(request(f"/big?{number}"))
                got = 0
                while got < 1_000_000:
                    got += len(sock.recv(65536))
                leave(sock)
                line = read_lines(server, number + 1)[number].split()
                self.assertEqual((line[0], line[1], line[3]), (f"?{number}", "200", "X"))
                self.assertTrue(got - 70_000 < int(line[2]) < size, (got, line))

    def test_a_client_that_leaves_within_a_body_is_499(self):
        with serve("%m %>s %B %O %X", workers=1) as server:
            sock = connect(server.port)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
            wait_until(lambda: server.status()["workers"][0]["requests_active"] == 1, "the head to be read")
            reset(sock)
            self.assertEqual(read_lines(server, 1), ["GET 499 0 0 X"])
            self.assertEqual(server.status()["workers"][0]["requests_active"], 0)

    def test_a_drain_and_its_deadline_miss_nothing(self):
        with serve("%q %>s %X", workers=2, environment={"PRONGHORN_DRAIN_TIMEOUT": "500ms"}) as server:
            with open(server.root / "big", "wb") as file:
                file.truncate(50_000_000)
            idle = [connect(server.port) for _ in range(4)]
            for i, sock in enumerate(idle):
                sock.sendall(request(f"/?idle{i}"))
                read_answer(sock)
            busy = connect(server.port)
            busy.sendall(request("/big?busy"))
            busy.recv(1000)
            server.signal(signal.SIGTERM)
            server.wait()
            found = collections.Counter(lines(server))
            self.assertEqual(found, collections.Counter([f"?idle{i} 200 +" for i in range(4)] + ["?busy 200 X"]))
            for sock in (*idle, busy):
                sock.close()


class Chaos(unittest.TestCase):
    def test_clients_that_leave_at_any_moment_are_a_line_each(self):
        """What a client has seen a byte of is in the log once; what it has not, at most once; and not more than was sent."""
        rng = random.Random(SEED)
        with serve("%q %>s %B %X", workers=2) as server:
            with open(server.root / "big", "wb") as file:
                file.truncate(3_000_000)
            answered, asked, whole = set(), set(), set()
            for number in range(150):
                sock = connect(server.port)
                ids = [f"{number}-{i}" for i in range(rng.choice((1, 1, 2, 5)))]
                paths = [rng.choice(("/", "/big", "/none")) for _ in ids]
                asked |= set(ids)
                heads = [request(f"{path}?{name}") for path, name in zip(paths[:-1], ids)]
                sock.sendall(b"".join(heads) + request(f"{paths[-1]}?{ids[-1]}", Connection="close"))
                limit, data = rng.choice((0, 1, 300, 200_000, 4_000_000)), b""
                while len(data) < limit and (more := sock.recv(min(65536, limit - len(data)))):
                    data += more
                seen = data.count(b"HTTP/1.1 ")
                answered |= set(ids[:seen])
                whole |= set(ids[:max(seen - 1, 0)])
                rng.choice((reset, socket.socket.close))(sock)
            found = wait_until(lambda: (c := collections.Counter(l.split()[0][1:] for l in lines(server)))
                               and answered <= set(c) and c, "a line for each that was answered")
            wait_until(lambda: all(w["requests_active"] == 0 and w["connections"] == 0 for w in server.status()["workers"]), "no clients")
            found = collections.Counter(l.split()[0][1:] for l in lines(server))
            self.assertLessEqual(set(found), asked)
            self.assertEqual([name for name, count in found.items() if count != 1], [])
            by_name = {l.split()[0][1:]: l.split() for l in lines(server)}
            self.assertEqual([by_name[name] for name in whole if by_name[name][3] == "X"], [])


if __name__ == "__main__":
    main()
