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
SKIPPED_FOLDERS = {".git", "build", "build-aux", "autom4te.cache", "__pycache__", ".pytest_cache",
                   "node_modules", "_build", "_inst"}


def git_files():
    """What git has or would add; None without git (a release, or a tree git does not trust)."""
    if not os.path.exists(os.path.join(TOP, ".git")):
        return None
    try:
        out = subprocess.run(
            ["git", "-C", TOP, "ls-files", "-co", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return [f for f in out.split("\n") if f and os.path.isfile(os.path.join(TOP, f))]


def walked_files():
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
        paths = (os.path.relpath(os.path.join(folder, name), TOP) for name in names)
        found += [path for path in paths if not GENERATED.search(path)]
    return found


def files():
    """Paths of our files, from the top."""
    return sorted(git_files() or walked_files())


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
