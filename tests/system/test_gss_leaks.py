# SPDX-License-Identifier: ISC
"""Nothing is left behind by Kerberos logins and sealed sessions that end badly: descriptors, memory,
conversations; and what breaks around them breaks them no further than it must."""
import os
import random
import signal

import pytest

import gateway as gw
import socks
from gssapi_client import (CONFIDENTIALITY, CONTEXT, GSSAPI, INTEGRITY, LEVEL, NONE, SPNEGO, Context,
                           GssClient, frame)
from test_leaks import finish, now, settled_counts
from waiting import wait_until


def bad_sessions(alice, echo):
    """(how the client begins: a function of it, what it does then)"""
    def after_login(more):
        def play(client):
            client.log_in()
            client.send(more(client))
        return play

    def relaying(more, level=CONFIDENTIALITY):
        def play(client):
            client.connect(echo.address, level)
            client.send(more(client))
        return play

    def bytes_only(data):
        return lambda client: client.send(socks.hello(GSSAPI), data)
    token = frame(CONTEXT, Context(alice).first)
    return [
        (bytes_only(b""), "reset"), (bytes_only(b"\x01"), "read-shut"), (bytes_only(token[:200]), "reset"),
        (bytes_only(frame(CONTEXT, os.urandom(3000))), "read"), (bytes_only(b"\x01\xff"), "read"),
        (bytes_only(token), "reset"), (bytes_only(frame(CONTEXT, Context(alice, mech=SPNEGO).first)), "close"),
        (after_login(lambda c: b""), "reset"), (after_login(lambda c: b"\x05\x01\x00"), "read"),
        (after_login(lambda c: frame(LEVEL, c.context.wrap(b"\x09", False))), "read"),
        (after_login(lambda c: frame(LEVEL, c.context.wrap(b"\x02", False))), "reset"),
        (after_login(lambda c: frame(LEVEL, c.context.wrap(b"\x02", False))[:9]), "close"),
        (relaying(lambda c: c.seal(b"x" * 60_000)), "reset"), (relaying(lambda c: c.seal(b"x" * 60_000)), "close"),
        (relaying(lambda c: c.seal(b"x" * 60_000)[:30_000]), "reset"), (relaying(lambda c: c.seal(b"x")), "shut"),
        (relaying(lambda c: c.seal(b"x")[:-1]), "shut"), (relaying(lambda c: b"plain"), "read"),
        (relaying(lambda c: c.seal(b"x") * 2, INTEGRITY), "read"), (relaying(lambda c: b"plain", NONE), "shut"),
    ]


def play(gateway, alice, begin, how):
    client = GssClient(gateway, alice, deadline=20)
    try:
        begin(client)
        if how == "read-shut":
            client.shut()
        finish(client, how)
    except (BrokenPipeError, ConnectionResetError):
        client.close()


@pytest.mark.sanitizers
@pytest.mark.skipif(not gw.ROOT, reason="needs root: descriptors of processes that shed their privileges")
def test_descriptors_and_memory_before_and_after(start, realm, alice, echo):
    gateway = start(realm=realm, gssapi='mechanisms = { "krb5", "spnego" } protection = { '
                    '"confidentiality", "integrity", "none" }')
    pids = gateway.pids()
    sessions, rng = bad_sessions(alice, echo), random.Random(7)
    for begin, how in sessions * 2:  # what is opened or grows once, at first use
        play(gateway, alice, begin, how)
    before, memory = settled_counts(gateway), {pid: gw.memory_kb(pid) for pid in pids}
    for _ in range(15):
        for begin, how in rng.sample(sessions, k=len(sessions)):
            play(gateway, alice, begin, how)
    assert pids == gateway.pids(), "no process was replaced"
    wait_until(lambda: now(gateway) == before, 20, lambda: f"{now(gateway)} as before: {before}")
    grown = {pid: gw.memory_kb(pid) - memory[pid] for pid in pids}
    if b"/libasan" not in gw.read_proc(gateway.pid, "maps"):  # it keeps freed memory for a while
        assert max(grown.values()) < 2048, grown


@pytest.mark.skipif(not gw.ROOT, reason="needs root: descriptors of processes that shed their privileges")
def test_keytabs_that_change(start, realm, alice):
    """Good ones and bad ones, a login after each: of those before nothing is kept."""
    gateway = start(realm=realm)
    usual = realm.usual_keytab

    def change(times):
        for i in range(times):
            gateway.write_keytab((usual, usual[:-3], usual + b"\xff\xff\xff\xfc" + bytes(4))[i % 3])
            gateway.reload()
            with GssClient(gateway, alice) as client:
                client.log_in()
    change(6)
    before = settled_counts(gateway)
    change(30)
    wait_until(lambda: now(gateway) == before, 20, lambda: f"{now(gateway)} as before: {before}")


def test_half_done_logins_do_not_block_others(start, realm, alice, echo):
    """Hundreds of clients that stop inside a token hold no process of the pool."""
    gateway = start(realm=realm, gssapi='mechanisms = { "krb5", "spnego" } processes = 1')
    waiting = [GssClient(gateway) for _ in range(300)]
    try:
        for i, client in enumerate(waiting):
            client.send(socks.hello(GSSAPI), frame(CONTEXT, Context(alice).first)[:100 + i % 100])
        for _ in range(5):
            with GssClient(gateway, alice, deadline=5) as client:
                client.connect(echo.address).echo()
    finally:
        for client in waiting:
            client.close()


def test_sealed_sessions_outlive_the_pool_and_the_master(start, realm, alice, echo):
    """Keys and order are the worker's: who else dies does not matter to them."""
    gateway = start(realm=realm, lossy=True)
    clients = [GssClient(gateway, alice).connect(echo.address, 1 + i % 2).echo() for i in range(6)]
    workers = gateway.children("worker")
    for pid in [*gateway.children("auth"), gateway.pid]:
        gw.kill(pid, signal.SIGKILL)
    gateway.process.wait(10)
    try:
        for _ in range(20):
            for client in clients:
                client.echo(os.urandom(1000))
    finally:
        for client in clients:
            client.close()
        gateway.stopped = True
        try:
            wait_until(lambda: not any(gw.alive(pid) for pid in workers), 20, "workers end without a master")
        finally:
            for pid in workers:
                gw.kill(pid, signal.SIGKILL)


def test_a_worker_stopped_during_logins(start, realm, alice, echo):
    """The others serve; its own logins go on where they were."""
    gateway = start(realm=realm, workers=2)
    logins = [GssClient(gateway, alice).offer() for _ in range(2)]  # one at each worker
    stopped = gateway.children("worker")[0]
    gw.halt(stopped)
    try:
        def served():
            client = GssClient(gateway, alice, deadline=1)
            try:
                return client.connect(echo.address).echo()
            except (TimeoutError, OSError):
                return None
            finally:
                client.close()
        wait_until(served, 10)
    finally:
        os.kill(stopped, signal.SIGCONT)
    for client in logins:
        with client:
            client.rounds()
            assert client.propose(CONFIDENTIALITY) == CONFIDENTIALITY
            assert client.ask(*echo.address).code == 0
            client.echo()
    workers = {gateway.wait_event("session.start", client=client.name)["worker"] for client in logins}
    assert workers == {"1", "2"}, "the one that was stopped had one of them"
