# SPDX-License-Identifier: ISC
"""A network namespace of the tests' own, with a loopback of its own: no port, and no datagram that one
test sends to ports it does not know, meets those of other tests side by side or of other programs.
Takes root; an ordinary user's tests share the host's."""
import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1


def leave_the_host():
    """This thread, and with it the threads and processes that it starts from now on, moves to a namespace
    of its own. None, or why it stays where it was."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            return f"unshare: {os.strerror(ctypes.get_errno())}"
        try:
            _loopback_up()
        except OSError as problem:
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            return f"no loopback: {problem.strerror}"
    return None


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", asked)[1] | IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as six:
        six.bind(("::1", 0))
