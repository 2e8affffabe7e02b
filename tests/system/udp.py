# SPDX-License-Identifier: ISC
"""UDP ASSOCIATE: an association's client, plain and with GSS-API, and servers for its datagrams."""
import collections
import select
import socket
import struct
import threading

import socks
from gssapi_client import DATA, GssClient
from waiting import wait_until

Datagram = collections.namedtuple("Datagram", "address port data")

LAST = 0x80  # in FRAG
LARGEST = 65507  # octets of a datagram on IPv4
HEADER = 10  # octets of a header with an IPv4 address
QUIET = 0.3  # how long nothing comes where nothing may come


def header(host, port, fragment=0, reserved=b"\0\0"):
    return reserved + bytes([fragment]) + socks.address(host) + struct.pack("!H", port)


def parse(data):
    """What the gateway sends: always an address, never a fragment."""
    assert data[:3] == b"\0\0\0", data[:3]
    family, size = {socks.IPV4: (socket.AF_INET, 4), socks.IPV6: (socket.AF_INET6, 16)}[data[3]]
    ip = socket.inet_ntop(family, data[4:4 + size])
    return Datagram(ip, struct.unpack_from("!H", data, 4 + size)[0], data[6 + size:])


def udp_socket(host="127.0.0.1", port=0, deadline=socks.DEADLINE):
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((host, port))
    sock.settimeout(deadline)
    return sock


def quiet(*socks_, seconds=QUIET):
    """Nothing comes to any of them."""
    ready = select.select(socks_, [], [], seconds)[0]
    assert not ready, f"came: {ready[0].recv(100)!r}"


class Association:
    """with Association(gateway) as a: the TCP connection is a.tcp, the client's socket a.sock, the
    gateway's address for datagrams a.relay."""

    def __init__(self, gateway, hint=("0.0.0.0", 0), source="127.0.0.1", tcp=None):
        self.tcp = tcp or socks.Client(gateway).greet()
        self.answer = self.tcp.ask(*hint, socks.ASSOCIATE)
        assert self.answer.code == 0, self.answer
        self.relay = (self.answer.address, self.answer.port)
        self.sock = udp_socket(source)
        self.name = self.tcp.name
        self.since = self.tcp.since

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.tcp.close()
        self.sock.close()

    def put(self, data, sock=None):
        """Exactly these octets."""
        (sock or self.sock).sendto(data, self.relay)

    def send(self, target, data, fragment=0, sock=None):
        self.put(header(*target, fragment) + data, sock)

    def receive(self, sock=None):
        data, source = (sock or self.sock).recvfrom(LARGEST + 1)
        assert source[:2] == self.relay, source
        return parse(data)

    def echo(self, target, data=b"ping", sock=None):
        """There and back; what comes says where from."""
        self.send(target, data, sock=sock)
        assert self.receive(sock).data == data
        return self

    def insist(self, send, data=b"last"):
        """Calls send until this comes back: a flood before it may have filled sockets, and what comes late
        of that is passed over."""
        def came():
            send()
            while select.select([self.sock], [], [], 0.2)[0]:
                if self.receive().data == data:
                    return True
            return False
        wait_until(came, what=f"{data} comes back")

    def ended(self, gateway):
        """Closes its connection; the closing record."""
        self.tcp.close()
        return gateway.closing(self)


class Sealed(Association):
    """The same with GSS-API: each datagram one message of the association's context."""

    def __init__(self, gateway, ticket, level, source="127.0.0.1", **keys):
        tcp = GssClient(gateway, ticket, **keys)
        assert tcp.log_in().propose(level) == level
        super().__init__(gateway, source=source, tcp=tcp)

    def seal(self, target, data, fragment=0):
        return self.tcp.seal(header(*target, fragment) + data)

    def send(self, target, data, fragment=0, sock=None):
        self.put(self.seal(target, data, fragment), sock)

    def receive(self, sock=None):
        data, source = (sock or self.sock).recvfrom(LARGEST + 1)
        assert source[:2] == self.relay, source
        size = struct.unpack_from("!H", data, 2)[0]
        assert data[:2] == bytes([1, DATA]) and size == len(data) - 4
        plain, confidential = self.tcp.context.unwrap(data[4:])
        assert confidential == self.tcp.confidential
        return parse(plain)


class Peer:
    """A destination: notes (source, data) of all that comes and answers with what answer(data)
    returns, None: nothing."""

    def __init__(self, host="127.0.0.1", answer=lambda data: data, port=0):
        self.sock = udp_socket(host, port, deadline=None)
        self.address = self.sock.getsockname()[:2]
        self.port = self.address[1]
        self.answer, self.notes, self.done = answer, [], False
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.done = True
        with socket.socket(self.sock.family, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self.sock.getsockname())
        self.thread.join(5)
        self.sock.close()

    def _serve(self):
        while True:
            try:
                data, source = self.sock.recvfrom(LARGEST + 1)
            except OSError:
                continue  # an ICMP error of what it sent before
            if self.done:
                return
            self.notes.append((source[:2], data))
            answer = self.answer(data)
            if answer is not None:
                try:
                    self.sock.sendto(answer, source)
                except OSError:
                    pass

    def datas(self):
        return [data for _, data in self.notes]

    def wait(self, count=1, seconds=10):
        """Sources and data of the first so many datagrams."""
        wait_until(lambda: len(self.notes) >= count, seconds, lambda: f"{count} datagrams, came {self.notes}")
        return self.notes[:count]


def wait_refused(sock, relay, seconds=10):
    """The port of a former association: nobody has it any more."""
    probe = socket.socket(sock.family, socket.SOCK_DGRAM)
    with probe:
        probe.connect(relay)

        def gone():
            try:
                probe.send(b"x")
                select.select([probe], [], [], 0.02)
                probe.send(b"x")
            except ConnectionRefusedError:
                return True
            return False
        wait_until(gone, seconds, f"{relay} is closed")
