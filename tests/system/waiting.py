# SPDX-License-Identifier: ISC
"""The one place where tests wait: for a condition, with a deadline."""
import os
import pathlib
import select
import signal
import time

LOOK_EVERY = 0.01
DEADLINE = 10.0


def wait_until(condition, seconds=DEADLINE, what=None):
    """The condition's first true value; an AssertionError when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what or condition}")
        select.select([], [], [], LOOK_EVERY)


def stays(condition, seconds, what=None):
    """The condition holds all that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"did not stay so for {seconds} s: {what or condition}"
        select.select([], [], [], LOOK_EVERY)


def halt(pid):
    """SIGSTOP, and it stands still: before each of its threads had its turn to stop, one may go on."""
    def state(stat):
        try:
            return stat.read_text().rpartition(") ")[2][:1]
        except (FileNotFoundError, ProcessLookupError):
            return "T"  # a thread that ended

    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(state(stat) == "T" for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")),
               what=f"process {pid} stands still")
