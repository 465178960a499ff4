#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison finds what it is for: each kind of disorder is planted, and found; what is free is not."""
import json
import unittest

from compare import surplus
from events import disorder, parse, without

GOOD = [{"event": "spawn"}, {"event": "out", "text": "a"}, {"event": "exit", "code": 0, "signal": ""},
        {"event": "out", "text": "b"}, {"event": "out-end"}, {"event": "close", "code": 0, "signal": ""}]


def events(*steps):
    return parse("".join(json.dumps({"child": "x"} | step) + "\n" for step in steps), "/no/folder")


class Order(unittest.TestCase):
    def complaints(self, steps, *chains):
        return list(disorder(events(*steps), chains))

    def test_nothing_is_wrong(self):
        self.assertEqual(self.complaints(GOOD, 'x: spawn < exit 0 < out "ab" < close 0'), [])

    def test_a_stream_may_end_before_exit(self):
        spawn, first, exited, second, ended, closed = GOOD
        self.assertEqual(self.complaints([spawn, first, second, ended, exited, closed]), [])

    def test_children_are_free_of_each_other(self):
        mixed = [step | {"child": name} for step in GOOD for name in "xy"]
        self.assertEqual(self.complaints(mixed), [])

    def test_close_before_exit(self):
        self.assertIn("x: close before exit", self.complaints([GOOD[0], GOOD[5], GOOD[2]]))

    def test_data_after_close(self):
        self.assertIn("x: close before out", self.complaints([GOOD[0], GOOD[2], GOOD[5], GOOD[1]]))

    def test_exit_twice(self):
        self.assertIn("x: 2 times exit", self.complaints([*GOOD[:3], GOOD[2]]))

    def test_exit_without_spawn(self):
        self.assertIn("x: exit without spawn", self.complaints(GOOD[2:]))

    def test_what_a_case_wants(self):
        self.assertEqual(self.complaints(GOOD, "x: exit 0 < spawn"), ["x: spawn before exit 0"])
        self.assertEqual(self.complaints(GOOD, "x: exit 1"), ["x: no exit 1"])
        self.assertEqual(self.complaints(GOOD, "y: exit 0"), ["y: no exit 0"])


class Sets(unittest.TestCase):
    def test_pieces_of_a_stream_are_one(self):
        whole = [GOOD[0], {"event": "out", "text": "ab"}, *GOOD[2:3], *GOOD[4:]]
        self.assertEqual(sorted(map(str, events(*GOOD))), sorted(map(str, events(*whole))))

    def test_surplus(self):
        self.assertEqual(surplus(["a", "a", "b"], ["b", "a"]), ["a"])

    def test_a_difference_that_is_gone_is_a_complaint(self):
        self.assertEqual(without(events(GOOD[0]), ["x: spawn"], "ours"), ([], []))
        self.assertEqual(without(events(GOOD[0]), ["x: error"], "ours")[1], ["ours was expected to differ by: x: error"])


unittest.main()
