# SPDX-License-Identifier: ISC
"""Sessions that live while the rules change: those no longer allowed end, the others notice nothing."""
import datetime

import pytest

import bind
import gateway as gw
import servers
import socks
from gssapi_client import CONFIDENTIALITY, INTEGRITY, GssClient
from socks import Client
from udp import Association, Peer
from waiting import stays

GONE = "127.0.0.9"
RESOLVER = 'resolver {{ servers = {{ "127.0.0.1:{}" }} timeout = 6 attempts = 1 hosts = false }}'
DENIED = gw.rule("closed", "deny", destination=["gone.example.test", GONE + "/32"])
LATER = gw.rule("later", destination=gw.LOOPBACK)


def ended(gateway, name, rule="closed", detail="rule", event="session.end"):
    record = gateway.closing(name)
    assert (record["event"], record["reason"], record.get("detail")) == (event, "policy", detail), record
    assert record.get("rule") == rule, record
    return record


def reload(gateway, text):
    record = gateway.reload(text)
    assert record["event"] == "gateway.reload", record


def swap(gateway, old, new):
    """The configuration with this in place of that."""
    text = gateway.config_path.read_text()
    assert old in text
    return text.replace(old, new)


def closed(sock):
    sock.settimeout(socks.DEADLINE)
    try:
        assert sock.recv(1) == b""
    except ConnectionResetError:
        pass


@pytest.fixture(scope="module", autouse=True)
def closing(start_shared, echo):
    """A rule whose window closes with the next minute, and a session under it, while other tests run:
    (gateway, its client, a client under a rule without hours, when it closes)."""
    now = datetime.datetime.now()
    end = (now + datetime.timedelta(seconds=63)).replace(second=0, microsecond=0)
    window = f"{now - datetime.timedelta(hours=2):%H:%M}-{end:%H:%M}"
    gateway = start_shared(rules=[gw.rule("until then", time=[window], destination=["127.0.0.1/32"]),
                                  gw.rule("always", destination=[GONE + "/32"])])
    with servers.Server(servers.echo, GONE) as other, Client(gateway) as ends, Client(gateway) as stays_open:
        ends.connect(echo.address).echo()
        stays_open.connect(other.address).echo()
        yield gateway, ends, stays_open, end


@pytest.mark.sanitizers
def test_exactly_those(start, echo, dns):
    """Connections by address and by name, and a BIND before and after its peer has come."""
    dns.set("gone.example.test", a=["127.0.0.1"])
    dns.set("stay.example.test", a=["127.0.0.1"])
    gateway = start(extra=RESOLVER.format(dns.port))
    with servers.Server(servers.echo, GONE) as other:
        clients = {name: Client(gateway) for name in ("address", "name", "waits", "accepted", "stays", "named",
                                                      "still waits", "still accepted")}
        clients["address"].connect(other.address).echo()
        clients["stays"].connect(echo.address).echo()
        clients["name"].connect(("gone.example.test", echo.port)).echo()
        clients["named"].connect(("stay.example.test", echo.port)).echo()
        places = {name: bind.await_peer(clients[name].greet(), host) for name, host in (
            ("waits", GONE), ("still waits", "127.0.0.1"), ("accepted", GONE), ("still accepted", "127.0.0.1"))}
        peers = {name: bind.peer(places[name], host)
                 for name, host in (("accepted", GONE), ("still accepted", "127.0.0.1"))}
        for name in peers:
            assert clients[name].reply().code == 0
        reload(gateway, swap(gateway, gw.ALLOW, DENIED + LATER))
        for name in ("address", "name", "accepted"):
            ended(gateway, clients[name])
            clients[name].ends_or_resets()
        closed(peers["accepted"])
        assert clients["waits"].reply().code == 2
        clients["waits"].ends()
        ended(gateway, clients["waits"], event="request.denied")
        bind.nobody_listens(places["waits"])
        clients["stays"].echo()
        clients["named"].echo()
        bind.both_ways(clients["still accepted"], peers["still accepted"])
        with bind.peer(places["still waits"]) as late:
            assert clients["still waits"].reply().code == 0
            bind.both_ways(clients["still waits"], late)
        for client in clients.values():
            client.close()
        for name in ("stays", "named", "still accepted", "still waits"):
            record = gateway.closing(clients[name])
            assert (record["event"], record["reason"], record["rule"]) == ("session.end", "closed", "later")
        for sock in peers.values():
            sock.close()


@pytest.mark.sanitizers
def test_associations(start):
    """One destination of two is closed: its answers stop, the others go on at once. Then all of UDP is."""
    gateway = start()
    with Peer() as peer, Peer(GONE) as other, Association(gateway) as a, Association(gateway) as b:
        a.echo(peer.address)
        a.echo(other.address)
        b.echo(peer.address)
        (to_gone, _), = other.wait()
        (to_peer, _), *_ = peer.wait()
        reload(gateway, swap(gateway, gw.ALLOW, DENIED + LATER))
        other.sock.sendto(b"late", to_gone)
        peer.sock.sendto(b"unasked", to_peer)
        assert a.receive() == (*peer.address, b"unasked"), "its own answers pass without another question"
        a.send(other.address, b"again")
        a.echo(peer.address)
        assert len(other.datas()) == 1
        reload(gateway, swap(gateway, LATER, gw.rule("tcp", command=["connect"], destination=gw.LOOPBACK)))
        for one in (a, b):
            record = ended(gateway, one.name, None, "no-rule")
            assert record["command"] == "udp"
            one.tcp.ends_or_resets()


def test_before_the_relay(start, echo):
    """Negotiated by the old rules, asked under the new ones; the listener is gone meanwhile."""
    gateway = start(listen=("127.0.0.1:0", "127.0.0.2:0"))
    with Client(gateway.listening[1]) as refused, Client(gateway.listening[1]) as allowed, \
            servers.Server(servers.echo, GONE) as other:
        refused.greet()
        allowed.greet()
        reload(gateway, swap(gateway, gw.ALLOW, DENIED + LATER).replace('listen "127.0.0.2:0" { }\n', ""))
        assert refused.ask(*other.address).code == 2
        assert allowed.ask(*echo.address).code == 0
        allowed.echo()
    assert gateway.closing(refused)["reason"] == "rule"
    record = gateway.closing(allowed)
    assert (record["event"], record["rule"], record["listener"]) == ("session.end", "later", "127.0.0.2:0")


def test_while_it_connects(start):
    """An address that is refused by now is not waited for."""
    gateway = start(rules=[gw.rule("first", destination=[GONE + "/32"])], timeouts="stop = 2 connect = 30")
    reserved, port = servers.dead_port(GONE)
    reserved.close()
    with servers.Full(GONE, port), Client(gateway) as client:
        client.greet().send(socks.request(GONE, port))
        stays(lambda: not gateway.of(client), 0.2)
        reload(gateway, swap(gateway, '"first"', '"second"').replace('action = "allow"', 'action = "deny"'))
        assert client.reply().code == 2
        client.ends()
    assert gateway.closing(client)["rule"] == "second"


@pytest.mark.sanitizers
def test_groups(start, realm, echo):
    """Groups come with the login, and count whenever a rule names them; with sealed messages as without."""
    tickets = {}
    for name in ("games", "mail"):
        realm.run("principal", name, name)
        tickets[name] = realm.ticket(name)
    gateway = start(realm=realm, rules=gw.REALM_USERS)
    with GssClient(gateway, tickets["games"]) as games, GssClient(gateway, tickets["mail"]) as mail:
        games.connect(echo.address, CONFIDENTIALITY).echo()
        mail.connect(echo.address, INTEGRITY).echo()
        reload(gateway, swap(gateway, gw.REALM_USERS, gw.rule("players", group=["games", "nobody here"],
                                                              destination=gw.LOOPBACK)))
        record = ended(gateway, mail, None, "no-rule")
        assert record["user"] == "mail@SALLYPORT.TEST"
        games.echo()
        with GssClient(gateway, tickets["mail"]) as again:
            again.log_in().propose(CONFIDENTIALITY)
            assert again.ask(*echo.address).code == 2
        with GssClient(gateway, tickets["games"]) as again:
            again.connect(echo.address).echo()
        assert gateway.closing(again)["rule"] == "players"
        reload(gateway, swap(gateway, 'rule "players"',
                             gw.rule("no players", "deny", group=["games"]) + 'rule "players"'))
        ended(gateway, games, "no players")


def day(offset):
    return (datetime.datetime.now() + datetime.timedelta(days=offset)).strftime("%a")


def test_time_windows(start, echo):
    """Today and tomorrow are open; then neither of them is. (Midnight may come in between.)"""
    def hours(*offsets):
        return gw.rule("hours", time=[",".join(day(n) for n in offsets)], destination=gw.LOOPBACK)
    open_now, closed_now = hours(-1, 0, 1), hours(3, 4)
    gateway = start(rules=open_now)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        reload(gateway, swap(gateway, open_now, closed_now))
        ended(gateway, client, None, "no-rule")
    with Client(gateway) as client:
        assert client.greet().ask(*echo.address).code == 2


def test_a_shorter_idle_time(start, echo):
    """Sessions that are idle already get the new time too."""
    gateway = start(timeouts="stop = 2 idle = 5000")
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        reload(gateway, swap(gateway, "idle = 5000", "idle = 1"))
        assert gateway.closing(client)["reason"] == "idle-timeout"


def test_events_and_egress(start, echo):
    """Settings that new sessions take: which records are written, and where connections come from."""
    seen = []

    def note(connection, server):
        seen.append(connection.getpeername()[0])
        servers.echo(connection, server)
    gateway = start(methods=("userpass",), events="session")
    with servers.Server(note) as target:
        with Client(gateway) as client:
            client.connect(target.address, user="alice").echo()
        gateway.closing(client)
        reload(gateway, swap(gateway, 'events = "session"', 'events = "all"')
               + 'egress { ipv4 = "127.0.0.5" }\n')
        with Client(gateway) as later:
            later.connect(target.address, user="alice").echo()
        gateway.closing(later)
    assert seen == ["127.0.0.1", "127.0.0.5"]
    assert "auth.success" not in {r["event"] for r in gateway.of(client)}
    assert "auth.success" in {r["event"] for r in gateway.of(later)}


def test_a_window_that_closes(closing, echo):
    """Nobody reloads: the session ends with the minute, the other one and the gateway go on."""
    gateway, ends, stays_open, end = closing
    left = (end - datetime.datetime.now()).total_seconds()
    if left > 1:
        ends.echo()
    gateway.closing(ends, left + 10)
    record = ended(gateway, ends, None, "time")
    closed_at = datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00")).timestamp()
    assert 0 <= closed_at - end.timestamp() < 5, (closed_at, end)
    stays_open.echo()
    with Client(gateway) as client:
        assert client.greet().ask(*echo.address).code == 2
