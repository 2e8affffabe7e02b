# SPDX-License-Identifier: ISC
"""The one place where tests wait: for a condition, with a deadline."""
import select
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
