# SPDX-License-Identifier: ISC
"""BIND under GSS-API: both replies and all that follows are protected as agreed."""
import pytest

import bind
import gateway as gw
import servers
import socks
from bind import await_peer, nobody_listens, stranger
from gssapi_client import CONFIDENTIALITY, INTEGRITY, NAMES, NONE, SELECTIVE, GssClient

LEVELS = [NONE, INTEGRITY, CONFIDENTIALITY, SELECTIVE]


def client_at(gateway, alice, level):
    client = GssClient(gateway, alice)
    assert client.log_in().propose(level) == level
    return client


@pytest.mark.parametrize("level", LEVELS, ids=NAMES.get)
def test_both_replies_are_protected(gateway, alice, level):
    with client_at(gateway, alice, level) as client:
        at = await_peer(client)
        with bind.peer(at) as sock:
            assert client.reply() == (0, socks.IPV4, *sock.getsockname())
            sock.sendall(b"from the peer")
            get, put = (client.get, client.put) if level else (client.recv, client.send)
            assert get(13) == b"from the peer"
            put(b"from the client")
            assert sock.recv(100) == b"from the client"
    record = gateway.closing(client)
    assert (record["event"], record["command"]) == ("session.end", "bind")
    assert (record["protection"], record["user"]) == (NAMES[level], "alice@SALLYPORT.TEST")


@pytest.mark.parametrize("level", [INTEGRITY, CONFIDENTIALITY], ids=NAMES.get)
def test_what_comes_early(gateway, alice, level):
    """From both sides, before the second reply: none of it is lost or in the clear."""
    data = b"".join(servers.chunks(100_000, 11))
    with client_at(gateway, alice, level) as client:
        at = await_peer(client)
        client.put(b"early")
        with bind.peer(at) as sock:
            sock.sendall(data)
            assert client.reply().code == 0
            assert client.get(len(data)) == data
            assert sock.recv(100) == b"early"


def test_strangers(gateway, alice):
    with client_at(gateway, alice, CONFIDENTIALITY) as client:
        at = await_peer(client)
        stranger(at)
        with bind.peer(at) as sock:
            assert client.reply().address == "127.0.0.1"
            sock.sendall(b"right")
            assert client.get(5) == b"right"


def test_a_refusal_is_protected(gateway, alice):
    with client_at(gateway, alice, CONFIDENTIALITY) as client:
        assert client.ask("192.0.2.1", 20, socks.BIND).code == 2
        assert client.get_rest() == b""
    assert gateway.closing(client)["event"] == "request.denied"


def test_timeout_is_protected(start, realm, alice):
    gateway = start(realm=realm, rules=gw.REALM_USERS, timeouts="bind = 1 stop = 2")
    with client_at(gateway, alice, CONFIDENTIALITY) as client:
        at = await_peer(client)
        assert client.reply().code == 4
        assert client.get_rest() == b""
    assert gateway.closing(client)["reason"] == "bind-timeout"
    nobody_listens(at)


def test_the_wait_ends_with_the_ticket(start, realm):
    gateway = start(realm=realm, rules=gw.REALM_USERS)
    ticket = realm.service_ticket("rcmd/localhost", "alice", "-l", "4s")
    with client_at(gateway, ticket, CONFIDENTIALITY) as client:
        at = await_peer(client)
        client.rest_or_reset()
        nobody_listens(at)
    assert gateway.closing(client)["reason"] == "ticket-expired"


def test_a_corrupted_message_while_it_waits(gateway, alice):
    """What the client sends early is opened once there is a peer: changed bytes end it then."""
    with client_at(gateway, alice, INTEGRITY) as client:
        at = await_peer(client)
        message = bytearray(client.seal(b"early"))
        message[-1] ^= 1
        client.send(bytes(message))
        try:
            with bind.peer(at) as sock:
                assert sock.recv(100) == b""
        except (ConnectionResetError, ConnectionRefusedError):
            pass
    assert gateway.closing(client)["reason"] == "protection-violation"
