#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Calls that have no place here: unbounded or unchecked ones in our C, waiting by the clock in
tests. (A benchmark is none: it may make its load at a rate.)"""
import re

import tree

INSTEAD = {
    "strcpy": "snprintf, or a writer (lib/base/cursor.h)",
    "strcat": "snprintf, or a writer (lib/base/cursor.h)",
    "sprintf": "snprintf with its result checked",
    "vsprintf": "vsnprintf with its result checked",
    "gets": "a buffer with a bound",
    "atoi": "strtol with every end checked",
    "atol": "strtol with every end checked",
    "atoll": "strtoll with every end checked",
    "strtok": "strcspn, strchr",
    "alloca": "a fixed array, or malloc",
    "system": "fork and execve",
    "popen": "fork and execve",
    "rand": "getrandom",
    "signal": "sigaction or signalfd",
}
NO_SLEEP = "a test sleeps; allowed: poll a condition with a deadline"
CALL = re.compile(r"(?<![\w.>])(" + "|".join(INSTEAD) + r")\s*\(")
WAITING = re.compile(r"\b(?:u|nano|clock_nano)?sleep\s*\(|\bsleep\s+[\d.$]|[\"']sleep[\"']")
WAITING_C = re.compile(r"\b(?:u|nano|clock_nano)?sleep\s*\(")


def hits(text, pattern):
    for found in pattern.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found


def without_hash_comments(text):
    return re.sub(r"(?m)(^|[ \t])#.*$", "", text)


def main():
    complaints, checked = [], 0
    for path in tree.c_files("lib/", "src/", "auth/", "tests/"):
        checked += 1
        code = tree.c_code(tree.read(path))
        for number, found in hits(code, CALL):
            complaints.append(f"{path}:{number}: {found[1]}(); allowed: {INSTEAD[found[1]]}")
        test = path.startswith("tests/") and not path.startswith("tests/bench/")
        for number, _ in hits(code, WAITING_C) if test else []:
            complaints.append(f"{path}:{number}: {NO_SLEEP}")
    for path in tree.files():
        if not path.startswith("tests/") or path.startswith("tests/lint/"):
            continue
        if not path.endswith((".py", ".sh")):
            continue
        checked += 1
        for number, _ in hits(without_hash_comments(tree.read(path)), WAITING):
            complaints.append(f"{path}:{number}: {NO_SLEEP}")
    tree.finish("banned", "files", checked, complaints)


main()
