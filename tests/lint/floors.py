#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Who may include what: a file sees its own folder and lower floors, a library's header stays in
the one place that may use the library."""
import os
import re

import tree

FLOORS = {
    "lib/base": 0,
    "lib/socks": 1, "lib/krb5msg": 1,
    "src/core": 2, "auth": 2,
    "src/config": 3,
    "src/net": 4, "src/policy": 4, "src/authlink": 4,
    "src/session": 5,
    "src/master": 6, "src/worker": 6, "src/authd": 6, "src/logger": 6, "src/metrics": 6, "src/ctl": 6, "src/client": 6,
    "src": 7,
}
# A library's headers: where they may be included.
LIBRARIES = [
    (r"confuse\.h", r"src/config/"),
    (r"gssapi.*|krb5.*|profile\.h", r"auth/gssapi/"),
    (r"ares.*\.h", r"src/net/resolver_[^/]*$"),
    (r"microhttpd\.h", r"src/metrics/"),
    (r"openssl/.*", r"lib/krb5msg/|src/net/[^/]*tls[^/]*$"),
    (r"crypt\.h|sodium.*\.h|security/.*", r"auth/[a-z0-9]+/"),
    (r"ncurses.*\.h|curses\.h", r"src/ctl/"),
    (r"seccomp\.h|cap-ng\.h", r"src/core/"),
]
GENERATED = {"config.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def folder_of(path):
    """The folder of FLOORS a path belongs to, or None; auth/ has folders of its own below it."""
    folder = os.path.dirname(path)
    return "auth" if folder.startswith("auth/") else folder if folder in FLOORS else None


def judge(path, header):
    """What is wrong with a project include, or None."""
    if header in GENERATED:
        return None
    target = folder_of(header)
    if target is None:
        return "paths are written from the top, into a folder of FLOORS"
    own, here = folder_of(path), os.path.dirname(path)
    if own == target == "auth":
        there = os.path.dirname(header)
        return None if there in ("auth", here) else "a method includes auth/*.h and its own folder"
    if own == target or FLOORS[target] < FLOORS[own]:
        return None
    allowed = sorted(f for f in FLOORS if f == own or FLOORS[f] < FLOORS[own])
    return "allowed here: " + " ".join(allowed)


def judge_library(path, header):
    for pattern, places in LIBRARIES:
        if re.fullmatch(pattern, header) and not re.match(places, path):
            return "allowed only in " + places
    return None


def main():
    complaints, checked = [], 0
    for path in tree.c_files("lib/", "src/", "auth/"):
        if folder_of(path) is None:
            complaints.append(f"{path}:1: FLOORS knows no folder {os.path.dirname(path)}")
            continue
        for number, line in enumerate(tree.read(path).split("\n"), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            checked += 1
            wrong = (judge if found[1] == '"' else judge_library)(path, found[2])
            if wrong:
                complaints.append(f"{path}:{number}: includes {found[2]}; {wrong}")
    tree.finish("floors", "includes", checked, complaints)


main()
