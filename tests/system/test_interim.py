# SPDX-License-Identifier: ISC
"""log.interim: session.update records of sessions that move something."""
import gateway as gw
import udp
from gssapi_client import INTEGRITY, GssClient
from socks import Client
from waiting import stays, wait_until


def updates(gateway, client):
    return [r for r in gateway.of(client) if r["event"] == "session.update"]


def interim(gateway, seconds=1):
    text = gateway.config_path.read_text()
    gateway.configure(text.replace("log { ", f"log {{ interim = {seconds} "))
    return gateway.start()


def test_updates_follow_the_bytes(start, echo):
    """One for each interval in which something moved; a quiet session has none."""
    gateway = interim(start(start=False))
    with Client(gateway) as busy, Client(gateway) as quiet, udp.Peer() as peer:
        quiet.connect(echo.address)
        busy.connect(echo.address)
        sent = 0

        def enough():
            nonlocal sent
            busy.echo(b"x" * 100)
            sent += 100
            return len(updates(gateway, busy)) >= 2
        with udp.Association(gateway) as a:
            a.echo(peer.address, b"datagram")
            wait_until(enough, 10)
            assert [r["datagrams_up"] for r in updates(gateway, a)] == ["1"]
            assert updates(gateway, a)[0]["bytes_down"] == "8"
        bytes_up = [int(r["bytes_up"]) for r in updates(gateway, busy)]
        assert bytes_up == sorted(set(bytes_up)) and bytes_up[-1] <= sent
        first = updates(gateway, busy)[0]
        assert first["rule"] == "loopback" and first["destination"] and float(first["duration"]) > 0
        assert "reason" not in first and "wire_up" not in first
        assert updates(gateway, quiet) == []
    assert gateway.closing(busy)["bytes_up"] == str(sent)


def test_none_where_none_is_wanted(start, echo):
    gateway = start()
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        stays(lambda: updates(gateway, client) == [], 0.3)


def test_the_wire_of_a_sealed_session(start, echo, realm, alice):
    gateway = interim(start(realm=realm, rules=gw.REALM_USERS, start=False))
    with GssClient(gateway, alice) as client:
        client.connect(echo.address, INTEGRITY).echo(b"ping")
        record = wait_until(lambda: next(iter(updates(gateway, client)), None), 10)
        assert record["bytes_up"] == "4" and int(record["wire_up"]) > 4
        assert record["protection"] == "integrity" and int(record["wire_down"]) > 4
