#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bench/run makes of its measurements: medians, ratios, tables, charts, notes, and whom it leaves out."""
import contextlib
import copy
import io
import json
import socket
import subprocess
import sys
import tempfile
import threading
import types
import unittest
import unittest.mock as mock
import xml.etree.ElementTree as xml
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "bench")]
from suite import bars, chart, checks, counts, document, idle, machine, measure, notes, peers, results, server, summary, table  # noqa: E402
from suite.peers.base import Setting  # noqa: E402
from suite.rows import ROWS  # noqa: E402
from suite.server import BenchError, UsageError  # noqa: E402

ROUNDS = {"pronghorn": [{"req_s": 200.0, "cpu_us": c, "p50_us": None, "rate_p99_us": 90.0, "rate": 70.0, "late_p99_us": 80.0}
                        for c in (4.0, 10.0, 5.0)],
          "nginx": [{"req_s": 100.0, "cpu_us": c, "p50_us": 3.0, "rate_p99_us": 100.0, "rate": 70.0} for c in (8.0, 5.0, 10.0)]}


def result():
    """As bench/run writes it."""
    found = summary.summarise(ROUNDS)
    row = {"title": "a <row> & more", "workers": 1, "connections": 64, "server_cpus": [1], "client_cpus": [0],
           "peers": {name: found[name] | {"counts": {}} for name in ROUNDS}, "left_out": {"h2o": "not installed: apt install h2o"},
           "faults": {"node": "it failed\nat length"}, "rate_faults": {}, "head_bytes": {}, "rounds": copy.deepcopy(ROUNDS)}
    row["peers"]["pronghorn"]["counts"] = {"syscalls": {"method": "strace", "per_request": 2.1, "without_waits": 2.0}}
    idle = copy.deepcopy(row) | {"title": "idle", "faults": {}}
    idle["peers"] = {"pronghorn": {"counts": {"idle": {"connections": 9000, "base_mb": 7.0, "after_mb": 10.6,
                                                       "bytes_per_connection": 400.0, "refused": "timed out"}}}}
    return {"machine": {"cpu": "C", "cpus": 2, "kernel": "6", "commit": "abc", "versions": {"nginx": "1"}, "load_before": 3.0},
            "options": {"rounds": 3, "seconds": 1, "access_log": "on"}, "rows": {"keepalive": row, "idle": idle}}


class Report(unittest.TestCase):
    def test_ratios_are_those_of_the_rounds(self):
        cpu = summary.summarise(ROUNDS)["pronghorn"]["cpu_us"]
        self.assertEqual((cpu["median"], cpu["min"], cpu["max"], cpu["q1"], cpu["q3"]), (5.0, 4.0, 10.0, 4.5, 7.5))
        self.assertEqual((cpu["to"]["nginx"]["median"], cpu["to"]["nginx"]["max"]), (0.5, 2.0))
        self.assertNotIn("p50_us", summary.summarise(ROUNDS)["pronghorn"])
        self.assertNotIn("nginx", summary.summarise(ROUNDS)["nginx"]["cpu_us"]["to"])

    def test_scaling_by_rate_and_by_cpu(self):
        # The machine is slower from round to round: the rounds' own ratios do not see it, medians of other rounds would.
        rounds = {"pronghorn-1": [{"cpu_us": 10.0 * n, "req_s": 100.0 / n} for n in (1, 2, 4)],
                  "pronghorn": [{"cpu_us": 12.5 * n, "req_s": 150.0 / n} for n in (1, 2, 4)], "h2o": [{"cpu_us": 5.0, "req_s": 1.0}]}
        rows = {"keepalive": {"peers": summary.summarise({"pronghorn": [{"cpu_us": 40.0, "req_s": 10.0}]}), "rounds": {}},
                "workers2": {"peers": summary.summarise(rounds), "rounds": rounds}}
        self.assertEqual(summary.scaling(rows, 2), {"pronghorn": {"by_rate": 1.5, "by_cpu": 1.6}})  # h2o has no twin
        self.assertEqual(summary.scaling(rows, 4), {})
        told = list(bars.verdicts({"rows": {"workers2": rows["workers2"]}}))
        self.assertEqual(told, ["workers2, pronghorn, work for the CPU time to one worker's: 1.60, at least 1.9: MISSED"])

    def test_tables_show_all_and_who_is_missing(self):
        out = result()
        cells = table.cells(out["rows"]["keepalive"])
        self.assertEqual(cells[1][0], "pronghorn")
        self.assertIn("5.00 (4.50..7.50)", cells[1])
        self.assertNotIn("instructions/req", cells[0])  # nobody has them
        text = table.terminal(out["rows"]["keepalive"])
        self.assertIn("h2o: not installed: apt install h2o", text)
        self.assertIn("node: MARKED, not used: it failed", text)
        self.assertIn("no more connections: timed out", table.terminal(out["rows"]["idle"]))
        out["not_equal"] = notes.all_of(out)
        full = document.full(out)
        self.assertIn("| pronghorn | 200 (200..200) |", full)
        self.assertIn("0.90 (nginx)", document.short(out))
        self.assertIn("pronghorn 400 bytes", document.short(out))

    def test_the_summary_and_the_bars_have_one_p99(self):
        out = result()
        rounds = {"pronghorn": [90.0, 200.0, 400.0], "nginx": [100.0, 100.0, 1000.0], "limit": [1.0] * 3, "pronghorn-log": [1.0] * 3}
        rounds = {name: [{"rate_p99_us": us, "req_s": 1.0, "cpu_us": 1.0} for us in all_of] for name, all_of in rounds.items()}
        peers_of = {name: found | {"counts": {}} for name, found in summary.summarise(rounds).items()}
        out["rows"]["keepalive"] |= {"rounds": rounds, "peers": peers_of}
        out["not_equal"] = []
        self.assertIn("| 0.90 (nginx) |", document.short(out))
        self.assertIn("keepalive, pronghorn, rate_p99_us to nginx's: 0.90, at most 1: met", document.full(out))

    def test_what_is_to_be_met_is_judged(self):
        told = list(bars.verdicts(result()))
        self.assertIn("keepalive, pronghorn, cpu_us to nginx's: 0.50, at most 0.95: met", told)
        self.assertIn("keepalive, pronghorn, rate_p99_us to nginx's: 0.90, at most 1: met", told)
        self.assertIn("idle, pronghorn, idle.bytes_per_connection: 400.00, at most 450: met", told)
        slow = result()
        slow["rows"]["keepalive"]["rounds"]["pronghorn"] = [{"cpu_us": 50.0}] * 3
        self.assertIn("keepalive, pronghorn, cpu_us to nginx's: 6.25, at most 0.95: MISSED", list(bars.verdicts(slow)))

    def test_the_best_case_is_named_where_it_is_one(self):
        out = result()
        out["rows"] = {name: out["rows"]["keepalive"] for name in ("keepalive", "close", "echo", "browser", "browser-new")}
        self.assertIn("repeats one head, byte for byte (keepalive, browser)", "\n".join(notes.all_of(out)))
        del out["rows"]["keepalive"], out["rows"]["browser"]
        self.assertNotIn("repeats one head", "\n".join(notes.all_of(out)))

    def test_counts_by_strace_and_few_idle_connections_are_not_judged(self):
        out = result()
        calls, idle = (out["rows"][row]["peers"]["pronghorn"]["counts"] for row in ("keepalive", "idle"))
        self.assertIn("keepalive, pronghorn, syscalls.without_waits: 2.00, at most 2.01: not judged: strace slows the server down, "
                      "which then finds more to do at each turn", list(bars.verdicts(out)))
        calls["syscalls"]["method"] = "perf"
        self.assertIn("keepalive, pronghorn, syscalls.without_waits: 2.00, at most 2.01: met", list(bars.verdicts(out)))
        idle["idle"]["connections"] = 8999
        self.assertIn("idle, pronghorn, idle.bytes_per_connection: 400.00, at most 450: not judged: 8,999 connections, of 10,000",
                      list(bars.verdicts(out)))

    def test_what_was_not_equal_is_said(self):
        told = "\n".join(notes.all_of(result()))
        for part in ("the machine was busy", "3 rounds only", "by strace", "keepalive, pronghorn: the client at the fixed rate"):
            self.assertIn(part, told)
        out = result()
        out["rows"]["keepalive"]["client_cpus"] = [0, 1]
        self.assertIn("shared their CPUs", "\n".join(notes.all_of(out)))

    def test_charts_are_svg_with_the_spread(self):
        for svg, bars in ((chart.of_row(result()["rows"]["keepalive"]), 6), (chart.of_row(result()["rows"]["idle"]), 1)):
            root = xml.fromstring(svg)
            kinds = [element.get("class") for element in root.iter()]
            self.assertEqual(sum(kinds.count(kind) for kind in ("bar", "ours", "floor")), bars)
            self.assertEqual("spread" in kinds, bars == 6)
            self.assertIn("prefers-color-scheme: dark", svg)
        overview = xml.fromstring(chart.overview(result()))
        self.assertEqual([e.get("class") for e in overview.iter()].count("nginx"), 2)  # the row's, and the legend
        self.assertEqual(chart.ticks(10), [0, 2, 4, 6, 8, 10])

    def test_the_longest_title_has_room_in_the_overview(self):
        out = result()
        for known in out["rows"].values():
            known["title"] = max((row.title for row in ROWS), key=len)
        labels = [e for e in xml.fromstring(chart.overview(out)).iter() if e.get("text-anchor") == "end"]
        self.assertTrue(labels)
        for label in labels:
            self.assertGreaterEqual(float(label.get("x")), 6.8 * len(label.text))

    def test_only_what_is_between_the_markers_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "page.md")
            page.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n")
            document.write(page, "new", whole=False)
            self.assertEqual(page.read_text(), f"before\n{document.BEGIN}\n\nnew\n\n{document.END}\nafter\n")
            page.write_text("none\n")
            self.assertRaises(OSError, document.write, page, "new", whole=False)
            document.write(page, "new", whole=True)
            self.assertEqual(page.read_text(), "new\n")
        for file in ("README.md", "docs/performance.md"):
            self.assertIsNotNone(document.between_markers((TOP / file).read_text(), ""), file)

    def test_results_are_shown_again_without_measuring(self):
        with tempfile.TemporaryDirectory() as folder:
            first, second = result(), result()
            second["rows"] = {"keepalive": second["rows"]["keepalive"] | {"title": "once more"}}
            for name, out in (("a", first), ("b", second)):
                Path(folder, name).write_text(json.dumps(out))
            done = subprocess.run([sys.executable, "-B", TOP / "bench/run", "--from", f"{folder}/a", f"{folder}/b", "--markdown",
                                   f"{folder}/m.md", "--svg", f"{folder}/svg"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)  # what is in it failed for one
            self.assertIn("something failed: keepalive (node)", done.stderr)
            text = Path(folder, "m.md").read_text()
            self.assertIn("### keepalive: once more", text)
            self.assertIn("### idle: idle", text)
            self.assertTrue(Path(folder, "svg/overview.svg").exists())


    def test_each_row_of_several_results_keeps_what_it_was_measured_with(self):
        first, second = result(), result()
        first["machine"] |= {"commit": "old", "load_before": 0.1, "versions": {"nginx": "1", "h2o": "2"}}
        first["options"] |= {"rounds": 9}
        second["rows"] = {"keepalive": second["rows"]["keepalive"]}
        second["machine"] |= {"versions": {"nginx": "3", "wrk": "4"}}
        with tempfile.TemporaryDirectory() as folder:
            files = [f"{folder}/{name}" for name in "abc"]
            results.write(first, files[0])
            results.write(second, files[1])
            results.write(results.read(files[:2]), files[2])
            once, again = results.read(files[:2]), results.read(files[2:])
        self.assertEqual(once, again)
        text, told = document.conditions(once), "\n".join(notes.all_of(once))
        self.assertIn("- rows keepalive: commit abc, load 3.0, medians of 3 rounds of 1 s, nginx: 3", text)
        self.assertIn("- rows idle: commit old, load 0.1, medians of 9 rounds of 1 s, nginx: 1", text)
        self.assertIn("C, 2 CPUs, Linux 6; medians of rounds, interleaved, with their quartiles. wrk: 4; h2o: 2.", text)
        self.assertIn("busy before those of keepalive (load average 3.0)", told)
        self.assertIn("3 rounds only of keepalive: nothing to quote", told)
        alone = document.conditions(result())
        self.assertEqual(alone, "C, 2 CPUs, Linux 6; commit abc; medians of 3 rounds of 1 s, interleaved, with their quartiles. nginx: 1.")

    def test_what_is_no_result_is_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "x.json")
            unknown, bare, flat = result(), result(), result()
            unknown["rows"]["nothing"] = unknown["rows"]["idle"]
            del bare["machine"]
            flat["rows"]["keepalive"]["peers"]["nginx"]["req_s"] = 3
            for text, part in (("{", "no JSON"), ("{}", "no 'rows'"), ("[]", "no object"), (json.dumps(unknown), "no row is named 'nothing'"),
                               (json.dumps(bare), "row keepalive lacks"), (json.dumps(flat), "row keepalive lacks"),
                               ('{"rows": {}}', "no rows"), ('{"rows": {"keepalive": []}}', "row keepalive lacks"), ("\0", "no JSON")):
                file.write_text(text)
                with self.assertRaisesRegex(UsageError, part, msg=text) as caught:
                    results.read([str(file)])
                self.assertIn(str(file), str(caught.exception))
            file.write_text(json.dumps(result()))
            self.assertEqual([*results.read([str(file)], ["idle"])["rows"]], ["idle"])
            self.assertRaisesRegex(UsageError, "--readme: 3 rounds only", checks.readme_of, results.read([str(file)]))
            self.assertRaisesRegex(UsageError, "--only close: no such row", results.read, [str(file)], ["idle", "close"])
            done = subprocess.run([sys.executable, "-B", TOP / "bench/run", "--from", file, "--only", "idle"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("keepalive", done.stdout)
            done = subprocess.run([sys.executable, "-B", TOP / "bench/run", "--from", f"{folder}/none"], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (2, f"bench/run: error: --from {folder}/none: No such file or directory\n"))


class Parts(unittest.TestCase):
    def test_whom_a_row_takes(self):
        options = types.SimpleNamespace(build="/nowhere")
        rows = {row.name: row for row in ROWS}
        for row in ROWS:
            taken, left_out = peers.select(row, list(peers.PEERS), options)
            self.assertEqual(set(row.more) - taken.keys() - left_out.keys(), set())
            self.assertIn("no program at '/nowhere/pronghorn'", left_out["pronghorn"])
            self.assertEqual("h2o" in taken.keys() | left_out.keys(), row.name != "log")
        taken = peers.select(rows["workers2"], ["nginx", "h2o"], types.SimpleNamespace(build="/nowhere"))
        self.assertEqual([name for of in taken for name in of if name.startswith("nginx")], ["nginx", "nginx-1"])
        self.assertNotIn("nginx-1", peers.select(rows["keepalive"], list(peers.PEERS), options)[0])
        why = peers.PEERS["nginx"].unfit(rows["echo"], options)
        self.assertIn("module", why)
        self.assertIn("node-cluster", peers.PEERS["node"].unfit(rows["workers2"], options))
        self.assertIsNone(peers.PEERS["nginx"].unfit(rows["plaintext"], options))
        self.assertIn("techempower is not built", peers.PEERS["pronghorn"].unfit(rows["json"], options))
        self.assertEqual(peers.PEERS["pronghorn"].path(rows["plaintext"]), "/plaintext")

    def test_a_twin_has_one_worker_whatever_the_row_says(self):
        with tempfile.TemporaryDirectory() as folder:
            started = []
            twin = peers.PEERS["limit-1"]
            twin.begin = lambda setting, argv: started.append(argv) or types.SimpleNamespace(line=lambda: "80")
            row = next(row for row in ROWS if row.name == "workers4")
            twin.start(Setting(types.SimpleNamespace(build="/b"), row, folder, folder, (0,)))
            del twin.begin
        self.assertIn("workers=1", started[0])

    def test_requests_are_as_the_rows_say(self):
        rows = {row.name: row for row in ROWS}
        self.assertEqual(rows["keepalive"].request("/", 8080), b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n")
        self.assertIn(len(rows["browser"].request("/", 8080)), range(550, 571))
        new = [rows["browser-new"].request("/", 8080, n) for n in (0, 1, 4096)]
        self.assertTrue(new[1].startswith(b"GET /?000001 HTTP/1.1\r\n"))
        self.assertEqual((new[0] == new[1], new[0] == new[2], len(new[0])), (False, True, len(new[1])))
        echo = rows["echo"].request("/echo", 8080)
        self.assertTrue(echo.startswith(b"POST /echo ") and echo.endswith(b"\r\n\r\n" + rows["echo"].body()))

    def test_the_requests_that_are_counted_one_by_one_differ_where_the_row_says_so(self):
        row, asked = next(row for row in ROWS if row.name == "browser-new"), []

        def serve(listener):
            connections = [listener.accept()[0] for _ in range(counts.CONNECTIONS)]
            for n in range(24):
                asked.append(connections[n % len(connections)].recv(65536).split()[1])
                connections[n % len(connections)].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + row.body())
            for connection in connections:
                connection.close()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(target=serve, args=(listener,))
            server.start()
            counts.send_exactly(types.SimpleNamespace(port=listener.getsockname()[1], name="fake"), row, "/", 24)
            server.join()
        self.assertEqual(asked, [b"/?%06d" % n for n in range(24)])

    def test_idle_connections_are_as_many_as_every_peer_takes(self):
        for limit, most in ((65536, 11_980), (20_000, 9930), (1024, 442)):
            with mock.patch("resource.getrlimit", return_value=(limit, limit)):
                self.assertEqual(idle.most(), most)
                self.assertEqual(most + idle.WARM, server.most_connections())

    def test_rounds_go_to_and_fro(self):
        self.assertEqual([name for _, name in measure.interleaved(["a", "b", "c"], 2)], ["a", "b", "c", "c", "b", "a"])

    def test_counts_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            perf, strace = Path(folder, "perf"), Path(folder, "strace")
            perf.write_text("# started\n\n120,,raw_syscalls:sys_enter,1,100.00,,\n50,,syscalls:sys_enter_read,1,100.00,,\n"
                            "0,,syscalls:sys_enter_poll,1,100.00,,\n<not counted>,,syscalls:sys_enter_x,0,,,\n")
            self.assertEqual(counts.parse_counts(perf, "perf"), (120, {"read": 50}))
            strace.write_text("syscall              calls\n----------------- ---------\nread    50\nsendto   49\n----\ntotal    99\n")
            self.assertEqual(counts.parse_counts(strace, "strace"), (99, {"read": 50, "sendto": 49}))

    def test_cpus_are_apart_where_there_are_enough(self):
        given = machine.os.sched_getaffinity
        self.addCleanup(setattr, machine.os, "sched_getaffinity", given)
        for cpus, workers, expected in ((2, 1, ((1,), (0,))), (2, 2, ((0, 1), (0, 1))), (4, 2, ((2, 3), (0, 1))),
                                        (3, 2, ((1, 2), (0,))), (1, 1, ((0,), (0,))), (8, 4, ((4, 5, 6, 7), (0, 1, 2, 3)))):
            machine.os.sched_getaffinity = lambda _, cpus=cpus: set(range(cpus))
            self.assertEqual(machine.cpus_for(workers), expected, (cpus, workers))

    def test_percentiles_need_samples_and_are_dropped_together(self):
        r = {"requests": 2000, "p50_us": 1, "p99_us": 2, "p999_us": 3}
        told = {key: r[key] for key in ("p50_us", "p99_us", "p999_us")}
        self.assertEqual(measure.peak_percentiles(r, 1), told)
        self.assertEqual(measure.peak_percentiles(r, 16), {})
        self.assertEqual(measure.peak_percentiles(r | {"p99_us": 0}, 1), {})
        self.assertEqual(measure.peak_percentiles(r | {"p99_us": 4}, 1), {})
        for requests, missing in ((1999, {"p999_us": None}), (199, {"p99_us": None, "p999_us": None})):
            for found in (measure.peak_percentiles(r | {"requests": requests}, 1), measure.percentiles(r | {"requests": requests})):
                self.assertEqual(found, told | missing)

    def test_which_figures_are_not_used_is_said(self):
        run = measure.RowRun(ROWS[0], types.SimpleNamespace(servers=[], build="/nowhere"), "/nowhere", "/nowhere")
        for faults, told in ((run.faults, "keepalive: figures of a are not used: broken"),
                             (run.rate_faults, "keepalive: figures at the fixed rate of a are not used: broken")):
            said = io.StringIO()
            with contextlib.redirect_stderr(said), run.blaming("a", faults):
                raise BenchError("broken")
            self.assertIn(told, said.getvalue())

    def test_a_peer_that_fails_is_marked_and_the_others_go_on(self):
        row = next(row for row in ROWS if row.name == "keepalive")
        options = types.SimpleNamespace(servers=[], build="/nowhere", rounds=2)
        run = measure.RowRun(row, options, "/nowhere", "/nowhere")
        run.servers = run.peers = {"a": "A", "b": "B"}

        def fails(peer, _):
            if peer == "A" and "b" in run.rounds:
                raise BenchError("broken")
            return {"req_s": 1.0}
        run.each_round(2, "peak", fails, run.faults)
        self.assertEqual(run.faults, {"a": "broken"})
        self.assertEqual(len(run.rounds["b"]), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
