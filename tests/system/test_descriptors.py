# SPDX-License-Identifier: ISC
"""Few descriptors: the gateway starts, says what it can serve, serves that, never spins, recovers."""
import re
import time

import pytest

import gateway as gw
import socks
from socks import Client
from waiting import stays, wait_until


def cpu(gateway):
    return {pid: gw.cpu_seconds(pid) for pid in gateway.pids()}


def idles(gateway, seconds=1.0, most=0.25):
    """No process of it burns CPU."""
    before = cpu(gateway)
    stays(lambda: True, seconds)
    used = {pid: value - before.get(pid, 0) for pid, value in cpu(gateway).items()}
    assert max(used.values()) < most * seconds, used


def promised(gateway):
    return int(re.search(r"sessions: up to (\d+)", gateway.stderr())[1])


@pytest.mark.parametrize("limit", [64, 100, 256])
def test_starts_with_few_descriptors(start, echo, limit):
    gateway = start(nofile=limit, methods=["userpass"], workers=2)
    assert "descriptor" in gateway.stderr() and promised(gateway) >= 4
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo()
    assert gateway.closing(client)["reason"] == "closed"
    idles(gateway)


@pytest.mark.parametrize("limit", [64, 100])
def test_exhausted(start, echo, limit):
    """More clients than it can serve: some are served, the rest wait or are refused, nobody spins, and
    when the crowd is gone everything is as before."""
    gateway = start(nofile=limit, workers=2, methods=["userpass"], timeouts="negotiate = 5 connect = 5 stop = 2")
    crowd = []
    for _ in range(150):
        client = Client(gateway, deadline=20)
        client.send(socks.hello(2), socks.login("alice", "wonderland"), socks.request(*echo.address))
        crowd.append(client)
    started = lambda: sum(r["event"] == "session.start" for r in gateway.events())
    wait_until(lambda: started() >= min(8, promised(gateway)), 10, "what fits is served")
    stays(lambda: gateway.process.poll() is None, 1)
    idles(gateway, 1.5)
    served = [c for c in crowd if answered(c)]
    assert served, "nobody got through"
    for client in served[:3]:
        client.echo()
    for client in crowd:
        client.close()

    def recovered():
        try:
            with Client(gateway, deadline=3) as client:
                client.connect(echo.address, "alice").echo()
            return True
        except (OSError, AssertionError):
            return False
    wait_until(recovered, 20, "it serves again")
    idles(gateway)


def answered(client):
    """The whole of a success, if it came already."""
    client.sock.settimeout(0.01)
    try:
        got = client.sock.recv(14)
    except (TimeoutError, ConnectionResetError):
        return False
    finally:
        client.sock.settimeout(10)
    return len(got) == 14 and got[:5] == b"\x05\x02\x01\x00\x05" and got[5] == 0


def test_waiting_clients_are_served_when_others_leave(start, echo):
    """All workers full: the kernel's backlog queues them, and each gets its turn."""
    gateway = start(workers=1, extra="limits { sessions = 3 }")
    first = [Client(gateway).connect(echo.address) for _ in range(3)]
    waiting = [Client(gateway, deadline=20).send(socks.hello(0), socks.request(*echo.address)) for _ in range(3)]
    started = lambda: sum(r["event"] == "session.start" for r in gateway.events())
    wait_until(lambda: started() == 3, 5)
    stays(lambda: started() == 3, 0.5)
    idles(gateway)
    for client in first:
        client.close()
    for client in waiting:
        assert client.recv(2) == b"\x05\x00" and client.reply().code == 0
        client.echo().close()


def test_a_limit_of_descriptors_is_raised_to_the_hard_one(start):
    """The soft limit is no limit: what counts is the hard one."""
    gateway = start(nofile="64:4096")
    assert promised(gateway) > 1000
