# SPDX-License-Identifier: ISC
"""A SOCKS 4 and 4A client that writes bytes exactly as the test says."""
import collections
import socket
import struct

import socks

Reply = collections.namedtuple("Reply", "code address port")

CONNECT, BIND = 1, 2
GRANTED, REFUSED, NO_IDENTD, WRONG_USER = 0x5A, 0x5B, 0x5C, 0x5D
TEXT_MAX = 255


def request(host, port, command=CONNECT, user=b"", name=None):
    """name: 4A, and host is then the 0.0.0.x that announces it."""
    head = bytes([4, command]) + struct.pack("!H", port) + socket.inet_aton(host) + user + b"\0"
    return head if name is None else head + name + b"\0"


class Client(socks.Client):
    """One connection, no negotiation: the request is the first thing said."""

    def reply(self):
        version, code, port, ip = struct.unpack("!BBH4s", self.recv(8))
        assert version == 0
        return Reply(code, socket.inet_ntoa(ip), port)

    def ask(self, host, port, command=CONNECT, user=b"", name=None):
        self.send(request(host, port, command, user, name))
        return self.reply()

    def ask_name(self, name, port, command=CONNECT, user=b"", marker="0.0.0.1"):
        return self.ask(marker, port, command, user, name.encode("latin-1") if isinstance(name, str) else name)

    def connect(self, target, user=b""):
        reply = self.ask(*target, user=user)
        assert reply.code == GRANTED, f"reply {reply}"
        return self
