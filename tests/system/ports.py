# SPDX-License-Identifier: ISC
"""Free ports to name in a configuration. Not of those that the kernel gives: it could give one to
somebody else before it is used."""
import contextlib
import pathlib
import random
import socket

RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
LEAST, MOST = 10000, 32768


def free_range(count):
    """The first of so many in a row that nobody has, of TCP and of UDP."""
    most = max(min(MOST, int(RANGE.read_text().split()[0])), LEAST + 10000)
    for _ in range(1000):
        first = random.randrange(LEAST, most - count)
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise AssertionError(f"no {count} free ports in a row from {LEAST} to {most}")


def free_port():
    return free_range(1)


def _is_free(port):
    with contextlib.ExitStack() as held:
        for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            for family, anywhere in (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"):
                s = held.enter_context(socket.socket(family, kind))
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    s.bind((anywhere, port))
                except OSError:
                    return False
    return True
