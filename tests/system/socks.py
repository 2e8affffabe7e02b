# SPDX-License-Identifier: ISC
"""A SOCKS 5 client that writes bytes exactly as the test says, and reads with a deadline."""
import collections
import datetime
import socket
import struct

Reply = collections.namedtuple("Reply", "code atyp address port")

NONE, USERPASS, PRIVATE, REFUSED = 0x00, 0x02, 0x80, 0xFF
CONNECT, BIND, ASSOCIATE = 1, 2, 3
IPV4, NAME, IPV6 = 1, 3, 4
DEADLINE = 10.0


def hello(*methods):
    return bytes([5, len(methods), *methods])


def login(user, password):
    user, password = (x.encode("latin-1") if isinstance(x, str) else x for x in (user, password))
    return bytes([1, len(user)]) + user + bytes([len(password)]) + password


def address(host):
    """ATYP and DST.ADDR: what inet_pton reads is an address, the rest a name."""
    if isinstance(host, bytes):
        return bytes([NAME, len(host)]) + host
    for atyp, family in ((IPV4, socket.AF_INET), (IPV6, socket.AF_INET6)):
        try:
            return bytes([atyp]) + socket.inet_pton(family, host)
        except OSError:
            pass
    return address(host.encode("latin-1"))


def request(host, port, command=CONNECT):
    return bytes([5, command, 0]) + address(host) + struct.pack("!H", port)


class Client:
    """One connection to the gateway. The socket is .sock, its name as the audit writes it .name."""

    def __init__(self, gateway, deadline=DEADLINE, source=None, receive_buffer=None):
        target = gateway.address if hasattr(gateway, "address") else gateway
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(deadline)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.sock.bind((source, 0))
        # The kernel may draw a port that an earlier client had: the audit's time tells them apart.
        self.since = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.sock.connect(target)
        self.name = name_of(self.sock.getsockname())
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        if not self.closed:
            self.closed = True
            self.sock.close()

    def reset(self):
        """Closes with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, *parts):
        self.sock.sendall(b"".join(parts))
        return self

    def send_slowly(self, data):
        """One byte per segment."""
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])
        return self

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def recv(self, count):
        """Exactly so many bytes; an AssertionError when the stream ends before."""
        got = bytearray()
        while len(got) < count:
            data = self.sock.recv(count - len(got))
            assert data, f"end of stream after {bytes(got)!r}, wanted {count} bytes"
            got += data
        return bytes(got)

    def rest(self):
        """Everything up to the end of the stream. A reset is an error of its own kind."""
        got = bytearray()
        while True:
            data = self.sock.recv(65536)
            if not data:
                return bytes(got)
            got += data

    def ends(self):
        """The stream ends cleanly, with nothing more."""
        rest = self.rest()
        assert rest == b"", f"more came: {rest[:80]!r}"

    def ends_or_resets(self):
        try:
            self.ends()
        except ConnectionResetError:
            pass

    def rest_or_reset(self):
        try:
            return self.rest()
        except ConnectionResetError:
            return None

    def reply(self):
        version, code, reserved, atyp = self.recv(4)
        assert (version, reserved) == (5, 0)
        assert atyp in (IPV4, IPV6)
        family, size = (socket.AF_INET, 4) if atyp == IPV4 else (socket.AF_INET6, 16)
        ip = socket.inet_ntop(family, self.recv(size))
        return Reply(code, atyp, ip, struct.unpack("!H", self.recv(2))[0])

    # --- whole steps ---

    def greet(self, method=NONE):
        self.send(hello(method))
        assert self.recv(2) == bytes([5, method])
        return self

    def log_in(self, user="alice", password="wonderland"):
        """The status octet."""
        self.greet(USERPASS).send(login(user, password))
        version, status = self.recv(2)
        assert version == 1
        return status

    def ask(self, host, port, command=CONNECT):
        self.send(request(host, port, command))
        return self.reply()

    def connect(self, target, user=None, password="wonderland"):
        """All the way to a relaying session."""
        if user is None:
            self.greet()
        else:
            assert self.log_in(user, password) == 0
        reply = self.ask(*target)
        assert reply.code == 0, f"reply {reply}"
        return self

    def echo(self, data=b"ping"):
        """Through an echo server and back."""
        self.send(data)
        assert self.recv(len(data)) == data
        return self


def name_of(sockname):
    host, port = sockname[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
