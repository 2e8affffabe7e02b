# SPDX-License-Identifier: ISC
"""The audit of UDP associations: who wrote whereto, and which rule let them."""
import signal

import pytest

import gateway as gw
import udp
from gssapi_client import CONFIDENTIALITY
from socks import Client

OTHER = "127.0.0.9"
RULES = [gw.rule("no discard", "deny", destination=[OTHER + "/32"], port=["9"]),
         gw.rule("named", destination=["127.0.0.2/32"]),
         gw.rule("nine", destination=[OTHER + "/32"]),
         gw.rule("one", destination=["127.0.0.1/32"])]


def told(gateway, association):
    return [r for r in gateway.of(association) if r["event"] == "session.destination"]


@pytest.mark.sanitizers
def test_each_destination_once(start, dns):
    """By name and by address, with the rule of each; nothing was said to one that is refused."""
    dns.set("www.example.test", a=["127.0.0.2"])
    gateway = start(rules=RULES, methods=("userpass",),
                    extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} hosts = false }}\n')
    with udp.Peer() as first, udp.Peer("127.0.0.2") as named, udp.Peer(OTHER) as nine:
        client = Client(gateway)
        assert client.log_in("alice") == 0
        with udp.Association(gateway, tcp=client) as a:
            for _ in range(3):
                a.echo(first.address)
                a.echo(nine.address)
                a.echo(("www.example.test", named.port))
            a.send((OTHER, 9), b"refused")
            a.echo(first.address)
            record = a.ended(gateway)
    found = told(gateway, a)
    assert [(r["destination"], r["address"], r["rule"]) for r in found] == [
        (f"127.0.0.1:{first.port}", f"127.0.0.1:{first.port}", "one"),
        (f"{OTHER}:{nine.port}", f"{OTHER}:{nine.port}", "nine"),
        (f"www.example.test:{named.port}", f"127.0.0.2:{named.port}", "named")]
    assert all((r["user"], r["command"], r["egress"]) == ("alice", "udp", record["egress"]) for r in found)
    assert record["datagrams_dropped"] == "1" and "untold" not in record


def test_of_a_sealed_association(start, realm, alice):
    gateway = start(realm=realm, rules=gw.REALM_USERS)
    with udp.Peer() as peer, udp.Sealed(gateway, alice, CONFIDENTIALITY) as a:
        a.echo(peer.address)
        a.ended(gateway)
    found, = told(gateway, a)
    assert found["user"].startswith("alice@") and found["protection"] == "confidentiality"
    assert found["address"] == f"127.0.0.1:{peer.port}"


def test_destinations_without_end(start):
    """While nobody takes records they leave half of the ring to those of others, and are counted."""
    gateway = start(workers=1, rules=gw.rule("all", destination=["127.77.0.0/16"]), repeats=True)
    logger, = gateway.children("logger")
    with udp.Peer("127.77.200.1") as peer, udp.Association(gateway) as a:
        gw.halt(logger)
        try:
            for i in range(6000):
                a.send((f"127.77.{i // 250}.{1 + i % 250}", 9), b"x")
                if i % 50 == 0:  # no more than the sockets take
                    a.echo(peer.address)
            for _ in range(5):
                Client(gateway).send(b"\x07").close()
        finally:
            gw.kill(logger, signal.SIGCONT)
        record = a.ended(gateway)
    untold, written = int(record.get("untold", 0)), len({r["address"] for r in told(gateway, a)})
    assert untold > 100 and written > 100, record
    echoes = 6000 // 50
    assert int(record["datagrams_up"]) - echoes <= untold + written - 1 <= 6000
    assert not any(r["event"] == "audit.lost" for r in gateway.events())
