# SPDX-License-Identifier: ISC
"""What the tests of BIND share: peers that connect, and what the gateway says of them."""
import socket

import socks
from waiting import wait_until


def peer(to, source="127.0.0.1", deadline=socks.DEADLINE):
    """A connection to where the gateway listens, from that address."""
    sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(deadline)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((source, 0))
        sock.connect(to)
    except BaseException:
        sock.close()
        raise
    return sock


def await_peer(client, host="127.0.0.1", port=0):
    """BIND up to the first reply: where the gateway listens."""
    reply = client.ask(host, port, socks.BIND)
    assert reply.code == 0, reply
    assert reply.address not in ("0.0.0.0", "::") and reply.port != 0, reply
    return reply.address, reply.port


def turned_away(sock):
    """It is closed without a byte."""
    try:
        assert sock.recv(1) == b""
    except ConnectionResetError:
        pass


def stranger(to, source="127.0.0.2"):
    """One that is not expected: its connection is closed."""
    try:
        sock = peer(to, source)
    except ConnectionResetError:
        return
    with sock:
        turned_away(sock)


def nobody_listens(to):
    def refused():
        try:
            peer(to).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass
        return False
    wait_until(refused, 10, f"nobody listens on {to}")


def both_ways(client, sock):
    """Bytes and both ends: the peer's first, then the client's."""
    sock.sendall(b"from the peer")
    assert client.recv(13) == b"from the peer"
    client.send(b"from the client").shut()
    got = b""
    while data := sock.recv(100):
        got += data
    assert got == b"from the client"
    sock.sendall(b"last words")
    sock.shutdown(socket.SHUT_WR)
    assert client.rest() == b"last words"
