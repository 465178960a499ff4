#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The counting client counts: a server that fails in one known way must be seen failing in exactly that way."""
import contextlib
import socket
import struct
import threading
import unittest
from pathlib import Path

from support import hammer, main, report, wait_until

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def wait_until_read(sock):
    """Until the client has taken what was sent to it: both queues of /proc/net/tcp are empty, ours and then the client's."""
    ours, client = (f":{address[1]:04X}" for address in (sock.getsockname(), sock.getpeername()))

    def queue(local, remote, which):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return next((int(row[4].split(":")[which], 16) for row in rows
                     if row[1].endswith(local) and row[2].endswith(remote)), 0)
    wait_until(lambda: queue(ours, client, 0) == 0, "the bytes to arrive")
    wait_until(lambda: queue(client, ours, 1) == 0, "the client to read")


def answer_then(ending, answer=ANSWER, times=1):
    def serve(sock):
        for _ in range(times):
            sock.recv(4096)
            sock.sendall(answer)
        ending(sock)
    return serve


def read_then(ending):
    return lambda sock: (sock.recv(4096), ending(sock))


class Counting(unittest.TestCase):
    def count(self, serve, mode="busy", connections=1, seconds=0.3, listening=True, timeout_ms=20_000, **options):
        """The report of a run against serve(sock), which is called for each connection; None: never accepted.
        The client's patience is long but where it is the subject: on a busy machine these threads may stand still."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            if listening:
                listener.listen(64)
            listener.settimeout(0.05)
            done = threading.Event()

            def accept():
                while not done.is_set():
                    try:
                        sock, _ = listener.accept()
                    except OSError:
                        continue
                    threading.Thread(target=self.quietly, args=(serve, sock), daemon=True).start()

            thread = threading.Thread(target=accept)
            if serve and listening:
                thread.start()
            client = hammer(listener.getsockname()[1], mode, seconds, connections=connections, timeout_ms=timeout_ms, **options)
            result = report(client)
            done.set()
            if serve and listening:
                thread.join()
        self.assertEqual(client.returncode, 1 if result["failures"] else 0)
        return result

    @staticmethod
    def quietly(serve, sock):
        with sock, contextlib.suppress(OSError):
            serve(sock)

    def only(self, result, name, lost=None):
        """Failures happened, all of this class."""
        self.assertGreater(result[name], 0, result)
        self.assertEqual(result["failures"], result[name], result)
        if lost is not None:
            self.assertEqual(result["lost_accepted"], result[name] if lost else 0, result)

    def test_all_is_well(self):
        result = self.count(answer_then(socket.socket.close, times=10**6))
        self.assertGreater(result["ok"], 1)  # on one connection
        self.assertEqual(result["failures"] + result["idle_closed"] + result["lost_accepted"], 0, result)
        self.assertEqual(result["connections"], 1)
        self.assertGreater(result["p50_ms"], 0)
        self.assertLessEqual(result["p50_ms"], result["p99_ms"])

    def test_one_request_per_connection(self):
        result = self.count(answer_then(socket.socket.close), mode="close")
        self.assertGreater(result["ok"], 1)
        self.assertEqual(result["failures"], 0, result)
        self.assertEqual(result["connections"], result["ok"])

    def test_refused(self):
        self.only(self.count(None, listening=False), "refused", lost=False)

    def test_never_accepted(self):
        self.only(self.count(None, timeout_ms=300), "never_accepted", lost=False)

    def test_accepted_and_silent(self):
        self.only(self.count(lambda sock: threading.Event().wait(10), timeout_ms=1000), "timeout", lost=True)

    def test_reset_before_the_first_answer(self):
        self.only(self.count(read_then(reset)), "reset_fresh", lost=False)

    def test_closed_before_the_first_answer(self):
        self.only(self.count(read_then(socket.socket.close)), "eof_fresh", lost=True)

    def test_closed_within_an_answer(self):
        self.only(self.count(answer_then(socket.socket.close, answer=ANSWER[:-1])), "eof_partial", lost=True)

    def test_reset_within_an_answer(self):
        def serve(sock):
            sock.recv(4096)
            sock.sendall(ANSWER[:-1])
            wait_until_read(sock)  # a RST that overtakes the bytes would make the client drop them
            reset(sock)
        self.only(self.count(serve), "reset_partial", lost=True)

    def test_a_kept_connection_closed_under_the_next_request(self):
        def serve(sock):
            sock.recv(4096)
            sock.sendall(ANSWER)
            sock.recv(4096)
            sock.close()
        result = self.count(serve)
        self.only(result, "stale", lost=True)
        self.assertGreater(result["ok"], 0)

    def test_a_kept_connection_closed_while_idle_is_no_failure(self):
        first = [True]

        def serve(sock):
            if first:
                first.clear()
                sock.recv(4096)
                sock.send(ANSWER, socket.MSG_MORE)  # leaves in one segment with the FIN: no request comes between
            else:
                answer_then(socket.socket.close, times=10**6)(sock)
        result = self.count(serve, mode="think", think_ms=40)
        self.assertEqual(result["idle_closed"], 1, result)
        self.assertEqual(result["failures"], 0, result)

    def test_another_status(self):
        self.only(self.count(answer_then(socket.socket.close, ANSWER.replace(b"200", b"503"), 10**6)), "not_200")

    def test_not_http(self):
        self.only(self.count(answer_then(socket.socket.close, b"SSH-2.0-OpenSSH\r\n\r\n")), "malformed")

    def test_pipelined_requests_behind_a_failure_are_counted(self):
        result = self.count(answer_then(socket.socket.close, ANSWER * 3), mode="pipeline", depth=8)
        self.assertEqual(result["stale"] * 4, result["behind"], result)
        self.assertEqual(result["lost_accepted"], result["stale"] * 5, result)

    def test_pipelined_requests_behind_a_polite_close_are_discarded(self):
        polite = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        result = self.count(answer_then(socket.socket.close, polite), mode="pipeline", depth=8)
        self.assertEqual(result["discarded"], result["ok"] * 7, result)
        self.assertEqual(result["failures"], 0, result)

    def test_held_connections_stay_open_until_told(self):
        closed = []

        def serve(sock):
            sock.recv(4096)
            sock.sendall(ANSWER)
            closed.append(sock.recv(4096))
        result = self.count(serve, mode="hold", connections=20, seconds=30)
        self.assertEqual((result["ok"], result["connections"], result["idle_closed"]), (20, 20, 0), result)


if __name__ == "__main__":
    main()
