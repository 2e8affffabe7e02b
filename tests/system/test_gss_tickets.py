# SPDX-License-Identifier: ISC
"""Tickets: used twice, too late, too early, by a clock that is wrong; and sessions that outlive
theirs."""
import threading
import time

import socks
from gssapi_client import CONFIDENTIALITY, CONTEXT, REFUSAL, Context, GssClient, frame
from realm import clock_off, lives_longer
from waiting import stays, wait_until

SERVICE = "rcmd/localhost"


def answer(gateway, token):
    """What the gateway says to this first token, and the closing record."""
    with GssClient(gateway) as client:
        client.offer().send(frame(CONTEXT, token))
        said = client.recv(2)
        if said == REFUSAL:
            client.ends()
    return said, gateway.closing(client)


def refused(gateway, token, word):
    said, record = answer(gateway, token)
    assert said == REFUSAL and record["event"] == "auth.failure", record
    assert (record["reason"], record["detail"]) == ("bad-credentials", word), record


# --- the replay cache ---


def test_a_token_twice(gateway, alice):
    token = Context(alice).first
    assert answer(gateway, token)[0] == b"\x01\x01"
    for _ in range(3):
        refused(gateway, token, "replayed-token")
    assert answer(gateway, Context(alice).first)[0] == b"\x01\x01"


def test_a_token_twice_at_once(start, realm, alice):
    """The processes of the pool share the cache: of twenty at the same moment one gets in."""
    gateway = start(realm=realm, gssapi="processes = 4")
    token, said = Context(alice).first, []
    clients = [GssClient(gateway).offer() for _ in range(20)]
    gate = threading.Barrier(len(clients))

    def one(client):
        gate.wait()
        client.send(frame(CONTEXT, token))
        said.append(client.recv(2))
        client.close()
    threads = [threading.Thread(target=one, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(said) == [b"\x01\x01"] + [REFUSAL] * 19


def test_a_token_twice_across_a_restart(start, realm, alice):
    """The cache is in its folder, not in a process."""
    gateway = start(realm=realm)
    token = Context(alice).first
    assert answer(gateway, token)[0] == b"\x01\x01"
    gateway.stop()
    again = start(realm=realm, uid=gateway.uid, gssapi=f'replay-cache = "{gateway.folder}/rcache"')
    refused(again, token, "replayed-token")


def test_the_environment_does_not_weaken_it(start, realm, alice, echo):
    """Of Kerberos' variables KRB5_CONFIG and KRB5_TRACE alone reach the pool."""
    gateway = start(realm=realm, start=False, env={
        "KRB5RCACHENAME": "none:", "KRB5RCACHETYPE": "none", "KRB5RCACHEDIR": "/nonexistent",
        "KRB5_KTNAME": "FILE:/nonexistent", "KRB5_CLIENT_KTNAME": "FILE:/nonexistent",
        "KRB5CCNAME": "FILE:/nonexistent", "GSS_MECH_CONFIG": "/nonexistent"})
    trace = gateway.folder / "trace"
    gateway.env["KRB5_TRACE"] = str(trace)
    gateway.start()
    token = Context(alice).first
    assert answer(gateway, token)[0] == b"\x01\x01"
    refused(gateway, token, "replayed-token")
    said = trace.read_bytes()
    assert b"rcmd/localhost" in said and b"/nonexistent" not in said


def test_a_replay_cache_that_cannot_be_written(start, realm, alice, echo):
    """No login without it, and a word that says so; sessions go on."""
    gateway = start(realm=realm)
    with GssClient(gateway, alice) as client:
        client.connect(echo.address)
        folder = gateway.folder / "rcache"
        folder.rename(gateway.folder / "gone")
        refused(gateway, Context(alice).first, "replay-cache-failed")
        client.echo()
        (gateway.folder / "gone").rename(folder)
        assert answer(gateway, Context(alice).first)[0] == b"\x01\x01"


def test_without_a_replay_cache(start, realm, alice):
    """replay-cache = "": documented to let a token in twice."""
    gateway = start(realm=realm, gssapi='replay-cache = ""')
    token = Context(alice).first
    assert answer(gateway, token)[0] == b"\x01\x01"
    assert answer(gateway, token)[0] == b"\x01\x01"


def test_the_replay_caches_folder(start, realm, alice):
    """Made by the master, for the pool's user alone."""
    gateway = start(realm=realm)
    answer(gateway, Context(alice).first)
    folder = gateway.folder / "rcache"
    assert folder.stat().st_mode & 0o777 == 0o700 and list(folder.iterdir())


# --- clocks ---


def test_clock_skew(gateway, realm):
    ticket = realm.service_ticket(SERVICE).changed(clock_off(3600))
    refused(gateway, Context(ticket).first, "clock-skew")


def test_a_small_skew_is_allowed(gateway, realm, echo):
    ticket = realm.service_ticket(SERVICE).changed(clock_off(120))
    with GssClient(gateway, ticket) as client:
        client.connect(echo.address).echo()


def test_a_ticket_from_the_future(gateway, realm):
    ticket = realm.service_ticket(SERVICE, "alice", "-s", "2h")
    ticket = ticket.changed(clock_off(2 * 3600 + 60))
    refused(gateway, Context(ticket).first, "ticket-not-yet-valid")


def over(ticket):
    """It has ended, as its owner sees it."""
    return ticket.ends() <= time.time()


def expired(realm, service=SERVICE):
    """A ticket that ended some seconds ago, whose owner does not believe it."""
    ticket = realm.service_ticket(service, "alice", "-l", "1s")
    wait_until(lambda: over(ticket), 10, "the ticket ends")
    return ticket.changed(lives_longer(36_000))


def test_an_expired_ticket(start, realm):
    gateway = start(realm=realm, krb5_config=realm.configured(clockskew="1"))
    ticket = expired(realm)

    def is_refused():
        return answer(gateway, Context(ticket).first)[0] == REFUSAL
    wait_until(is_refused, 10, "more than the allowed skew")
    refused(gateway, Context(ticket).first, "ticket-expired")


def test_a_ticket_that_ended_within_the_skew(start, realm, alice, echo):
    """Kerberos would let it in for five minutes; a session that ends with its ticket cannot begin."""
    gateway = start(realm=realm)
    ticket = expired(realm)
    with GssClient(gateway, ticket) as client:
        client.offer().send(frame(CONTEXT, client.context.first))
        client.rest_or_reset()
    record = gateway.closing(client)
    assert record["event"] == "auth.failure" and "expired" in (record["reason"] + record.get("detail", ""))


# --- the end of the ticket ---


def test_a_session_ends_with_its_ticket(start, realm, alice, echo):
    gateway = start(realm=realm)
    with GssClient(gateway, alice) as other:
        other.connect(echo.address)
        ticket = realm.service_ticket(SERVICE, "alice", "-l", "5s")
        with GssClient(gateway, ticket, deadline=20) as client:
            client.connect(echo.address).echo()
            assert not client.rest_or_reset()
        record = gateway.closing(client)
        assert (record["event"], record["reason"]) == ("session.end", "ticket-expired")
        assert record["user"] == "alice@SALLYPORT.TEST"
        assert float(record["duration"]) < 8
        other.echo()


def test_a_session_that_does_not_end_with_its_ticket(start, realm, echo):
    gateway = start(realm=realm, gssapi="end-with-ticket = false")
    ticket = realm.service_ticket(SERVICE, "alice", "-l", "4s")
    with GssClient(gateway, ticket) as client:
        client.connect(echo.address).echo()
        stays(lambda: client.echo(), 5, "the session goes on")
    assert gateway.closing(client)["reason"] == "closed"


def test_a_ticket_that_ends_before_the_request(start, realm, echo):
    gateway = start(realm=realm)
    ticket = realm.service_ticket(SERVICE, "alice", "-l", "4s")
    with GssClient(gateway, ticket) as client:
        assert client.log_in().propose(CONFIDENTIALITY) == CONFIDENTIALITY
        wait_until(lambda: over(ticket), 10, "the ticket ends")
        client.put(socks.request(*echo.address))
        client.rest_or_reset()
    record = gateway.closing(client)
    assert record["reason"] == "ticket-expired" and record["user"] == "alice@SALLYPORT.TEST"


# --- without a KDC ---


def test_the_kdc_is_down(start, realm, echo):
    """An acceptor needs none: neither to log in with a cached service ticket, nor to start."""
    gateway = start(realm=realm)
    ticket = realm.service_ticket(SERVICE)
    with realm.kdc_down():
        with GssClient(gateway, ticket) as client:
            client.connect(echo.address).echo()
        with GssClient(start(realm=realm), ticket) as client:
            client.connect(echo.address).echo()


def test_no_krb5_conf_at_all(start, realm, alice, echo):
    """The gateway's host needs none either, as long as the keytab names the realm."""
    gateway = start(realm=realm, krb5_config="/nonexistent/krb5.conf")
    with GssClient(gateway, alice) as client:
        client.connect(echo.address).echo()
    assert gateway.closing(client)["user"] == "alice@SALLYPORT.TEST"
