# SPDX-License-Identifier: ISC
"""UDP associations where sending itself fails: routes that refuse, an interface with a small MTU. In a
network namespace of their own."""
import subprocess

import pytest

import gateway as gw
from test_request import Inside, namespace  # noqa: F401
from udp import Association, Peer, quiet

pytestmark = pytest.mark.skipif(not gw.ROOT, reason="a network namespace needs root")
REFUSING = {"unreachable": "198.51.101.1", "blackhole": "198.51.102.1", "prohibit": "198.51.103.1",
            "throw": "198.51.104.1", "no-route": "203.0.113.1", "unreachable6": "2001:db8:1::1",
            "prohibit6": "2001:db8:3::1", "no-route6": "2001:db8:9::1"}


@pytest.fixture(scope="module")
def inside(namespace):  # noqa: F811
    return Inside(namespace)


@pytest.fixture(scope="module")
def gateway(start_shared, namespace):  # noqa: F811
    return start_shared(netns=namespace, rules=[
        gw.rule("everything", destination=["0.0.0.0/0", "::/0", "127.0.0.0/8", "::1/128"])])


@pytest.mark.parametrize("host", REFUSING.values(), ids=REFUSING)
def test_routes_that_refuse(gateway, inside, host):
    """Each datagram is lost, counted, and the next one to elsewhere arrives, in the same batch even."""
    def association():
        with Peer() as peer, Peer("::1") as six, Association(gateway) as a:
            for i in range(20):
                a.send((host, 9), b"lost")
                a.send(peer.address, b"%d" % i)
            assert [a.receive().data for _ in range(20)] == [b"%d" % i for i in range(20)]
            a.echo(six.address)
            return a.ended(gateway)
    record = inside(association)
    assert (record["event"], record["reason"]) == ("session.end", "closed")
    assert (record["datagrams_up"], record["datagrams_dropped"]) == ("21", "20")


@pytest.fixture
def small_mtu(namespace):  # noqa: F811
    subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "mtu", "1300"], check=True)
    yield
    subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "mtu", "65536"], check=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_small_mtu(gateway, inside, small_mtu, host):
    """What is larger than the link goes in fragments of IP's own, or is lost; what is smaller arrives."""
    def association():
        with Peer(host) as peer, Association(gateway) as a:
            for size in (1200, 1301, 9000, 60000, 1200):
                a.echo(peer.address, bytes(size))
            quiet(a.sock, seconds=0.05)
            return a.ended(gateway)
    record = inside(association)
    assert (record["event"], record["datagrams_up"]) == ("session.end", "5")
