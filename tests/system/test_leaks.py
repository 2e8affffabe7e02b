# SPDX-License-Identifier: ISC
"""Nothing is left behind: the descriptors of every process before and after hundreds of sessions
that end badly, each with its one closing record."""
import random

import pytest

import gateway as gw
import servers
import socks
from socks import Client, hello, login, request
from waiting import wait_until


def bad_sessions(echo, refused_port):
    """Bytes to send, and what the client does then."""
    alice = hello(2) + login("alice", "wonderland")
    return [
        (b"", "close"), (b"", "reset"), (b"\x05", "close"), (b"\x05\x00", "read"), (b"\x04\x01", "reset"),
        (b"GET / HTTP/1.0\r\n\r\n", "read"), (hello(0), "read"), (hello(2), "reset"),
        (hello(2) + b"\x05\x01a\x01b", "read"), (hello(2) + login("", ""), "read"),
        (hello(2) + login("alice", "wrong"), "read"), (hello(2) + login("nobody", "x"), "read"),
        (hello(2) + login("alice", "wrong"), "reset"), (alice, "close"), (alice, "reset"),
        (alice + request("127.0.0.1", 80, command=2), "close"), (alice + b"\x05\x01\0\x09", "read"),
        (alice + request("127.0.0.1", 80, command=2), "reset"),
        (alice + request("127.0.0.1", 80, command=2) + b"data", "shut"),
        (alice + request("192.0.2.1", 80, command=2), "read"),
        (alice + request("127.1", 80), "read"), (alice + request("192.0.2.1", 80), "read"),
        (alice + request("nx.example.test", 80), "read"), (alice + request("nx.example.test", 80), "reset"),
        (alice + request("silent.example.test", 80), "reset"),
        (alice + request("127.0.0.1", refused_port), "read"),
        (alice + request("127.0.0.1", refused_port) + b"x" * 100_000, "read"),
        (alice + request(*echo.address) + b"data", "reset"),
        (alice + request(*echo.address) + b"data", "close"),
        (alice + request(*echo.address) + b"x" * 300_000, "reset"),
        (alice + request(*echo.address) + b"data", "shut"),
        (alice + request("both.example.test", echo.port), "shut"),
        (alice + request("127.0.0.3", refused_port), "reset"),
    ]


def finish(client, how):
    try:
        if how == "reset":
            client.reset()
        elif how == "close":
            client.close()
        else:
            if how == "shut":
                client.shut()
            client.rest_or_reset()
    finally:
        client.close()


@pytest.mark.sanitizers
def test_descriptors_before_and_after(start, echo, dns):
    # With so few descriptors a worker keeps no pair of a login for the next one: the numbers are exact.
    gateway = start(methods=["userpass"], workers=2, userpass="processes = 2", nofile=1000,
                    timeouts="negotiate = 3 connect = 2 stop = 2",
                    extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 1 attempts = 1 }}')
    dns.set("silent.example.test", silent=("A", "AAAA"))
    dns.set("both.example.test", a=["127.0.0.1"], aaaa=["::1"])
    holder, port = servers.dead_port()
    try:
        count = {pid: len(gw.descriptors(pid)) for pid in gateway.pids()}
    except PermissionError:
        pytest.skip("descriptors of processes that shed their privileges are for root to see")
    rng, made, opened = random.Random(4), 0, []
    with holder, servers.Full("127.0.0.3", port):
        with Client(gateway) as client:  # what is opened once, at first use, counts as before
            client.connect(("both.example.test", echo.port), "alice").echo()
        gateway.closing(client)
        before = settled_counts(gateway)
        for _ in range(20):
            for data, how in rng.sample(bad_sessions(echo, port), k=len(bad_sessions(echo, port))):
                client = Client(gateway, deadline=15)
                opened.append(client.name)
                try:
                    client.send(data)
                    finish(client, how)
                except (BrokenPipeError, ConnectionResetError):
                    client.close()
                made += 1
        closings = lambda: [r for r in gateway.events() if r["event"] in gw.records.CLOSING]
        # A connection that never said anything may be gone before the kernel hands it out.
        quiet = sum(data == b"" for data, _ in bad_sessions(echo, port)) * 20
        wait_until(lambda: len(closings()) >= made - quiet, 30, "closing records")
    assert set(count) == set(gateway.pids()), "no process was replaced"
    wait_until(lambda: now(gateway) == before, 20, lambda: f"{now(gateway)} as before: {before}")


def now(gateway):
    return {pid: len(gw.descriptors(pid)) for pid in gateway.pids()}


def settled_counts(gateway):
    last = [now(gateway), 0]

    def same():
        current = now(gateway)
        last[1] = last[1] + 1 if current == last[0] else 0
        last[0] = current
        return last[1] > 30
    wait_until(same, 20)
    return last[0]
