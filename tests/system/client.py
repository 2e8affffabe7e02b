# SPDX-License-Identifier: ISC
"""Our own client as tests run it."""
import os
import subprocess

import gateway as gw

PROGRAM = gw.BUILD / "sallyport"
OK, USAGE, UNREACHABLE, LOGIN, REFUSED, BROKEN = range(6)


def environment(ticket=None, **more):
    """Nothing of the tester's own logins; ticket: a realm.Ticket."""
    keep = ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
    env = {k: os.environ[k] for k in keep if k in os.environ}
    env["LC_ALL"] = "C"
    env["KRB5CCNAME"] = f"FILE:{ticket.path}" if ticket else "FILE:/nonexistent/ccache"
    if ticket:
        env["KRB5_CONFIG"] = ticket.config
    elif "KRB5_CONFIG" in os.environ:
        env["KRB5_CONFIG"] = os.environ["KRB5_CONFIG"]
    return {**env, **more}


def command(via, target, *options, form="connect"):
    if hasattr(via, "port"):
        via = f"localhost:{via.port}"
    return [str(PROGRAM), form, "--via", via, *options, str(target[0]), str(target[1])]


def run(via, target, *options, form="connect", data=b"", env=None, seconds=60, **keys):
    """To its end: the completed process. stdin= a file stands for data."""
    if "stdin" not in keys:
        keys["input"] = data
    return subprocess.run(command(via, target, *options, form=form), env=env or environment(), timeout=seconds,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keys)


def spawn(via, target, *options, form="connect", env=None, **keys):
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **keys}
    return subprocess.Popen(command(via, target, *options, form=form), env=env or environment(), **streams)


def says(done, status, text):
    """It ended with that status and said exactly this line; None: nothing."""
    expected = b"" if text is None else f"sallyport: {text}\n".encode()
    assert (done.returncode, done.stderr) == (status, expected), (done.returncode, done.stderr.decode())
