# SPDX-License-Identifier: ISC
"""Fragments of datagrams: put together, in every broken way dropped."""
import itertools

import pytest

from udp import HEADER, LARGEST, LAST, Association, Peer, quiet
from waiting import stays

LIFE = 5  # seconds that RFC 1928 gives a reassembly queue at least


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared()


def pieces(a, peer, *fragments):
    for fragment, data in fragments:
        a.send(peer.address, data, fragment)


@pytest.mark.parametrize("count", [1, 2, 3, 50, 127])
def test_put_together(gateway, count):
    with Peer() as peer, Association(gateway) as a:
        parts = [b"%d," % i for i in range(1, count + 1)]
        for i, part in enumerate(parts[:-1], 1):
            a.send(peer.address, part, i)
        quiet(a.sock, seconds=0.02)
        a.send(peer.address, parts[-1], count | LAST)
        assert a.receive() == (*peer.address, b"".join(parts))
        a.echo(peer.address)
        assert peer.datas() == [b"".join(parts), b"ping"]


def test_several_in_a_row(gateway):
    with Peer() as peer, Association(gateway) as a:
        for i in range(20):
            pieces(a, peer, (1, b"a%d" % i), (2, b"b"), (3 | LAST, b"c"))
            assert a.receive().data == b"a%dbc" % i


def test_empty_fragments(gateway):
    with Peer() as peer, Association(gateway) as a:
        pieces(a, peer, (1, b""), (2, b"x"), (3 | LAST, b""))
        assert a.receive().data == b"x"


BROKEN = {
    "begins at 2": [(2, b"b"), (3 | LAST, b"c")],
    "only an end": [(5 | LAST, b"e")],
    "one missing": [(1, b"a"), (3, b"c"), (4 | LAST, b"d")],
    "the end too soon": [(1, b"a"), (3 | LAST, b"c")],
    "twice": [(1, b"a"), (2, b"b"), (2, b"b"), (3 | LAST, b"c")],
    "backwards": [(3 | LAST, b"c"), (2, b"b")],
    "lower": [(1, b"a"), (2, b"b"), (3, b"c"), (2, b"b"), (4 | LAST, b"d")],
    "position 0 as the end": [(1, b"a"), (0 | LAST, b"z")],
    "no end": [(1, b"a"), (2, b"b")],
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_sequences(gateway, name):
    """Nothing of them arrives, and what follows is not harmed."""
    with Peer() as peer, Association(gateway) as a:
        pieces(a, peer, *BROKEN[name])
        quiet(a.sock)
        pieces(a, peer, (1, b"good"), (2 | LAST, b" one"))
        assert a.receive().data == b"good one"
        a.echo(peer.address)
        assert peer.datas() == [b"good one", b"ping"]


def test_a_lower_one_begins_anew(gateway):
    """The first fragment of the next datagram drops what was left of the one before."""
    with Peer() as peer, Association(gateway) as a:
        pieces(a, peer, (1, b"old"), (2, b"old"), (1, b"new"), (2 | LAST, b"er"))
        assert a.receive().data == b"newer"


@pytest.mark.parametrize("order", sorted(set(itertools.permutations((1, 2, 3 | LAST))) - {(1, 2, 3 | LAST)}))
def test_every_wrong_order(gateway, order):
    with Peer() as peer, Association(gateway) as a:
        for fragment in order:
            a.send(peer.address, b"%d" % (fragment & 127), fragment)
        a.echo(peer.address)
        quiet(a.sock, seconds=0.05)
        assert peer.datas() == [b"ping"]


def test_of_different_destinations(gateway):
    """A datagram has one."""
    with Peer() as one, Peer() as two, Association(gateway) as a:
        a.send(one.address, b"a", 1)
        a.send(two.address, b"b", 2 | LAST)
        quiet(a.sock)
        a.echo(one.address).echo(two.address)
        assert (one.datas(), two.datas()) == ([b"ping"], [b"ping"])


def test_a_refused_destination(gateway):
    with Peer() as peer, Association(gateway) as a:
        a.send(("192.0.2.1", 9), b"a", 1)
        a.send(("192.0.2.1", 9), b"b", 2 | LAST)
        a.echo(peer.address)


def test_the_largest(gateway):
    """As large as an answer's header leaves room for."""
    size = LARGEST - HEADER
    with Peer() as peer, Association(gateway) as a:
        pieces(a, peer, (1, b"x" * 30000), (2, b"y" * 30000), (3 | LAST, b"z" * (size - 60000)))
        assert a.receive().data == b"x" * 30000 + b"y" * 30000 + b"z" * (size - 60000)


def test_too_large(gateway):
    """More than a datagram holds: dropped whole."""
    with Peer() as peer, Association(gateway) as a:
        for fragment in (1, 2, 3 | LAST):
            a.send(peer.address, b"x" * 30000, fragment)
        for fragment in range(1, 128):
            a.send(peer.address, b"x" * 60000, fragment)
        a.insist(lambda: pieces(a, peer, (1, b"small"), (2 | LAST, b" one")), b"small one")
        assert set(peer.datas()) == {b"small one"}


def test_forgotten_after_a_while(gateway):
    """The queue lives for 5 s at least, and not for long after."""
    with Peer() as peer, Association(gateway) as a, Association(gateway) as b:
        a.send(peer.address, b"a", 1)
        b.send(peer.address, b"a", 1)
        stays(lambda: not peer.notes, LIFE - 1)
        a.send(peer.address, b"b", 2 | LAST)
        assert a.receive().data == b"ab"
        stays(lambda: True, 3)
        b.send(peer.address, b"b", 2 | LAST)
        b.echo(peer.address)
        quiet(b.sock)
        assert peer.datas() == [b"ab", b"ping"]


def test_switched_off(start):
    gateway = start(extra="udp { fragments = false }")
    with Peer() as peer, Association(gateway) as a:
        pieces(a, peer, (1, b"a"), (2 | LAST, b"b"), (1 | LAST, b"c"))
        a.echo(peer.address)
        quiet(a.sock)
        assert peer.datas() == [b"ping"]
