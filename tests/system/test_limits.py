# SPDX-License-Identifier: ISC
"""Limits per client and user, and penalties for failed logins: what is refused and what is not, that the
counts are right whatever happens, and that a flood of refusals is none in the log."""
import contextlib
import signal
import time

import pytest

import gateway as gw
import socks
from gssapi_client import CONTEXT, GSSAPI, frame
from socks import Client
from udp import Association, Peer
from waiting import wait_until

OTHER = "127.0.0.2"  # another client


def users():
    return gw.alice() + gw.user_line("bob", "builder")


def let_in(gateway, source=None):
    """True when a connection of that client is answered. It is over then."""
    with Client(gateway, source=source) as client:
        try:
            client.send(socks.hello(socks.NONE, socks.USERPASS))
            return client.sock.recv(1) == b"\x05"
        except (ConnectionResetError, BrokenPipeError):
            return False


def log_in(gateway, user, password, source=None):
    """None: not even let in."""
    with Client(gateway, source=source) as client:
        try:
            return client.log_in(user, password) == 0
        except (ConnectionResetError, BrokenPipeError, AssertionError):
            return None


def refused_at_the_door(gateway, reason):
    """How many connections the records tell of; and no two of the same window."""
    records = [r for r in gateway.events() if r["event"] == "limit.reached" and r["reason"] == reason]
    return sum(int(r.get("count", 1)) for r in records)


def penalties(gateway):
    return [r for r in gateway.events() if r["event"] == "limit.penalty"]


def standing(gateway):
    done = gateway.ctl("penalties")
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if "127.0.0." in line]


def sessions_end(gateway, *clients):
    for client in clients:
        client.close()
        gateway.closing(client)


# --- counts ---


def test_sessions_per_client(start, echo):
    gateway = start(limits="sessions-per-client = 3 failure-window = 1")
    held = [Client(gateway).connect(echo.address) for _ in range(3)]
    assert not let_in(gateway)
    others = [Client(gateway, source=OTHER).connect(echo.address) for _ in range(3)]
    assert not let_in(gateway, OTHER)
    for client in held + others:
        client.echo()
    record = gateway.wait_event("limit.reached")
    assert record["reason"] == "sessions-per-client" and record["client"].startswith("127.0.0.1:")
    assert "session" in record and "count" not in record
    sessions_end(gateway, held.pop())
    wait_until(lambda: let_in(gateway), 5)
    sessions_end(gateway, *held, *others)


def test_a_flood_of_refusals_is_told_in_few_records(start, echo):
    gateway = start(limits="sessions-per-client = 1 failure-window = 1")
    begin = time.monotonic()
    with Client(gateway).connect(echo.address):
        tried = 200
        for _ in range(tried):
            assert not let_in(gateway)
        wait_until(lambda: refused_at_the_door(gateway, "sessions-per-client") == tried, 5)
    told = [r for r in gateway.events() if r["event"] == "limit.reached"]
    assert 2 <= len(told) <= 3 + time.monotonic() - begin, told
    assert "session" in told[0] and all("session" not in r and int(r["count"]) > 0 for r in told[1:])


def refuse_three(gateway, echo):
    """Of which one is told at once."""
    with Client(gateway).connect(echo.address) as held:
        for _ in range(3):
            assert not let_in(gateway)
    assert gateway.closing(held)
    assert refused_at_the_door(gateway, "sessions-per-client") == 1


def test_refusals_are_told_before_the_end(start, echo):
    gateway = start(limits="sessions-per-client = 1 failure-window = 3600")
    refuse_three(gateway, echo)
    gateway.stop()
    records = gateway.events()
    assert refused_at_the_door(gateway, "sessions-per-client") == 3
    assert records[-1]["event"] == "gateway.stop" and records[-2]["event"] == "limit.reached"


def test_a_shorter_window_holds_for_refusals_before(start, echo):
    gateway = start(limits="sessions-per-client = 1 failure-window = 3600")
    refuse_three(gateway, echo)
    text = gateway.config_text(limits="sessions-per-client = 1 failure-window = 1")
    assert gateway.reload(text)["event"] == "gateway.reload"
    wait_until(lambda: refused_at_the_door(gateway, "sessions-per-client") == 3, 5)


def test_refusals_name_the_listener_that_went(start, echo):
    """And not the one that has its number then."""
    gateway = start(listen=("127.0.0.1:0", "127.0.0.2:0"), limits="sessions-per-client = 1 failure-window = 3600")
    refuse_three(gateway, echo)
    text = gateway.config_path.read_text()
    for listen in ("127.0.0.3:0", "127.0.0.4:0"):
        assert gateway.reload(text.replace("127.0.0.1:0", listen))["event"] == "gateway.reload"
    gateway.stop()
    told = [r for r in gateway.events() if r["event"] == "limit.reached"]
    assert [(r["listener"], r.get("count")) for r in told] == [("127.0.0.1:0", None), ("127.0.0.1:0", "2")]


@pytest.mark.parametrize("method", ["none", "userpass"])
def test_pending_per_client(start, echo, method):
    """Over with the login, with the request where there is none, or with the connection."""
    gateway = start(methods=[method], limits="pending-per-client = 4")
    offer = socks.NONE if method == "none" else socks.USERPASS
    held = [Client(gateway) for _ in range(4)]
    for client in held:
        client.send(socks.hello(offer))
        assert client.recv(2) == bytes([5, offer])
    assert not let_in(gateway)
    assert Client(gateway, source=OTHER).greet(offer)
    if method == "none":
        assert held[0].ask(*echo.address).code == 0
    else:
        held[0].send(socks.login("alice", "wonderland"))
        assert held[0].recv(2) == b"\x01\x00"
    wait_until(lambda: let_in(gateway), 5, "a place")
    held[1].close()
    held[2].reset()
    new = []

    def another():
        client = Client(gateway)
        try:
            client.send(socks.hello(offer))
            client.recv(2)
        except (AssertionError, ConnectionResetError, BrokenPipeError):
            return False
        new.append(client)
        return True
    for _ in range(3):
        wait_until(another, 5)
    assert not let_in(gateway)
    gateway.wait_event("limit.reached", reason="pending-per-client")


def test_a_burst_is_no_hoard(start, echo):
    """Many more at once than may be pending, all of which say at once what they want: all are served."""
    gateway = start(limits="pending-per-client = 16")
    clients = [Client(gateway) for _ in range(200)]
    for client in clients:
        client.send(socks.hello(socks.NONE) + socks.request(*echo.address) + b"ping")
    for client in clients:
        assert client.recv(2) == b"\x05\x00" and client.reply().code == 0 and client.recv(4) == b"ping"
        client.close()
    assert not any(r["event"] == "limit.reached" for r in gateway.events())


def test_who_waits_is_refused_when_it_ends(start):
    gateway = start(limits="pending-per-client = 2")
    held = [Client(gateway).greet() for _ in range(2)]
    with Client(gateway) as client:
        client.send(socks.hello(socks.NONE))
        client.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.sock.recv(1)
        gateway.process.terminate()
        client.sock.settimeout(5)
        client.ends_or_resets()
    for client in held:
        client.rest_or_reset()
    gateway.wait_event("limit.reached", reason="pending-per-client")


def test_sessions_per_user(start, echo):
    """Whatever address they come from; the login succeeds, the request is refused."""
    gateway = start(methods=["userpass"], users=users(), limits="sessions-per-user = 2", workers=2)
    held = [Client(gateway).connect(echo.address, "alice"),
            Client(gateway, source=OTHER).connect(echo.address, "alice")]
    with Client(gateway, source="127.0.0.3") as client:
        assert client.log_in("alice") == 0
        assert client.ask(*echo.address).code == 2
        client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"], record["user"]) == ("limit.reached", "sessions-per-user", "alice")
    with Client(gateway).connect(echo.address, "bob", "builder") as client:
        client.echo()
    sessions_end(gateway, held.pop())

    def in_again():
        with Client(gateway) as client:
            assert client.log_in("alice") == 0
            return client.ask(*echo.address).code == 0
    wait_until(in_again, 5)
    for client in held:
        client.echo()


def test_counts_after_a_crash(start, echo):
    """All sessions of a dead worker, and no others, are off the counts."""
    gateway = start(methods=["userpass"], users=users(), workers=2,
                    limits="sessions-per-client = 4 sessions-per-user = 2 pending-per-client = 4")

    def hold(*login):
        try:
            return Client(gateway).connect(echo.address, *login) if login else Client(gateway).greet(socks.USERPASS)
        except (AssertionError, ConnectionResetError, BrokenPipeError):
            return None  # a session that has just ended may still be counted
    for _ in range(3):
        held = [wait_until(lambda: hold("alice"), 5), wait_until(lambda: hold("alice"), 5),
                wait_until(lambda: hold("bob", "builder"), 5), wait_until(hold, 5)]
        assert not let_in(gateway)
        pids = gateway.children("worker")
        for pid in pids:
            gw.kill(pid, signal.SIGKILL)
        for client in held:
            assert gateway.closing(client)["reason"] == "worker-lost"
            client.close()
        wait_until(lambda: len(set(gateway.children("worker")) - set(pids)) == 2, 10)


def test_limits_change_with_a_reload(start, echo):
    gateway = start(methods=["userpass"], users=users())
    held = [Client(gateway).connect(echo.address, "alice") for _ in range(3)]

    def limits(text):
        assert gateway.reload(gateway.config_text(methods=["userpass"], limits=text))["event"] == "gateway.reload"
    limits("sessions-per-client = 3")
    assert not let_in(gateway)
    limits("sessions-per-user = 3")
    with Client(gateway) as client:
        assert client.log_in("alice") == 0 and client.ask(*echo.address).code == 2
    limits("pending-per-client = 1")
    with Client(gateway).connect(echo.address, "alice") as client, Client(gateway) as pending:
        client.echo()
        pending.greet(socks.USERPASS)
        assert not let_in(gateway)
        limits("")
        assert let_in(gateway)
        limits("pending-per-client = 1")
        assert let_in(gateway)  # the one from before counts no more
    for client in held:
        client.echo()


# --- lookups ---


def test_one_clients_lookups_leave_room_for_others(start, echo, dns):
    """512 associations ask for eight names each that nobody answers: 4,096, all that a worker has."""
    names = [f"silent{i}.example.test" for i in range(8)]
    for name in names:
        dns.set(name, silent=("A", "AAAA"))
    dns.set("www.example.test", a=[echo.address[0]])
    gateway = start(workers=1, extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 30 }}')
    with Peer() as peer, contextlib.ExitStack() as stack:
        for _ in range(512):
            association = stack.enter_context(Association(gateway))
            for name in names:
                association.send((name, 53), b"?")
            association.echo(peer.address)  # behind the others
        with Client(gateway) as client:
            assert client.greet().ask("www.example.test", echo.address[1]).code != 0  # it has had its share
        with Client(gateway, source=OTHER) as client:
            client.connect(("www.example.test", echo.address[1])).echo()


# --- penalties ---


def test_a_user_from_a_client(start):
    """The password is right, the penalty stands; nobody else feels it, and it ends and grows."""
    gateway = start(methods=["userpass"], users=users(), limits="failures = 3 penalty = 4", control="")
    for _ in range(3):
        assert log_in(gateway, "alice", "wrong") is False
    record = gateway.wait_event("limit.penalty")
    assert (record["claimed"], record["count"], record["seconds"]) == ("alice", "3", "4")
    assert record["client"].startswith("127.0.0.1:")
    with Client(gateway) as client:
        assert client.log_in("alice", "wonderland") == 1
    failure = gateway.closing(client)
    assert (failure["reason"], failure["detail"]) == ("bad-credentials", "penalty")
    assert log_in(gateway, "bob", "builder")
    assert log_in(gateway, "alice", "wonderland", OTHER)
    wait_until(lambda: not standing(gateway), 10, "the end of the penalty")
    wait_until(lambda: log_in(gateway, "alice", "wonderland"), 5, "the pool heard of it a little later")
    for _ in range(3):
        assert log_in(gateway, "alice", "wrong") is False
    wait_until(lambda: len(penalties(gateway)) == 2, 5)
    assert penalties(gateway)[1]["seconds"] == "8"


def test_a_successor_knows_the_penalties(start):
    gateway = start(methods=["userpass"], users=users(), limits="failures = 2 penalty = 600", control="")
    for _ in range(2):
        assert log_in(gateway, "alice", "wrong") is False
    gateway.wait_event("limit.penalty")
    pids = gateway.children("auth")
    for pid in pids:
        gw.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(gateway.children("auth")) - set(pids)) == len(pids), 10)
    wait_until(lambda: log_in(gateway, "bob", "builder"), 10)
    assert log_in(gateway, "alice", "wonderland") is False
    assert len(standing(gateway)) == 1
    done = gateway.ctl("penalties", "clear")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: log_in(gateway, "alice", "wonderland"), 5)
    assert not standing(gateway)


def test_a_client_that_sprays(start):
    """Four times the failures with ever other names: closed at the door; a client elsewhere is not."""
    gateway = start(methods=["userpass"], users=users(), limits="failures = 2 penalty = 600")
    for i in range(8):
        assert log_in(gateway, f"user{i}", "wrong") is False
    record = gateway.wait_event("limit.penalty")
    assert "claimed" not in record and record["count"] == "8" and record["seconds"] == "600"
    assert not let_in(gateway)
    assert log_in(gateway, "alice", "wonderland") is None
    assert log_in(gateway, "alice", "wonderland", OTHER)
    gateway.wait_event("limit.reached", reason="penalty")


def test_bad_tokens_count_for_the_client(start, realm):
    gateway = start(realm=realm, limits="failures = 3 penalty = 600")
    for i in range(3):
        with Client(gateway) as client:
            client.greet(GSSAPI).send(frame(CONTEXT, b"\x60\x10no token at all!"))
            client.rest_or_reset()
    record = gateway.wait_event("limit.penalty")
    assert "claimed" not in record and record["count"] == "3"
    assert not let_in(gateway)
    assert let_in(gateway, OTHER)
