#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""usage: failed_tests.py PRESET REPORT: the names of the tests that failed in CTest's JUnit report, each with the end
of what it printed. scripts/test says them again at its end, where somebody looks first."""
import sys
import xml.etree.ElementTree

LINES = 40  # of each test's output


def main(preset, report):
    for test in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        failure = test.find("failure")
        if failure is None:
            continue
        print(f"\n-- {preset}: {test.get('name')}: {failure.get('message') or 'failed'}, {float(test.get('time')):.1f} s")
        output = (test.findtext("system-out") or "").splitlines()
        if len(output) > LINES:
            print(f"(the last {LINES} of {len(output)} lines)")
        print("\n".join(output[-LINES:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
