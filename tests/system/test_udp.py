# SPDX-License-Identifier: ISC
"""UDP ASSOCIATE: destinations of every kind, whose datagrams count, how an association ends."""
import pytest

import gateway as gw
import socks
from ports import free_port, free_range
from udp import HEADER, LARGEST, Association, Peer, header, quiet, udp_socket, wait_refused
from waiting import stays, wait_until

BOTH = [gw.rule("both", destination=["127.0.0.0/8", "::1/128"])]


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(listen=["127.0.0.1:0", "[::1]:0"], rules=BOTH)


@pytest.fixture
def named(start, dns):
    return start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 6 attempts = 1 hosts = false }}')


def test_there_and_back(gateway):
    with Peer() as peer, Association(gateway) as a:
        assert a.answer.address == "127.0.0.1" and a.answer.port != 0
        a.send(peer.address, b"one")
        assert a.receive() == (*peer.address, b"one")
        (source, data), = peer.wait()
        assert data == b"one" and source[0] == "127.0.0.1" and source[1] != a.relay[1]


def test_records(gateway):
    """One start, one end, counts of payload."""
    with Peer() as peer, Association(gateway) as a:
        for data in (b"", b"x", b"y" * 1000):
            a.echo(peer.address, data)
        start = gateway.wait_event("session.start", client=a.name)
        record = a.ended(gateway)
    assert start["command"] == record["command"] == "udp" and start["reply"] == "0"
    assert record["event"] == "session.end" and record["reason"] == "closed"
    assert (record["bytes_up"], record["bytes_down"]) == ("1001", "1001")
    assert (record["datagrams_up"], record["datagrams_down"]) == ("3", "3")
    assert [r["event"] for r in gateway.of(a.name)].count("session.end") == 1


def test_to_ipv6(gateway):
    with Peer("::1") as peer, Association(gateway) as a:
        a.send(peer.address, b"six")
        assert a.receive() == ("::1", peer.port, b"six")


def test_client_on_ipv6(gateway):
    with Peer() as four, Peer("::1") as six:
        tcp = socks.Client(gateway.listening[1]).greet()
        with Association(gateway, hint=("::", 0), source="::1", tcp=tcp) as a:
            assert a.answer.atyp == socks.IPV6 and a.answer.address == "::1"
            a.send(four.address, b"four")
            assert a.receive() == (*four.address, b"four")
            a.echo(six.address, b"six")


def test_mapped_ipv4_destination(gateway):
    """::ffff:127.0.0.1 is 127.0.0.1."""
    with Peer() as peer, Association(gateway) as a:
        a.echo(("::ffff:127.0.0.1", peer.port))


def test_many_destinations_at_once(gateway):
    with Peer() as one, Peer("127.0.0.2") as two, Peer("::1") as three, Association(gateway) as a:
        for peer in (one, two, three) * 5:
            a.send(peer.address, str(peer.port).encode())
        came = [a.receive() for _ in range(15)]
        assert sorted(came) == sorted((*p.address, str(p.port).encode()) for p in (one, two, three) * 5)
        sources = {source for p in (one, two) for source, _ in p.notes}
        assert len(sources) == 1, "one association has one address towards all"


# --- names ---


def test_names(named, dns):
    dns.set("four.example.test", a=["127.0.0.1"])
    with Peer() as peer, Association(named) as a:
        a.send(("four.example.test", peer.port), b"by name")
        assert a.receive() == (*peer.address, b"by name")
        a.echo(("FOUR.example.test.", peer.port))


def test_datagrams_wait_for_their_name_in_order(named, dns):
    dns.set("slow.example.test", a=["127.0.0.1"], delay={"A": 0.4, "AAAA": 0.4})
    with Peer() as peer, Peer() as other, Association(named) as a:
        for i in range(5):
            a.send(("slow.example.test", peer.port), b"%d" % i)
        a.send(other.address, b"others do not wait")
        assert a.receive().address == other.address[0]
        assert not peer.notes
        assert [data for _, data in peer.wait(5)] == [b"0", b"1", b"2", b"3", b"4"]


def test_a_name_that_does_not_exist(named, dns):
    with Peer() as peer, Association(named) as a:
        a.send(("nowhere.example.test", peer.port), b"lost")
        wait_until(lambda: dns.count("nowhere.example.test", "A"), 5)
        a.echo(peer.address)
        quiet(a.sock)
        assert peer.datas() == [b"ping"]


def test_a_name_that_never_answers(named, dns):
    """What waits for it is bounded and forgotten; the rest goes on."""
    dns.set("silent.example.test", silent=("A", "AAAA"))
    with Peer() as peer, Association(named) as a:
        for _ in range(3000):
            a.send(("silent.example.test", peer.port), b"x" * 1000)
        a.insist(lambda: a.send(peer.address, b"last"))
        assert a.ended(named)["event"] == "session.end"


def test_rebinding_does_not_reach_loopback(start, dns):
    """A name whose address no rule opens."""
    gateway = start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 6 attempts = 1 }}',
                    rules=[gw.rule("names", destination=["*.example.test", "127.0.0.2/32"])])
    dns.set("evil.example.test", a=["127.0.0.1"])
    dns.set("good.example.test", a=["127.0.0.2"])
    with Peer("127.0.0.2") as good, Peer("127.0.0.1", port=good.port) as inside, Association(gateway) as a:
        a.send(("evil.example.test", good.port), b"evil")
        a.echo(("good.example.test", good.port))
        quiet(a.sock)
        assert inside.notes == []


# --- whose datagrams count ---


def test_the_first_datagram_fixes_the_port(gateway):
    with Peer() as peer, udp_socket() as second, Association(gateway) as a:
        a.echo(peer.address)
        a.send(peer.address, b"from elsewhere", sock=second)
        quiet(second)
        a.echo(peer.address)
        quiet(second, seconds=0.05)
        assert peer.datas() == [b"ping", b"ping"]


@pytest.mark.parametrize("spoofer", ["127.0.0.2", "127.0.0.3"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_spoofed_source(gateway, spoofer, when):
    """Another address of the same host: not relayed, and it locks nobody out."""
    with Peer() as peer, udp_socket(spoofer) as other, Association(gateway) as a:
        if when == "after":
            a.echo(peer.address)
        for _ in range(5):
            a.send(peer.address, b"spoofed", sock=other)
        quiet(other)
        a.echo(peer.address)
        quiet(other, seconds=0.05)
        assert b"spoofed" not in peer.datas()


@pytest.mark.parametrize("hint", [("127.0.0.2", 0), ("192.0.2.1", 53), ("::1", 9)])
def test_a_hint_is_not_trusted(gateway, hint):
    with Peer() as peer, udp_socket("127.0.0.2") as other, Association(gateway, hint=hint) as a:
        a.send(peer.address, b"spoofed", sock=other)
        quiet(other)
        a.echo(peer.address)
        assert peer.datas() == [b"ping"]


def test_a_true_hint(gateway):
    with Peer() as peer, udp_socket() as sock:
        with Association(gateway, hint=sock.getsockname()) as a:
            a.echo(peer.address, sock=sock)


def test_a_malformed_datagram_fixes_nothing(gateway):
    with Peer() as peer, udp_socket() as noise, Association(gateway) as a:
        for data in (b"", b"\0", b"\0\0\0\x09", b"\0\1\0\1" + bytes(20)):
            a.put(data, noise)
        a.echo(peer.address)
        assert a.ended(gateway)["datagrams_dropped"] == "4"


@pytest.mark.parametrize("data", [
    b"", b"\0", b"\0\0\0", b"\0\0\0\1", b"\0\0\0\1\x7f\0\0\1\0", b"\0\0\0\4" + bytes(17), b"\0\0\0\3",
    b"\0\0\0\3\0\0\x35", b"\0\0\0\3\xff" + b"n" * 100, b"\0\0\0\3\4a\0bc\0\x35x", b"\0\0\0\3\3a b\0\x35x",
    b"\0\0\0\2" + bytes(20), b"\0\0\0\0" + bytes(20), b"\0\0\0\xff" + bytes(20)],
    ids=["empty", "one", "three", "no-address", "half-port", "ipv6-short", "no-length", "name-of-0",
         "name-short", "nul", "space", "atyp-2", "atyp-0", "atyp-ff"])
def test_malformed_headers(gateway, data):
    """Dropped, and the association goes on."""
    with Peer() as peer, Association(gateway) as a:
        a.echo(peer.address)
        a.put(data)
        a.echo(peer.address, b"after")
        quiet(a.sock, seconds=0.05)
        assert peer.datas() == [b"ping", b"after"]
        assert a.ended(gateway)["datagrams_dropped"] == "1"


@pytest.mark.parametrize("reserved", [b"\0\1", b"\1\0", b"\xff\xff", b"\5\3"])
def test_wrong_rsv(gateway, reserved):
    with Peer() as peer, Association(gateway) as a:
        a.put(header(*peer.address, reserved=reserved) + b"wrong")
        a.echo(peer.address)
        assert peer.datas() == [b"ping"]


def test_port_0(gateway):
    with Peer() as peer, Association(gateway) as a:
        a.send(("127.0.0.1", 0), b"nowhere")
        a.echo(peer.address)
        assert a.ended(gateway)["datagrams_dropped"] == "1"


# --- rules ---


def test_rules_for_each_destination(start):
    gateway = start(rules=[gw.rule("not that", "deny", destination=["127.0.0.2/32"]),
                           gw.rule("loopback", destination=["127.0.0.0/8"])])
    with Peer() as good, Peer("127.0.0.2") as bad, Association(gateway) as a:
        for i in range(10):
            a.send(bad.address, b"bad")
            a.echo(good.address, b"%d" % i)
        a.send(bad.address, b"bad")
        quiet(a.sock)
        assert bad.notes == []


def test_rules_see_the_port(start):
    with Peer() as good, Peer() as bad:
        gateway = start(rules=[gw.rule("one port", destination=["127.0.0.0/8"], port=[str(good.port)])])
        with Association(gateway) as a:
            a.send(bad.address, b"bad")
            a.echo(good.address)
            quiet(a.sock)
            assert bad.notes == []


def test_a_rule_without_udp(start):
    gateway = start(rules=[gw.rule("tcp", command=["connect", "bind"], destination=["127.0.0.0/8"])])
    with socks.Client(gateway) as client:
        assert client.greet().ask("0.0.0.0", 0, socks.ASSOCIATE).code == 2
        client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["command"]) == ("request.denied", "udp")


def test_special_destinations(start):
    """No list that merely contains them opens them."""
    gateway = start(rules=[gw.rule("all", destination=["0.0.0.0/0", "::/0"])])
    with Peer() as peer, Peer("::1") as six, Association(gateway) as a:
        for host in ("127.0.0.1", "127.9.9.9", "0.0.0.0", "::ffff:127.0.0.1", "255.255.255.255", "224.0.0.1"):
            a.send((host, peer.port), b"special")
        for host in ("::1", "::", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::"):
            a.send((host, six.port), b"special")
        quiet(a.sock)
        assert peer.notes == [] and six.notes == []
        record = a.ended(gateway)
    assert (record["event"], record["datagrams_up"], record["datagrams_dropped"]) == ("session.end", "0", "11")


def test_switched_off(start):
    gateway = start(extra="udp { enabled = false }")
    with socks.Client(gateway) as client:
        assert client.greet().ask("0.0.0.0", 0, socks.ASSOCIATE).code == 7
        client.ends()
    assert gateway.closing(client)["reason"] == "command-not-supported"


# --- what comes back ---


@pytest.mark.parametrize("filtering,port,address", [("endpoint", False, False), ("address", True, False),
                                                    ("none", True, True)])
def test_filtering(start, filtering, port, address):
    """Whose datagrams come back to a client that wrote to one address and port."""
    gateway = start(extra=f'udp {{ filtering = "{filtering}" }}')
    with Peer() as peer, Association(gateway) as a, udp_socket() as near, udp_socket("127.0.0.2") as far:
        a.echo(peer.address)
        egress = peer.notes[0][0]
        near.sendto(b"other port", egress)
        if port:
            assert a.receive() == (*near.getsockname(), b"other port")
        far.sendto(b"other address", egress)
        if address:
            assert a.receive() == (*far.getsockname(), b"other address")
        quiet(a.sock)
        a.echo(peer.address)


def test_a_refused_destination_opens_nothing_back(start):
    gateway = start(rules=[gw.rule("one", destination=["127.0.0.1/32"])])
    with Peer() as good, Peer("127.0.0.2") as bad, Association(gateway) as a:
        a.send(bad.address, b"refused")
        a.echo(good.address)
        bad.sock.sendto(b"uninvited", good.notes[0][0])
        quiet(a.sock)


# --- sizes ---


def test_largest_datagrams(gateway):
    with Peer() as peer, Association(gateway) as a:
        data = bytes(range(256)) * 256
        a.echo(peer.address, data[:LARGEST - HEADER])
        a.echo(peer.address)
        assert len(peer.notes[0][1]) == LARGEST - HEADER


def test_an_answer_too_large_for_its_header(start):
    gateway = start()
    with Peer(answer=lambda data: bytes(int(data))) as peer, Association(gateway) as a:
        for size in (LARGEST, LARGEST - HEADER + 1):
            a.send(peer.address, b"%d" % size)
        quiet(a.sock)
        a.send(peer.address, b"%d" % (LARGEST - HEADER))
        assert len(a.receive().data) == LARGEST - HEADER
        assert int(a.ended(gateway)["datagrams_dropped"]) == 2


def test_a_burst(gateway):
    """Batches, in order."""
    with Peer() as peer, Association(gateway) as a:
        for start in range(0, 1000, 50):
            for i in range(start, start + 50):
                a.send(peer.address, b"%d" % i)
            for i in range(start, start + 50):
                assert a.receive().data == b"%d" % i
        record = a.ended(gateway)
    assert record["datagrams_up"] == record["datagrams_down"] == "1000"


# --- errors and ends ---


def test_icmp_errors_are_harmless(gateway):
    holders = [udp_socket("127.0.0.1") for _ in range(20)]
    for holder in holders:
        holder.connect(("127.0.0.1", 9))  # so it is nobody else's, and refuses who is not its peer
    with Peer() as peer, Association(gateway) as a:
        for holder in holders * 10:
            a.send(holder.getsockname(), b"nobody there")
            a.echo(peer.address)
        assert a.ended(gateway)["event"] == "session.end"
    for holder in holders:
        holder.close()


def test_a_client_whose_port_closed(gateway):
    """The client's own host answers with ICMP: the association stays, and a new socket on the same
    port goes on with it."""
    port = free_port()
    with Peer() as peer, Association(gateway) as a:
        a.sock.close()
        a.sock = udp_socket(port=port)
        a.echo(peer.address)
        a.sock.close()
        for _ in range(5):
            peer.sock.sendto(b"nobody there", peer.notes[0][0])
        a.sock = udp_socket(port=port)
        a.send(peer.address, b"back again")
        while (data := a.receive().data) != b"back again":
            assert data == b"nobody there"  # late, and the socket was there again


@pytest.mark.parametrize("end", ["close", "reset", "shut"])
def test_it_ends_with_its_connection(gateway, end):
    with Peer() as peer, Association(gateway) as a:
        a.echo(peer.address)
        {"close": a.tcp.close, "reset": a.tcp.reset, "shut": a.tcp.shut}[end]()
        record = gateway.closing(a)
        assert record["event"] == "session.end"
        assert record["reason"] == ("client-reset" if end == "reset" else "closed")
        wait_refused(a.sock, a.relay)
        count = len(peer.notes)
        egress = peer.notes[0][0]
        wait_refused(peer.sock, egress)
        assert len(peer.notes) == count


def test_bytes_on_its_connection_do_no_harm(gateway):
    with Peer() as peer, Association(gateway) as a:
        a.tcp.send(b"hello?" * 1000)
        a.echo(peer.address)
        assert a.ended(gateway)["event"] == "session.end"


def test_idle_timeout(start):
    gateway = start(timeouts="udp = 2 stop = 2")
    with Peer() as peer, Association(gateway) as a:
        for _ in range(4):  # stays while something moves
            stays(lambda: True, 0.8)
            a.echo(peer.address)
        assert a.tcp.rest_or_reset() in (b"", None)
        record = gateway.closing(a)
        assert (record["event"], record["reason"]) == ("session.end", "idle-timeout")
        assert float(record["duration"]) > 4
        wait_refused(a.sock, a.relay)


def test_port_range(start):
    first = free_range(4)
    gateway = start(extra=f"udp {{ port-min = {first} port-max = {first + 3} }}", workers=1)
    with Peer() as peer, Association(gateway) as a:
        a.echo(peer.address)
        egress = peer.notes[0][0][1]
        assert {a.relay[1], egress} <= set(range(first, first + 4))
        with Association(gateway) as b:
            b.echo(peer.address)
            with socks.Client(gateway) as client:  # all four are taken
                reply = client.greet().ask("0.0.0.0", 0, socks.ASSOCIATE)
                assert reply.code == 1
        b.ended(gateway)
        with Association(gateway) as c:
            c.echo(peer.address)


def test_advertise(start):
    gateway = start(extra='udp { advertise = "192.0.2.7" }')
    with socks.Client(gateway) as client, Peer() as peer:
        reply = client.greet().ask("0.0.0.0", 0, socks.ASSOCIATE)
        assert (reply.code, reply.address) == (0, "192.0.2.7") and reply.port
        with udp_socket() as sock:
            sock.sendto(header(*peer.address) + b"through NAT", ("127.0.0.1", reply.port))
            assert sock.recv(100).endswith(b"through NAT")


def test_egress_address(start):
    gateway = start(extra='egress { ipv4 = "127.0.0.77" }')
    with Peer() as peer, Association(gateway) as a:
        a.echo(peer.address)
        assert peer.notes[0][0][0] == "127.0.0.77"


# --- many ---


def test_associations_that_never_send(gateway):
    many = [Association(gateway) for _ in range(100)]
    with Peer() as peer:
        many[50].echo(peer.address)
    for a in many:
        a.__exit__()
    for a in many:
        assert gateway.closing(a)["event"] == "session.end"


@pytest.mark.sanitizers
def test_flooded_with_distinct_destinations(gateway):
    """Bounded: the oldest goes, memory does not grow with them. (None of their ports is one that the kernel
    gives: associations hear there, at any of the host's addresses.)"""
    worker_kb = lambda: max(gw.memory_kb(pid) for pid in gateway.children("worker"))
    with Peer() as peer, Association(gateway) as a:
        a.echo(peer.address)
        before = worker_kb()
        for port in range(1, 15001):
            a.send(("127.7.7.7", port), b"x")
            if port % 16 == 0:
                a.echo(peer.address)
        assert worker_kb() - before < 8192
        record = a.ended(gateway)
    assert record["event"] == "session.end"


def test_the_oldest_destination_is_forgotten(gateway):
    """What it sends comes back no more, until the client writes to it again."""
    with Peer() as peer, Peer() as recent, Association(gateway) as a:
        a.echo(peer.address)
        egress = peer.notes[0][0]
        for port in range(1, 20001):
            a.send(("127.7.7.7", port), b"x")
            if port % 64 == 0:
                a.echo(recent.address)  # so that no datagram is lost on the way
        peer.sock.sendto(b"forgotten", egress)
        quiet(a.sock)
        a.echo(peer.address).echo(recent.address)


@pytest.mark.sanitizers
def test_a_flood_towards_a_client_that_does_not_read(gateway):
    with Peer() as peer, Association(gateway) as a:
        a.echo(peer.address)
        egress = peer.notes[0][0]
        for _ in range(5000):
            peer.sock.sendto(b"z" * 1200, egress)
        with Association(gateway) as other:
            other.echo(peer.address)
        a.insist(lambda: a.send(peer.address, b"last"))


def test_associations_are_apart(gateway):
    """Closing one leaves the next one's sockets alone."""
    with Peer() as peer, Association(gateway) as a, Association(gateway) as b:
        assert a.relay != b.relay
        a.echo(peer.address)
        a.ended(gateway)
        b.echo(peer.address)


def test_stop_ends_associations(start):
    gateway = start()
    with Association(gateway) as a:
        gateway.stop()
        assert a.tcp.rest_or_reset() in (b"", None)
    assert gateway.closing(a)["reason"] == "shutdown"


def test_a_lost_worker_is_audited(start):
    """Its associations end with it, and the master says so."""
    gateway = start(workers=1)
    with Peer() as peer, Association(gateway) as a:
        a.echo(peer.address)
        gw.kill(gateway.children("worker")[0], 9)
        record = gateway.closing(a)
        assert (record["reason"], record["command"]) == ("worker-lost", "udp")
        wait_refused(a.sock, a.relay)
