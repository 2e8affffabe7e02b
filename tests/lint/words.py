#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Words that do not belong in what we publish: paths of one machine, how it was made, work left to do.
They are put together from pieces here, so that the lint does not find itself."""
import re

import tree

ANYWHERE = [
    ("a path of one machine", "/wor" + "k/|/tmp/w" + r"t\b|\.\./sha" + "red|/root/\\."),
    ("a word about how it was made",
     "far" + r"m|\bC" + r"EO\b|\bL" + r"LM\b|\bA" + r"I[- ](agent|model|generated|helper)|\bagent sess" + r"ion\b"),
    ("a number of a tracker entry", r"\biss" + r"ue #?\d"),
    ("the host of a package registry", r"\bregis" + r"try\.[a-z]|\bnpm" + r"js\b|pypi\." + "org"),
]
IN_OUR_TEXT = [
    ("work left to do", r"\b(TO" + "DO|FIX" + "ME|X" + "XX|HA" + r"CK|not (yet )?implemen" + r"ted|st" + r"ub)\b"),
]
OUR_TEXT = ("lib/", "src/", "auth/", "tests/", "doc/", "README.md")
TEXT_OF_OTHERS = ("LICENSE",)


def main():
    complaints, checked = [], 0
    for path in tree.files():
        if path in TEXT_OF_OTHERS:
            continue
        checked += 1
        rules = ANYWHERE + (IN_OUR_TEXT if path.startswith(OUR_TEXT) else [])
        for number, line in enumerate(tree.read(path).split("\n"), 1):
            for what, pattern in rules:
                if re.search(pattern, line):
                    complaints.append(f"{path}:{number}: {what}: {line.strip()[:80]}")
    tree.finish("words", "files", checked, complaints)


main()
