# SPDX-License-Identifier: ISC
"""BIND of SOCKS 4 and 4A."""
import pytest

import bind
import gateway as gw
from bind import both_ways, nobody_listens, stranger
from socks import name_of
from socks4 import BIND, GRANTED, REFUSED, Client


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared()


@pytest.fixture
def named(start, dns):
    return start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 6 attempts = 1 hosts = false }}')


def place(client, reply):
    """Where the peer has to connect: 0.0.0.0 means the gateway's own address."""
    assert reply.code == GRANTED and reply.port != 0, reply
    return (client.sock.getpeername()[0] if reply.address == "0.0.0.0" else reply.address), reply.port


def test_two_replies(gateway):
    with Client(gateway) as client:
        at = place(client, client.ask("127.0.0.1", 20, BIND, user=b"joe"))
        with bind.peer(at) as sock:
            assert client.reply() == (GRANTED, *sock.getsockname())
            both_ways(client, sock)
            name = name_of(sock.getsockname())
    record = gateway.closing(client)
    assert (record["event"], record["protocol"], record["command"]) == ("session.end", "socks4", "bind")
    assert (record["destination"], record["address"], record["claimed"]) == ("127.0.0.1:20", name, "joe")


def test_by_name(named, dns):
    dns.set("ftp.example.test", a=["127.0.0.3", "127.0.0.4"])
    with Client(named) as client:
        at = place(client, client.ask_name("ftp.example.test", 20, BIND))
        with bind.peer(at, "127.0.0.4") as sock:
            assert client.reply().code == GRANTED
            both_ways(client, sock)
    assert named.closing(client)["protocol"] == "socks4a"


def test_a_name_without_addresses(named):
    with Client(named) as client:
        assert client.ask_name("nowhere.example.test", 20, BIND).code == REFUSED
        client.ends()
    assert named.closing(client)["reason"] == "nxdomain"


def test_a_stranger_ends_it(gateway):
    """5B in the second reply, both connections closed; the right peer comes too late. The client's
    other connection is not touched."""
    with Client(gateway) as primary, Client(gateway) as client:
        at = place(client, client.ask("127.0.0.1", 20, BIND))
        other = place(primary, primary.ask("127.0.0.1", 20, BIND))
        stranger(at)
        assert client.reply().code == REFUSED
        client.ends()
        nobody_listens(at)
        with bind.peer(other) as sock:
            assert primary.reply().code == GRANTED
            both_ways(primary, sock)
    record = gateway.closing(client)
    assert (record["event"], record["reason"], record["reply"]) == ("request.failed", "wrong-peer", "91")
    assert record["address"].startswith("127.0.0.2:")


def test_refused_by_rule(gateway):
    with Client(gateway) as client:
        assert client.ask("192.0.2.1", 20, BIND).code == REFUSED
        client.ends()
    assert gateway.closing(client)["event"] == "request.denied"


def test_all_zeros(start):
    """0.0.0.0 expects anybody: with bind-any alone."""
    rules = gw.rule("any", destination=["0.0.0.0/32", "127.0.0.0/8"])
    strict, lax = start(rules=rules), start(rules=rules.replace("}\n}", "}\n    bind-any = true\n}"))
    with Client(strict) as client:
        assert client.ask("0.0.0.0", 20, BIND).code == REFUSED
        client.ends()
    with Client(lax) as client:
        at = place(client, client.ask("0.0.0.0", 20, BIND))
        with bind.peer(at, "127.0.0.9") as sock:
            assert client.reply() == (GRANTED, *sock.getsockname())
            both_ways(client, sock)


def test_advertise(start):
    gateway = start(extra='bind { advertise = "192.0.2.7" }')
    with Client(gateway) as client:
        reply = client.ask("127.0.0.1", 20, BIND)
        assert (reply.code, reply.address) == (GRANTED, "192.0.2.7")
        with bind.peer(("127.0.0.1", reply.port)) as sock:
            assert client.reply().code == GRANTED
            both_ways(client, sock)


def test_timeout(start):
    gateway = start(timeouts="bind = 1 stop = 2")
    with Client(gateway) as client:
        at = place(client, client.ask("127.0.0.1", 20, BIND))
        assert client.reply().code == REFUSED
        client.ends()
    assert gateway.closing(client)["reason"] == "bind-timeout"
    nobody_listens(at)


def test_the_client_goes_away(gateway):
    with Client(gateway) as client:
        at = place(client, client.ask("127.0.0.1", 20, BIND))
        client.close()
        nobody_listens(at)
    assert gateway.closing(client)["event"] == "protocol.error"


def test_switched_off(start):
    gateway = start(extra="bind { enabled = false }")
    with Client(gateway) as client:
        assert client.ask("127.0.0.1", 20, BIND).code == REFUSED
        client.ends()
    assert gateway.closing(client)["reason"] == "command-not-supported"
