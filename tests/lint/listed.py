#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Every source file, test and manual page is named in a fragment: a file that nothing names is not
compiled, not run and not in a release, and nobody notices."""
import re

import tree

WANTED = re.compile(r"""^(lib|src|auth|tests)/.*\.[ch]$ | \.def$ | ^tests/.*\.(py|sh)$
                    | ^doc/[^/]*\.[1-8]$ | ^packaging/""", re.X)


def main():
    everything = tree.files()
    named = set()
    for path in everything:
        if path.endswith(".mk") or path == "Makefile.am":
            lines = [l for l in tree.read(path).split("\n") if not l.lstrip().startswith("#")]
            named.update(re.findall(r"[\w./-]+", "\n".join(lines)))
    wanted = [f for f in everything if WANTED.search(f) and not f.endswith(".mk")]
    complaints = [f"{f}:1: no local.mk names it; allowed: a line in its folder's fragment"
                  for f in wanted if f not in named]
    tree.finish("listed", "files", len(wanted), complaints)


main()
