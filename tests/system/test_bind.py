# SPDX-License-Identifier: ISC
"""BIND of SOCKS 5: two replies, who may connect, where the gateway listens, how the wait ends."""
import os
import socket
import subprocess

import pytest

import bind
import gateway as gw
import servers
import socks
from bind import await_peer, both_ways, nobody_listens, stranger, turned_away
from ports import free_range
from socks import BIND, Client
from test_request import Inside
from waiting import stays

NAMED = 'resolver {{ servers = {{ "127.0.0.1:{}" }} timeout = 3 attempts = 1 hosts = false }}'


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(listen=["127.0.0.1:0", "[::1]:0"])


@pytest.fixture
def named(start, dns):
    return start(extra=NAMED.format(dns.port))


def refused(gateway, client, reply, code, event, reason):
    assert reply.code == code
    client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == (event, reason), record
    assert (record["command"], record["reply"]) == ("bind", str(code))
    return record


def test_two_replies(gateway):
    with Client(gateway) as client:
        at = await_peer(client.greet())
        assert at[0] == "127.0.0.1"
        assert not gateway.of(client), "nothing has started yet"
        with bind.peer(at) as sock:
            assert client.reply() == (0, socks.IPV4, *sock.getsockname())
            start = gateway.wait_event("session.start", client=client.name)
            both_ways(client, sock)
            name = socks.name_of(sock.getsockname())
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("session.end", "closed")
    assert start["command"] == record["command"] == "bind"
    assert start["address"] == record["address"] == name and record["egress"] == socks.name_of(at)
    assert record["destination"] == "127.0.0.1:0" and record["rule"] == "loopback"
    assert (record["bytes_up"], record["bytes_down"]) == ("15", "23")
    nobody_listens(at)


def test_ipv6(gateway):
    with Client(gateway.listening[1]) as client:
        at = await_peer(client.greet(), "::1")
        assert at[0] == "::1"
        with bind.peer(at, "::1") as sock:
            assert client.reply() == (0, socks.IPV6, *sock.getsockname()[:2])
            both_ways(client, sock)


def test_an_ipv6_peer_for_an_ipv4_client(gateway):
    with Client(gateway) as client:
        at = await_peer(client.greet(), "::1")
        with bind.peer(at, "::1") as sock:
            assert client.reply().address == "::1"
            both_ways(client, sock)


def test_one_byte_at_a_time(gateway):
    with Client(gateway) as client:
        client.greet().send_slowly(socks.request("127.0.0.1", 0, BIND))
        reply = client.reply()
        with bind.peer((reply.address, reply.port)) as sock:
            assert client.reply().code == 0
            both_ways(client, sock)


def test_what_the_client_sends_early(gateway):
    """Payload that came with the request, or while the gateway waited, reaches the peer in order."""
    with Client(gateway) as client:
        client.greet().send(socks.request("127.0.0.1", 0, BIND), b"early ")
        reply = client.reply()
        client.send(b"and not so early")
        with bind.peer((reply.address, reply.port)) as sock:
            assert client.reply().code == 0
            client.shut()
            got = b""
            while data := sock.recv(100):
                got += data
            assert got == b"early and not so early"


def test_what_the_peer_sends_early(gateway):
    """A server that speaks first: after the second reply, whole."""
    with Client(gateway) as client:
        at = await_peer(client.greet())
        data = b"".join(servers.chunks(200_000, 9))
        with bind.peer(at) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            assert client.reply().code == 0
            assert client.rest() == data


def test_a_peer_that_resets(gateway):
    with Client(gateway) as client:
        at = await_peer(client.greet())
        sock = bind.peer(at)
        assert client.reply().code == 0
        servers.reset(sock)
        client.ends_or_resets()
    assert gateway.closing(client)["event"] == "session.end"


def test_only_one_peer(gateway):
    """Who comes second, of the right address even, finds nobody."""
    with Client(gateway) as client:
        at = await_peer(client.greet())
        with bind.peer(at) as sock:
            client.reply()
            nobody_listens(at)
            both_ways(client, sock)


# --- strangers ---


def test_strangers_are_closed_and_the_wait_goes_on(gateway):
    with Client(gateway) as client:
        at = await_peer(client.greet())
        for source in ("127.0.0.2", "127.0.0.3", "127.255.255.254"):
            stranger(at, source)
        with bind.peer(at) as sock:
            assert client.reply() == (0, socks.IPV4, *sock.getsockname())
            both_ways(client, sock)
    record = gateway.closing(client)
    assert record["event"] == "session.end" and record["strangers"] == "3"


@pytest.mark.sanitizers
def test_a_flood_of_strangers(gateway):
    with Client(gateway) as client, Client(gateway) as other:
        at = await_peer(client.greet())
        for _ in range(40):
            flood = []
            for i in range(10):
                s = socket.socket()
                s.bind(("127.0.0.2", 0))
                s.setblocking(False)
                s.connect_ex(at)
                flood.append(s)
            for s in flood:
                s.close()
        at_other = await_peer(other.greet())
        with bind.peer(at) as sock, bind.peer(at_other) as sock_other:
            assert client.reply() == (0, socks.IPV4, *sock.getsockname())
            both_ways(client, sock)
            assert other.reply().code == 0
            both_ways(other, sock_other)


def test_strangers_do_not_prolong_the_wait(start):
    gateway = start(timeouts="bind = 1 stop = 2")
    with Client(gateway) as client:
        at = await_peer(client.greet())
        stays(lambda: stranger(at) or True, 0.7)
        assert client.reply().code == 4
        client.ends()
    record = gateway.closing(client)
    assert 0.9 < float(record["duration"]) < 6 and int(record["strangers"]) > 0


# --- names ---


@pytest.mark.parametrize("source", ["127.0.0.3", "127.0.0.4"])
def test_any_address_of_a_name(named, dns, source):
    dns.set("ftp.example.test", a=["127.0.0.3", "127.0.0.4"])
    with Client(named) as client:
        at = await_peer(client.greet(), "FTP.example.test.")
        stranger(at, "127.0.0.1")
        with bind.peer(at, source) as sock:
            assert client.reply() == (0, socks.IPV4, *sock.getsockname())
            both_ways(client, sock)
    record = named.closing(client)
    assert record["destination"] == "ftp.example.test:0" and record["address"].startswith(source)


@pytest.mark.parametrize("behaviour,reason", [
    (None, "nxdomain"), ({}, "no-address"), ({"rcode": "SERVFAIL"}, "servfail"),
    ({"silent": ("A", "AAAA")}, "dns-timeout")])
def test_a_name_without_addresses_is_not_anyone(named, dns, behaviour, reason):
    if behaviour is not None:
        dns.set("bad.example.test", **behaviour)
    with Client(named) as client:
        reply = client.greet().ask("bad.example.test", 0, BIND)
        refused(named, client, reply, 4, "request.failed", reason)


def test_rules_judge_the_peer_that_connects(start, dns):
    """One of the name's addresses is refused: who comes from it is a stranger."""
    gateway = start(extra=NAMED.format(dns.port), rules=[
        gw.rule("not that", "deny", destination=["127.0.0.4/32"]),
        gw.rule("ftp", destination=["ftp.example.test", "127.0.0.3/32"])])
    dns.set("ftp.example.test", a=["127.0.0.3", "127.0.0.4"])
    with Client(gateway) as client:
        at = await_peer(client.greet(), "ftp.example.test")
        stranger(at, "127.0.0.4")
        with bind.peer(at, "127.0.0.3") as sock:
            assert client.reply().code == 0
            both_ways(client, sock)
    assert gateway.closing(client)["rule"] == "ftp"


# --- refused ---


def test_refused_by_rule(gateway):
    with Client(gateway) as client:
        reply = client.greet().ask("192.0.2.1", 20, BIND)
        record = refused(gateway, client, reply, 2, "request.denied", "no-rule")
    assert record["destination"] == "192.0.2.1:20"


def test_a_rule_without_bind(start):
    gateway = start(rules=[gw.rule("others", command=["connect", "udp"], destination=["127.0.0.0/8"])])
    with Client(gateway) as client:
        reply = client.greet().ask("127.0.0.1", 0, BIND)
        refused(gateway, client, reply, 2, "request.denied", "no-rule")


def test_special_destinations(start):
    gateway = start(rules=[gw.rule("all", destination=["0.0.0.0/0", "::/0"])])
    for host in ("127.0.0.1", "::1", "224.0.0.1", "169.254.1.1", "::ffff:127.0.0.1"):
        with Client(gateway) as client:
            reply = client.greet().ask(host, 20, BIND)
            refused(gateway, client, reply, 2, "request.denied", "special-destination")


def test_switched_off(start):
    gateway = start(extra="bind { enabled = false }")
    with Client(gateway) as client:
        reply = client.greet().ask("127.0.0.1", 0, BIND)
        refused(gateway, client, reply, 7, "request.failed", "command-not-supported")


# --- anybody ---


ANY = [gw.rule("anybody", command=["bind"], destination=["0.0.0.0/32", "::/128", "127.0.0.1/32", "127.0.0.2/32"])
       .replace("}\n}", "}\n    bind-any = true\n}")]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_all_zeros_without_bind_any(start, host):
    gateway = start(rules=[ANY[0].replace("bind-any = true", "")])
    with Client(gateway) as client:
        assert client.greet().ask(host, 0, BIND).code == 2
        client.ends()
    assert gateway.closing(client)["event"] == "request.denied"


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
def test_all_zeros_with_bind_any(start, source):
    """Anyone the rules allow, and nobody else. Never told 0.0.0.0, not now either."""
    gateway = start(rules=ANY)
    with Client(gateway) as client:
        at = await_peer(client.greet(), "0.0.0.0")
        stranger(("127.0.0.1", at[1]) if at[0].startswith("127.") else at, "127.0.0.3")
        with bind.peer(at, source) as sock:
            assert client.reply() == (0, socks.IPV4, *sock.getsockname())
            both_ways(client, sock)
    record = gateway.closing(client)
    assert record["address"].startswith(source) and record["rule"] == "anybody"


@pytest.fixture
def routed():
    """A network namespace with a way out."""
    name = f"bind{os.getpid()}"
    run = lambda *words: subprocess.run(["ip", *words], check=True, capture_output=True)
    run("netns", "add", name)
    try:
        run("-n", name, "link", "set", "lo", "up")
        run("-n", name, "link", "add", "out0", "type", "veth", "peer", "name", "out1")
        run("-n", name, "addr", "add", "192.0.2.1/24", "dev", "out0")
        for device in "out0", "out1":
            run("-n", name, "link", "set", device, "up")
        run("-n", name, "route", "add", "default", "via", "192.0.2.254")
        yield name
    finally:
        run("netns", "del", name)


@pytest.mark.skipif(not gw.ROOT, reason="a network namespace needs root")
def test_bind_any_listens_where_the_default_route_leaves(start, routed):
    gateway = start(rules=ANY, netns=routed)

    def session():
        with Client(gateway) as client:
            at = await_peer(client.greet(), "0.0.0.0")
            assert at[0] == "192.0.2.1"
            stranger(at, "127.0.0.3")
            with bind.peer(at, "127.0.0.2") as sock:
                assert client.reply() == (0, socks.IPV4, *sock.getsockname())
                both_ways(client, sock)
    Inside(routed)(session)


def test_bind_any_opens_no_special_peer(start):
    """From loopback nobody may come unless a prefix names it."""
    gateway = start(rules=[ANY[0].replace('"0.0.0.0/32", "::/128", "127.0.0.1/32", "127.0.0.2/32"',
                                          '"0.0.0.0/0", "0.0.0.0/32"')], timeouts="bind = 1 stop = 2")
    with Client(gateway) as client:
        stranger(await_peer(client.greet(), "0.0.0.0"), "127.0.0.1")
        assert client.reply().code == 4
        client.ends()
    assert gateway.closing(client)["strangers"] == "1"


# --- where it listens ---


def test_port_range(start):
    first = free_range(2)
    gateway = start(extra=f"bind {{ port-min = {first} port-max = {first + 1} }}")
    with Client(gateway) as one, Client(gateway) as two, Client(gateway) as three:
        at = await_peer(one.greet())
        assert {at[1], await_peer(two.greet())[1]} == {first, first + 1}
        reply = three.greet().ask("127.0.0.1", 0, BIND)
        assert reply.code == 1
        with bind.peer(at) as sock:  # its port is free again, although the connection stays
            assert one.reply().code == 0
            with Client(gateway) as four:
                again = await_peer(four.greet())
                assert again == at
                with bind.peer(again) as second:
                    assert four.reply().code == 0
                    both_ways(four, second)
            both_ways(one, sock)
    assert gateway.closing(three)["event"] == "request.failed"


def test_advertise(start):
    gateway = start(extra='bind { advertise = "192.0.2.7" }')
    with Client(gateway) as client:
        reply = client.greet().ask("127.0.0.1", 0, BIND)
        assert (reply.code, reply.address) == (0, "192.0.2.7")
        with bind.peer(("127.0.0.1", reply.port)) as sock:
            assert client.reply() == (0, socks.IPV4, *sock.getsockname())
            both_ways(client, sock)


def test_egress_address(start):
    gateway = start(extra='egress { ipv4 = "127.0.0.77" }')
    with Client(gateway) as client:
        at = await_peer(client.greet())
        assert at[0] == "127.0.0.77"
        with bind.peer(at) as sock:
            assert client.reply().code == 0
            both_ways(client, sock)


# --- how the wait ends ---


def test_timeout(start):
    gateway = start(timeouts="bind = 1 stop = 2")
    with Client(gateway) as client:
        at = await_peer(client.greet())
        record = refused(gateway, client, client.reply(), 4, "request.failed", "bind-timeout")
    assert 0.9 < float(record["duration"]) < 8
    nobody_listens(at)


@pytest.mark.parametrize("end", ["close", "reset", "shut"])
def test_the_client_goes_away(gateway, end):
    with Client(gateway) as client:
        at = await_peer(client.greet())
        {"close": client.close, "reset": client.reset, "shut": client.shut}[end]()
        record = gateway.closing(client)
        assert record["event"] == "protocol.error" and record["reason"] in ("client-gone", "client-reset")
        nobody_listens(at)


def test_the_client_goes_away_with_bytes_unread(gateway):
    """What it sent while it waited does not hide its end."""
    with Client(gateway) as client:
        at = await_peer(client.greet())
        client.send(b"x" * 1000).close()
        nobody_listens(at)
    assert gateway.closing(client)["event"] == "protocol.error"


def test_stop_ends_the_wait(start):
    gateway = start()
    with Client(gateway) as client:
        at = await_peer(client.greet())
        gateway.stop()
        client.rest_or_reset()
    assert gateway.closing(client)["reason"] == "shutdown"
    nobody_listens(at)


def test_many_at_once(gateway):
    clients = [Client(gateway).greet() for _ in range(60)]
    places = [await_peer(client) for client in clients]
    assert len(set(places)) == 60
    for client, at in zip(clients, places):
        with bind.peer(at) as sock:
            assert client.reply().code == 0
            both_ways(client, sock)
        client.close()


def test_a_lost_worker_is_audited(start):
    """Who waits and who relays: both end with it, and the master says so."""
    gateway = start(workers=1)
    with Client(gateway) as waiting, Client(gateway) as relaying:
        at = await_peer(waiting.greet())
        with bind.peer(await_peer(relaying.greet())) as sock:
            assert relaying.reply().code == 0
            gateway.wait_event("session.start", client=relaying.name)
            gw.kill(gateway.children("worker")[0], 9)
            for client in (waiting, relaying):
                client.rest_or_reset()
                record = gateway.closing(client)
                assert (record["reason"], record["command"]) == ("worker-lost", "bind")
            turned_away(sock)
        nobody_listens(at)
