# SPDX-License-Identifier: ISC
"""What the lints share: the files of the tree, C without its comments, and the way to report."""
import os
import re
import subprocess
import sys

TOP = os.path.abspath(os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "../.."))

# What autoreconf, configure and make write beside our own files.
GENERATED = re.compile(
    r"^(configure|aclocal\.m4|config\.h\.in|INSTALL|m4/(libtool|lt[a-z~]*)\.m4)~?$|(^|/)Makefile(\.in)?$"
)
SKIPPED_FOLDERS = {".git", "build", "build-aux", "autom4te.cache", "__pycache__", "_build", "_inst"}


def files():
    """Paths of our files from the top: what git has or would add, else a walk (a release)."""
    if os.path.exists(os.path.join(TOP, ".git")):
        out = subprocess.run(
            ["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout.split("\n")
        return sorted(f for f in out if f and os.path.isfile(os.path.join(TOP, f)))
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), TOP)
            if not GENERATED.search(path):
                found.append(path)
    return sorted(found)


def c_files(*folders):
    """The .c, .h and .def files under these folders."""
    return [f for f in files() if f.endswith((".c", ".h", ".def")) and f.startswith(folders)]


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as f:
        return f.read()


C_NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def c_code(text):
    """The text without comments and literals; lines stay where they were."""
    return C_NOISE.sub(lambda m: '""' + "\n" * m.group().count("\n"), text)


def finish(name, what, checked, complaints):
    """Prints the complaints and the one line that says how much was looked at; exits."""
    for complaint in complaints:
        print(complaint)
    print(f"{name}: {checked} {what} checked, {len(complaints)} complaints")
    if checked == 0:
        print(f"{name}: nothing was checked: the lint looks in the wrong place")
    sys.exit(1 if complaints or checked == 0 else 0)
