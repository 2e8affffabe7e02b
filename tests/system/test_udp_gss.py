# SPDX-License-Identifier: ISC
"""UDP ASSOCIATE under GSS-API: each datagram a message of the association's context, which may be lost or
overtaken, and counts once."""
import random

import pytest

import gateway as gw
from gssapi_client import CONFIDENTIALITY, DATA, INTEGRITY, LEVEL, NAMES, NONE, SELECTIVE, Flag, GssClient, frame
from realm import ENCTYPES
from udp import LARGEST, LAST, Association, Peer, Sealed, header, quiet, udp_socket, wait_refused

PROTECTED = [INTEGRITY, CONFIDENTIALITY, SELECTIVE]
UNORDERED = (Flag.mutual_authentication, Flag.confidentiality, Flag.integrity)
both = pytest.mark.parametrize("level", [INTEGRITY, CONFIDENTIALITY], ids=NAMES.get)


@pytest.mark.parametrize("level", PROTECTED, ids=NAMES.get)
def test_there_and_back(gateway, alice, level):
    with Peer() as peer, Sealed(gateway, alice, level) as a:
        a.send(peer.address, b"sealed")
        assert a.receive() == (*peer.address, b"sealed")
        for i in range(50):
            a.echo(peer.address, b"%d" % i)
        assert peer.datas()[0] == b"sealed"
        record = a.ended(gateway)
    assert (record["event"], record["command"]) == ("session.end", "udp")
    assert (record["protection"], record["user"]) == (NAMES[level], "alice@SALLYPORT.TEST")
    assert record["datagrams_up"] == record["datagrams_down"] == "51"


@pytest.mark.parametrize("enctype", ENCTYPES)
def test_every_enctype(gateway, realm, enctype):
    with Peer() as peer, Sealed(gateway, realm.ticket("alice", enctype), CONFIDENTIALITY) as a:
        a.echo(peer.address).echo(peer.address, bytes(1400))
        assert a.ended(gateway)["enctype"] == enctype


def test_level_none(gateway, alice):
    """Authenticated, and datagrams as they are."""
    tcp = GssClient(gateway, alice)
    assert tcp.log_in().propose(NONE) == NONE
    with Peer() as peer, Association(gateway, tcp=tcp) as a:
        a.echo(peer.address)
        record = a.ended(gateway)
    assert (record["protection"], record["user"]) == ("none", "alice@SALLYPORT.TEST")


@both
def test_lost_datagrams_are_harmless(gateway, alice, level):
    with Peer() as peer, Sealed(gateway, alice, level) as a:
        for i in range(200):
            sealed = a.seal(peer.address, b"%d" % i)
            if i % 7 == 0:
                a.put(sealed)
                assert a.receive().data == b"%d" % i
        assert len(peer.notes) == 29


@both
def test_overtaken_datagrams_are_relayed(gateway, alice, level):
    with Peer(answer=lambda data: None) as peer, Sealed(gateway, alice, level) as a:
        sealed = [a.seal(peer.address, b"%d" % i) for i in range(30)]
        random.Random(4).shuffle(sealed)
        for one in sealed:
            a.put(one)
        assert sorted(int(data) for _, data in peer.wait(30)) == list(range(30))


@both
def test_replayed_datagrams_are_dropped(gateway, alice, level):
    with Peer() as peer, Sealed(gateway, alice, level) as a:
        sealed = [a.seal(peer.address, b"%d" % i) for i in range(5)]
        for one in sealed + sealed + [sealed[2]] * 5:
            a.put(one)
        a.send(peer.address, b"last")
        assert [a.receive().data for _ in range(6)] == [b"0", b"1", b"2", b"3", b"4", b"last"]
        quiet(a.sock)
        assert len(peer.notes) == 6
        assert int(a.ended(gateway)["datagrams_dropped"]) == 10


@both
def test_a_replay_from_elsewhere_moves_nothing(gateway, alice, level):
    with Peer() as peer, udp_socket() as thief, Sealed(gateway, alice, level) as a:
        sealed = a.seal(peer.address, b"once")
        a.put(sealed)
        assert a.receive().data == b"once"
        a.put(sealed, thief)
        quiet(thief)
        a.echo(peer.address)
        quiet(thief, seconds=0.05)


@both
def test_a_verified_datagram_moves_the_client(gateway, alice, level):
    """Another port, as behind NAT: what verifies moves it, and answers follow."""
    with Peer() as peer, udp_socket() as second, Sealed(gateway, alice, level) as a:
        a.echo(peer.address)
        a.echo(peer.address, b"moved", sock=second)
        peer.sock.sendto(b"follows", peer.notes[0][0])
        assert a.receive(second).data == b"follows"
        quiet(a.sock, seconds=0.05)


def test_the_first_that_verifies_fixes_the_client(gateway, alice):
    with Peer() as peer, udp_socket() as noise, Sealed(gateway, alice, CONFIDENTIALITY) as a:
        for data in (b"x", header(*peer.address) + b"clear", frame(DATA, b"y" * 60), frame(DATA)):
            a.put(data, noise)
        a.echo(peer.address)
        quiet(noise, seconds=0.05)


@both
def test_another_address_even_with_a_good_datagram(gateway, alice, level):
    """Only the address of the TCP connection may send."""
    with Peer() as peer, udp_socket("127.0.0.2") as other, Sealed(gateway, alice, level) as a:
        a.put(a.seal(peer.address, b"elsewhere"), other)
        quiet(other)
        a.echo(peer.address)
        assert peer.datas() == [b"ping"]


@both
def test_corrupted_datagrams_are_dropped(gateway, alice, level):
    """Each octet of a datagram changed once, the RRC field of its token apart, which may change nothing."""
    with Peer() as peer, Sealed(gateway, alice, level) as a:
        whole = a.seal(peer.address, b"corrupted")
        changed = 0
        for at in range(len(whole)):
            if at in (4 + 6, 4 + 7):
                continue
            one = bytearray(whole)
            one[at] ^= 1 << (at % 8)
            a.put(bytes(one))
            changed += 1
        a.echo(peer.address)
        quiet(a.sock)
        assert peer.datas() == [b"ping"]
        assert int(a.ended(gateway)["datagrams_dropped"]) == changed


@both
@pytest.mark.parametrize("cut", [0, 1, 3, 4, 10, 20, -1])
def test_cut_datagrams_are_dropped(gateway, alice, level, cut):
    with Peer() as peer, Sealed(gateway, alice, level) as a:
        a.put(a.seal(peer.address, b"cut")[:cut])
        a.put(a.seal(peer.address, b"longer") + b"x")
        a.echo(peer.address)
        quiet(a.sock, seconds=0.05)
        assert peer.datas() == [b"ping"]
        assert a.ended(gateway)["datagrams_dropped"] == "2"


def test_unprotected_datagrams_are_dropped(gateway, alice):
    with Peer() as peer, Sealed(gateway, alice, CONFIDENTIALITY) as a:
        Association.send(a, peer.address, b"clear")
        a.put(frame(DATA, header(*peer.address) + b"clear"))
        a.put(frame(LEVEL, a.tcp.context.wrap(header(*peer.address) + b"type", True)))
        a.echo(peer.address)
        quiet(a.sock)
        assert peer.datas() == [b"ping"]
        assert a.ended(gateway)["datagrams_dropped"] == "3"


def test_integrity_is_not_enough_where_confidentiality_was_agreed(gateway, alice):
    with Peer() as peer, Sealed(gateway, alice, CONFIDENTIALITY) as a:
        a.put(a.tcp.seal(header(*peer.address) + b"weak", confidential=False))
        a.echo(peer.address)
        quiet(a.sock)
        assert peer.datas() == [b"ping"]
        assert a.ended(gateway)["datagrams_dropped"] == "1"


def test_a_datagram_of_another_association(gateway, alice):
    """Sealed by another context of the same user."""
    with Peer() as peer, Sealed(gateway, alice, CONFIDENTIALITY) as a, Sealed(gateway, alice, CONFIDENTIALITY) as b:
        b.put(a.seal(peer.address, b"stray"))
        b.echo(peer.address)
        a.echo(peer.address)
        assert peer.datas() == [b"ping", b"ping"]
        assert b.ended(gateway)["datagrams_dropped"] == "1"


@both
def test_fragments(gateway, alice, level):
    """Each a message of its own."""
    with Peer() as peer, Sealed(gateway, alice, level) as a:
        a.send(peer.address, b"one ", 1)
        a.send(peer.address, b"two", 2 | LAST)
        assert a.receive().data == b"one two"


@both
def test_sizes(gateway, alice, level):
    """Up to what fits a datagram with its protection; what is larger is dropped and counted.
    (A context that looks at the sequence would not open what follows: its library calls a gap an error.)"""
    with Peer() as peer, Sealed(gateway, alice, level, flags=UNORDERED) as a:
        overhead = len(a.seal(peer.address, bytes(1000))) - 1000
        room = LARGEST - overhead
        while len(a.seal(peer.address, bytes(room))) > LARGEST:
            room -= 1
        a.echo(peer.address, b"x" * room)
        peer.answer = lambda data: bytes(room + 1)
        a.send(peer.address, b"too large to come back")
        quiet(a.sock)
        peer.answer = lambda data: data
        a.echo(peer.address)
        assert int(a.ended(gateway)["datagrams_dropped"]) == 1


def test_names(start, realm, dns, alice):
    gateway = start(realm=realm, rules=gw.REALM_USERS, extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} }}')
    dns.set("slow.example.test", a=["127.0.0.1"], delay={"A": 0.3, "AAAA": 0.3})
    with Peer() as peer, Sealed(gateway, alice, CONFIDENTIALITY) as a:
        for i in range(3):
            a.send(("slow.example.test", peer.port), b"%d" % i)
        assert [a.receive().data for _ in range(3)] == [b"0", b"1", b"2"]


def test_garbage_on_its_connection_ends_it(gateway, alice):
    """The connection is protected as well: what does not open there ends the association."""
    with Peer() as peer, Sealed(gateway, alice, CONFIDENTIALITY) as a:
        a.echo(peer.address)
        a.tcp.send(b"in the clear")
        record = gateway.closing(a)
    assert (record["event"], record["reason"]) == ("session.end", "protection-violation")


def test_it_ends_with_its_ticket(start, realm):
    gateway = start(realm=realm, rules=gw.REALM_USERS)
    ticket = realm.service_ticket("rcmd/localhost", "alice", "-l", "4s")
    with Peer() as peer, Sealed(gateway, ticket, CONFIDENTIALITY) as a:
        a.echo(peer.address)
        a.tcp.rest_or_reset()
        record = gateway.closing(a)
        wait_refused(a.sock, a.relay)
    assert (record["event"], record["reason"]) == ("session.end", "ticket-expired")


@pytest.mark.sanitizers
def test_random_mutations(gateway, alice):
    """Whatever becomes of a good datagram: relayed as it was, or dropped."""
    rng = random.Random(7)
    with Peer(answer=lambda data: data if data == b"last" else None) as peer, \
            Sealed(gateway, alice, CONFIDENTIALITY) as a:
        for _ in range(300):
            data = bytearray(a.seal(peer.address, b"good"))
            for _ in range(rng.randrange(1, 4)):
                kind = rng.randrange(3)
                at = rng.randrange(len(data) or 1)
                if kind == 0 and data:
                    data[at] = rng.randrange(256)
                elif kind == 1:
                    del data[at:at + rng.randrange(1, 20)]
                else:
                    data[at:at] = rng.randbytes(rng.randrange(1, 20))
            a.put(bytes(data))
        a.insist(lambda: a.send(peer.address, b"last"))
        assert set(peer.datas()) <= {b"good", b"last"}
