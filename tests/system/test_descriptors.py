# SPDX-License-Identifier: ISC
"""Few descriptors: the gateway starts, says what it can serve, serves that, never spins, recovers."""
import contextlib
import re
import subprocess

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
    gateway = start(workers=1, limits="sessions = 3")
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


needs_root = pytest.mark.skipif(not gw.ROOT, reason="another process's descriptors are for root to see")


def soft_limit(gateway, pid, number):
    """Sets it as the gateway's own user, which takes no capability."""
    subprocess.run(["setpriv", f"--reuid={gateway.uid}", f"--regid={gateway.uid}", "--clear-groups",
                    "prlimit", f"--pid={pid}", f"--nofile={number}:"], check=True)


@contextlib.contextmanager
def no_more_descriptors(gateway, pid, but=0):
    """Than those it holds now, and so many: the limit is a number that is free."""
    before, held = limit_of(pid), gw.descriptors(pid)
    soft_limit(gateway, pid, [n for n in range(len(held) + but + 1) if n not in held][but])
    yield
    soft_limit(gateway, pid, before)


def limit_of(pid):
    line = next(l for l in gw.read_proc(pid, "limits").decode().splitlines() if l.startswith("Max open files"))
    return line.split()[3]


@needs_root
def test_descriptors_lost_on_the_way_to_a_worker(start, echo):
    """The kernel drops what the receiver has no room for: counted, told, and no client left hanging."""
    gateway = start(workers=1)
    worker = gateway.children("worker")[0]
    with no_more_descriptors(gateway, worker):
        crowd = [Client(gateway).send(socks.hello(0)) for _ in range(20)]
        for client in crowd:
            client.rest_or_reset()
            assert gateway.closing(client)["reason"] == "descriptor-lost"
        idles(gateway, 0.5)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    assert gateway.children("worker") == [worker]


@needs_root
def test_master_out_of_descriptors(start, echo):
    """The reserve descriptor and a pause; no busy loop, and it goes on when there is room again."""
    gateway = start(workers=1)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        with no_more_descriptors(gateway, gateway.pid):
            crowd = [Client(gateway, deadline=20).send(socks.hello(0)) for _ in range(30)]
            gateway.wait_event("limit.reached", reason="descriptors")
            idles(gateway, 1.0)
            client.echo()
    for client in crowd:
        client.close()
    with Client(gateway) as client:
        client.connect(echo.address).echo()


@needs_root
def test_worker_out_of_descriptors_when_it_dials(start, echo):
    """Reply 1, and the session's record says why."""
    gateway = start(workers=1)
    worker = gateway.children("worker")[0]
    clients = [Client(gateway).greet() for _ in range(3)]
    with no_more_descriptors(gateway, worker):
        for client in clients:
            assert client.ask(*echo.address).code == 1
            assert gateway.closing(client)["reason"] == "internal-error"
    for client in clients:
        client.close()
    with Client(gateway) as client:
        client.connect(echo.address).echo()


@needs_root
def test_auth_process_out_of_descriptors(start, echo):
    """Logins fail; nobody spins; afterwards they work."""
    gateway = start(methods=["userpass"])
    auth = gateway.children("auth")[0]
    with no_more_descriptors(gateway, auth):
        crowd = [Client(gateway).greet(socks.USERPASS).send(socks.login("alice", "wonderland"))
                 for _ in range(10)]
        idles(gateway, 1.0)
    for client in crowd:
        assert client.recv(2) == b"\x01\x01"
        client.close()
        assert gateway.closing(client)["reason"] == "auth-lost"
    wait_until(lambda: works(gateway, echo), 15)


def works(gateway, echo):
    try:
        with Client(gateway, deadline=3) as client:
            client.connect(echo.address, "alice").echo()
        return True
    except (OSError, AssertionError):
        return False


@needs_root
def test_a_successor_that_could_not_start_is_tried_again(start, echo):
    """The one more is for who asks. Its predecessor serves on meanwhile."""
    gateway = start(workers=1, control="")
    old = gateway.children("worker")
    with Client(gateway).connect(echo.address) as client:
        with no_more_descriptors(gateway, gateway.pid, but=1):
            assert gateway.ctl("workers", "replace", "1").returncode == 0
            wait_until(lambda: "starting worker 1: Too many open files" in gateway.stderr(), 5)
            client.echo()
            assert gateway.children("worker") == old
        wait_until(lambda: len(gateway.children("worker")) == 2, 10, "its successor")
        client.echo()
    wait_until(lambda: len(gateway.children("worker")) == 1, 10, "the predecessor has ended")
    assert gateway.children("worker") != old
