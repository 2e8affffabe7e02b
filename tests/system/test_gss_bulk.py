# SPDX-License-Identifier: ISC
"""Much through sealed sessions, and many of them at once, each octet checked.

SALLYPORT_BULK is the number of octets that go each way through each session (absent: 32m): 1g for the
figure that a release is tested with."""
import hashlib
import os
import pathlib
import resource
import signal
import subprocess
import sys
import threading

import pytest

import gateway as gw
import servers
import socks
from gssapi_client import (CONFIDENTIALITY, CONTEXT, INTEGRITY, LEVEL, NAMES, NONE, PLAIN_MAX, SELECTIVE,
                           GssClient, frame)
from realm import AES256_SHA1, ENCTYPES

UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
PAIRS = [(level, enctype) for enctype in ENCTYPES for level in (INTEGRITY, CONFIDENTIALITY)]
PAIRS += [(SELECTIVE, AES256_SHA1), (NONE, AES256_SHA1)]


def bulk_size():
    text = os.environ.get("SALLYPORT_BULK") or "32m"
    unit = UNITS.get(text[-1].lower(), 1)
    return int(text[:-1] if unit > 1 else text) * unit


def both_ways(total, seed):
    """A destination that sends so much and reads to the end at the same time."""
    def handler(connection, server):
        def give():
            for piece in servers.chunks(total, seed):
                connection.sendall(piece)
            connection.shutdown(servers.socket.SHUT_WR)
        sender = threading.Thread(target=give)
        sender.start()
        digest, count = hashlib.sha256(), 0
        while data := connection.recv(1 << 18):
            digest.update(data)
            count += len(data)
        sender.join()
        server.note((count, digest.hexdigest()))
    return handler


def send_all(client, total, seed):
    for piece in servers.chunks(total, seed):
        if client.level:
            for i in range(0, len(piece), PLAIN_MAX):
                client.send(client.seal(piece[i:i + PLAIN_MAX]))
        else:
            client.send(piece)
    client.shut()


def read_all(client):
    digest, count = hashlib.sha256(), 0
    reader = client.sock.makefile("rb", 1 << 18)
    while head := reader.read(4) if client.level else reader.read(1 << 18):
        data = head
        if client.level:
            assert head[:2] == b"\x01\x03"
            data, confidential = client.context.unwrap(reader.read(int.from_bytes(head[2:], "big")))
            assert confidential == client.confidential
        digest.update(data)
        count += len(data)
    return count, digest.hexdigest()


@pytest.mark.parametrize("level,enctype", PAIRS, ids=[f"{NAMES[one]}-{e}" for one, e in PAIRS])
def test_bulk_both_ways(gateway, realm, level, enctype):
    total = bulk_size()
    ticket = realm.ticket("alice", enctype)
    with servers.Server(both_ways(total, 2)) as server:
        with GssClient(gateway, ticket, deadline=120) as client:
            client.connect(server.address, level)
            sender = threading.Thread(target=send_all, args=(client, total, 1))
            sender.start()
            got = read_all(client)
            sender.join(60)
        arrived = server.wait_note(60)
    assert got == (total, servers.digest_of(total, 2))
    assert arrived == (total, servers.digest_of(total, 1))
    record = gateway.closing(client)
    assert (record["protection"], record["enctype"]) == (NAMES[level], enctype)
    assert int(record["bytes_up"]) == int(record["bytes_down"]) == total
    for name in ("wire_up", "wire_down") if level else ():
        assert int(record[name]) > total


@pytest.fixture
def many_echoes():
    """An echo server with descriptors of its own."""
    here = pathlib.Path(__file__).resolve().parent
    process = subprocess.Popen([sys.executable, here / "many.py", "server"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    yield "127.0.0.1", int(process.stdout.readline())
    process.stdin.close()
    process.wait(10)


@pytest.fixture
def descriptors_enough():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def clients():
    made = []
    yield made
    for client in made:
        client.close()


def test_1000_sealed_sessions_at_once(start, realm, alice, many_echoes, descriptors_enough, clients):
    """All open, all alive, each with keys of its own."""
    gateway = start(realm=realm, workers=4)
    for i in range(1000):
        client = GssClient(gateway, alice, deadline=60)
        clients.append(client.connect(many_echoes, CONFIDENTIALITY if i % 2 else INTEGRITY))
    for turn in range(3):
        for i, client in enumerate(clients):
            client.put(b"%d of %d" % (turn, i))
        for i, client in enumerate(clients):
            wanted = b"%d of %d" % (turn, i)
            assert client.get(len(wanted)) == wanted
    for client in clients:
        client.shut()
    for client in clients:
        assert client.get_rest() == b""
    gw.wait_until(lambda: sum(r["event"] == "session.end" for r in gateway.events()) == 1000, 30)


def test_300_logins_at_the_same_moment(start, realm, alice, many_echoes, descriptors_enough, clients):
    """Tokens of all first, then the answers: the pool's queue holds them."""
    gateway = start(realm=realm)
    clients += [GssClient(gateway, alice, deadline=60) for _ in range(300)]
    for client in clients:
        client.send(socks.hello(1), frame(CONTEXT, client.context.first))
    for client in clients:
        assert client.recv(2) == b"\x05\x01"
        assert client.context.step(client.message(CONTEXT)) is None
        client.send(frame(LEVEL, client.context.wrap(b"\x02", False)))
    for client in clients:
        assert client.agreed() == CONFIDENTIALITY
        assert client.ask(*many_echoes).code == 0
        client.echo()


def test_worker_lost_with_sealed_sessions(start, realm, alice, echo, clients):
    """Its sessions end, with records that say who and how protected; new ones are served."""
    gateway = start(realm=realm, workers=2)
    clients += [GssClient(gateway, alice).connect(echo.address).echo() for _ in range(6)]
    gw.kill(gateway.children("worker")[0], signal.SIGKILL)
    lost = gw.wait_until(lambda: [r for r in gateway.events() if r.get("reason") == "worker-lost"], 10)
    assert all(r["user"] == "alice@SALLYPORT.TEST" and r["protection"] == "confidentiality"
               for r in lost)

    def served():
        with GssClient(gateway, alice) as client:
            return client.connect(echo.address).echo()
    gw.wait_until(served, 10)
