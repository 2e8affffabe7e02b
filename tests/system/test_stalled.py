# SPDX-License-Identifier: ISC
"""A thousand clients that stop in mid-login, and one more who gets in at once."""
import resource
import signal
import time

import pytest

import gateway as gw
import socks
from socks import Client
from waiting import wait_until

COUNT = 1000


def need_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"needs {count} descriptors in the test, the hard limit is {hard}")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


@pytest.mark.parametrize("where,data", [
    ("method list", b"\x05\x02\x00"), ("name", b"\x01\x05al"), ("password", b"\x01\x05alice\x0awonder"),
    ("request", None)], ids=lambda value: value if isinstance(value, str) else "")
def test_a_thousand_stalled_clients(start, echo, where, data):
    need_descriptors(COUNT + 200)
    gateway = start(methods=["userpass"], workers=2)
    processes = gateway.pids()
    stalled = []
    for _ in range(COUNT):
        client = Client(gateway)
        if where == "method list":
            client.send(data)
        elif where == "request":
            client.send(socks.hello(2), socks.login("alice", "wonderland"), b"\x05\x01\x00")
        else:
            client.send(socks.hello(2), data)
        stalled.append(client)
    if where != "method list":
        for client in stalled:
            assert client.recv(2) == b"\x05\x02"
    began = time.monotonic()
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo()
    took = time.monotonic() - began
    assert took < 3, f"a login took {took:.3f} s"  # who stalls does so for 30
    assert gateway.pids() == processes, "no more processes"
    for client in stalled:
        client.reset()
    wait_until(lambda: len([r for r in gateway.events() if r["event"] in gw.records.CLOSING]) == COUNT + 1, 15)


def test_a_hundred_logins_at_once_that_cost_time(start, echo):
    """While slow hashes are verified, sessions that are already in go on undisturbed."""
    import subprocess
    slow = subprocess.run(["htpasswd", "-nbB", "-C", "10", "slow", "pw"], check=True, capture_output=True,
                          text=True).stdout.strip() + "\n"
    gateway = start(methods=["userpass"], users=gw.alice() + slow, userpass="processes = 1")
    with Client(gateway) as session:
        session.connect(echo.address, "alice").echo()
        guessers = [Client(gateway, deadline=60).greet(2).send(socks.login("slow", f"wrong{i}")) for i in range(100)]
        times = []
        for _ in range(100):
            began = time.monotonic()
            session.echo()
            times.append(time.monotonic() - began)
        times.sort()  # whatever else the machine does: most of them do not wait for a hash of 50 ms
        assert times[60] < 0.03 or times[-1] < 0.3, times[60:]
        for client in guessers[:20]:
            assert client.recv(2) == b"\x01\x01"
        for client in guessers:
            client.close()


def test_a_thousand_logins_before_the_pool_looks(start):
    """More than its queue holds: the rest waits its turn, and nobody's right password is refused."""
    need_descriptors(COUNT + 200)
    gateway = start(methods=["userpass"], workers=1, userpass="processes = 1")
    auth = gateway.children("auth")[0]
    gw.halt(auth)
    crowd = [Client(gateway).send(socks.hello(2), socks.login("alice", "wonderland")) for _ in range(COUNT)]
    for client in crowd:
        assert client.recv(2) == b"\x05\x02"
    for client in crowd[::10]:
        client.reset()
    for client in crowd[::10]:
        assert gateway.closing(client)["event"] in ("protocol.error", "auth.failure")
    gw.kill(auth, signal.SIGCONT)
    for i, client in enumerate(crowd):
        if i % 10 != 0:
            assert client.recv(2) == b"\x01\x00", i
            client.close()
