#!/usr/bin/env python3
"""Sum up a run of ctest for scripts/test.

usage: sum_tests.py PRESET RESULTS.xml

Prints "passed N", "skipped N", one "failed PRESET: TEST" for each failure and one "because PRESET:
REASON" for each reason to skip tests. A GoogleTest program counts once per test in it, anything else
that ctest runs counts as one.
"""
import collections
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main() -> None:
    preset, path = sys.argv[1], Path(sys.argv[2])
    passed = skipped = 0
    failed = []
    reasons = collections.Counter()
    if not path.exists():
        failed.append("ctest left no results")
        cases = []
    else:
        cases = ElementTree.parse(path).iter("testcase")
    for case in cases:
        output = case.findtext("system-out") or ""
        name, status = case.get("name"), case.get("status")
        in_program = set(re.findall(r"^\[  FAILED  \] (\w[\w/]*\.[\w/]+)", output, re.MULTILINE))
        # A skipped test is announced once as it runs and once in the program's summary.
        left_out = set(re.findall(r"^\[  SKIPPED \] (\w[\w/]*\.[\w/]+)", output, re.MULTILINE))
        succeeded = re.search(r"^\[  PASSED  \] (\d+) tests?\.", output, re.MULTILINE)
        failed += [f"{name}: {test}" for test in sorted(in_program)]
        skipped += len(left_out)
        reasons.update(re.findall(r"^\S+: Skipped\n(.*)$", output, re.MULTILINE))
        if succeeded:
            passed += int(succeeded.group(1))
        elif status == "run":
            passed += 1
        if status == "disabled":
            skipped += 1
        elif status == "notrun":
            failed.append(f"{name} (could not be started)")
        elif status == "fail" and not in_program:
            failed.append(f"{name} (ended before its summary; see the output above)")
    print("passed", passed)
    print("skipped", skipped)
    for name in failed:
        print(f"failed {preset}: {name}")
    for reason, times in reasons.items():
        print(f"because {preset}: {reason} ({times} tests)")


if __name__ == "__main__":
    main()
