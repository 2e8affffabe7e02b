# SPDX-License-Identifier: ISC
"""Destinations: small servers on loopback, a thread per connection."""
import hashlib
import random
import socket
import struct
import threading

from waiting import wait_until


class Server:
    """with Server(handler) as server: ... server.address. The handler gets the connection and the
    server; what it leaves open is closed at the end."""

    def __init__(self, handler, host="127.0.0.1", receive_buffer=None, port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.handler = handler
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if port:  # one server after another
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(1024)
        self.address = self.listener.getsockname()[:2]
        self.port = self.address[1]
        self.connections = []
        self.notes = []  # what handlers want to tell the test
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                _wake(connection)
                connection.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # shut down by __exit__
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections.append(connection)
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection):
        try:
            self.handler(connection, self)
        except OSError:
            connection.close()  # the test or the gateway closed it

    def note(self, value):
        with self.lock:
            self.notes.append(value)

    def wait_note(self, seconds=10):
        return wait_until(lambda: self.notes, seconds, "a note of the server")[-1]

    def wait_connection(self, seconds=10):
        return wait_until(lambda: self.connections, seconds, "a connection at the server")[-1]


def _wake(connection):
    """Who waits in it goes on: closing alone would leave them there."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # its end came already


def echo(connection, server):
    """Sends back what comes; ends its stream when the peer did. One server echoes for all tests: what
    it kept open would add up."""
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def hold(connection, server):
    """Accepts and does nothing; the test uses server.connections."""


def sink(connection, server):
    """Reads to the end, notes (bytes, sha256), sends the digest, closes."""
    digest, count = hashlib.sha256(), 0
    while data := connection.recv(1 << 16):
        digest.update(data)
        count += len(data)
    server.note((count, digest.hexdigest()))
    connection.sendall(digest.hexdigest().encode())
    connection.close()


def reset(connection):
    """Closes with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def chunks(total, seed, largest=300_000):
    """Random bytes in chunks of random sizes, from one byte up; the same for the same seed."""
    rng = random.Random(seed)
    block = rng.randbytes(1 << 20)
    while total > 0:
        size = min(total, rng.choice((1, 2, 7, 100, 1448, 4096, 16384, 65536, largest)))
        at = rng.randrange(len(block) - min(size, len(block) - 1))
        piece = block[at:at + size]
        total -= len(piece)
        yield piece


def digest_of(total, seed):
    digest = hashlib.sha256()
    for piece in chunks(total, seed):
        digest.update(piece)
    return digest.hexdigest()


def source(total, seed):
    def handler(connection, server):
        for piece in chunks(total, seed):
            connection.sendall(piece)
        connection.close()
    return handler


def dead_port(host="127.0.0.1"):
    """A port that nobody listens on: bound and held by the returned socket, so that nobody takes
    it meanwhile."""
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    s.bind((host, 0))
    return s, s.getsockname()[1]


class Full:
    """An address that never answers: a listener whose backlog is full drops what comes."""

    def __init__(self, host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sockets = [socket.socket(family, socket.SOCK_STREAM)]
        self.sockets[0].bind((host, port))
        self.sockets[0].listen(0)
        for _ in range(4):
            filler = socket.socket(family, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex((host, port))
            self.sockets.append(filler)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for s in self.sockets:
            s.close()
