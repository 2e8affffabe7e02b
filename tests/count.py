#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Counts tests for ./bootstrap check; prints "PASSED FAILED SKIPPED", and on standard
error what was skipped and why.

count.py trs BUILD-FOLDER   what `make check` left: each cmocka test function counts, and each program
                            without cmocka's lines (a lint, a replay) counts as one
count.py xml FILE           what pytest --junitxml left
"""
import pathlib
import re
import sys
import xml.etree.ElementTree

RUN = re.compile(r"^\[ RUN      \] ", re.M)
OK = re.compile(r"^\[       OK \] ", re.M)
SKIPPED = re.compile(r"^\[  SKIPPED \] (?:[^\n]*: )?(\d+) test\(s\)", re.M)
WHY = re.compile(r"^\[ RUN      \] (.+)\n((?:(?!\[ ).*\n)*)\[  SKIPPED \] \1$", re.M)


def count_program(trs):
    """One program: a crash leaves a test that began and did not end, which counts as failed."""
    result = re.search(r"^:global-test-result: (\S+)", trs.read_text(), re.M)
    result = result[1] if result else "ERROR"
    log = trs.with_suffix(".log")
    text = log.read_text(errors="replace") if log.exists() else ""
    run = len(RUN.findall(text))
    if result == "SKIP":
        why = [line for line in text.splitlines() if line and not line.startswith("SKIP ")]
        print(f"skipped: {trs.stem}: {why[-1] if why else 'says nothing'}", file=sys.stderr)
    for name, said in WHY.findall(text):
        print(f"skipped: {trs.stem}.{name}: {said.strip() or 'says nothing'}", file=sys.stderr)
    if run == 0:
        return (result == "PASS", result not in ("PASS", "SKIP"), result == "SKIP")
    ok, skipped = len(OK.findall(text)), sum(int(n) for n in SKIPPED.findall(text))
    failed = run - ok - skipped
    if result != "PASS" and failed == 0:
        failed = 1  # outside a test: a leak at exit, a failing fixture
    return (ok, failed, skipped)


def count_trs(folder):
    programs = [count_program(trs) for trs in sorted(pathlib.Path(folder, "tests").rglob("*.trs"))]
    return [sum(column) for column in zip(*programs)] if programs else [0, 0, 0]


def count_xml(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    suites = list(root.iter("testsuite"))
    total, bad, skipped = (sum(int(s.get(name, 0)) for s in suites for name in names)
                           for names in (["tests"], ["failures", "errors"], ["skipped"]))
    for case in root.iter("testcase"):
        for reason in case.iter("skipped"):
            print(f"skipped: {case.get('classname')}.{case.get('name')}: {reason.get('message')}",
                  file=sys.stderr)
    return [total - bad - skipped, bad, skipped]


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("trs", "xml"):
        sys.exit(__doc__)
    print(*map(int, (count_trs if sys.argv[1] == "trs" else count_xml)(sys.argv[2])))


main()
