#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""No function over 60 lines, no file over 500."""
import tree

FUNCTION_MAX = 60
FILE_MAX = 500


def functions(lines):
    """Yields (line of the name, lines) of each function: its braces stand in the first column, and
    its head is what stands above the opening one without an empty line between."""
    start = head = None
    for number, line in enumerate(lines, 1):
        if line == "{" and start is None:
            start = head = number
            while head > 1 and lines[head - 2] and not lines[head - 2].endswith((";", "}", "*/")):
                head -= 1
        elif line.startswith("}") and start is not None:
            yield head, number - head + 1
            start = None


def main():
    complaints, checked = [], 0
    for path in tree.c_files("lib/", "src/", "auth/"):
        lines = tree.read(path).rstrip("\n").split("\n")
        checked += 1
        if len(lines) > FILE_MAX:
            complaints.append(f"{path}:1: {len(lines)} lines; a file has at most {FILE_MAX}: "
                              "split it by verb")
        for head, length in functions(lines):
            checked += 1
            if length > FUNCTION_MAX:
                complaints.append(f"{path}:{head}: a function of {length} lines; at most "
                                  f"{FUNCTION_MAX} are allowed")
    tree.finish("functions", "files and functions", checked, complaints)


main()
