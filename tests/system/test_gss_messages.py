# SPDX-License-Identifier: ISC
"""Protected messages (RFC 1961 section 5) are pieces of a byte stream; and not one octet of a bad one
reaches anybody."""
import hashlib
import os
import random
import re
import socket
import threading

import pytest

import gateway as gw
import servers
import socks
from gssapi_client import (CONFIDENTIALITY, CONTEXT, DATA, INTEGRITY, LEVEL, NONE, SELECTIVE, GssClient,
                           frame)
from test_gss_levels import violation
from waiting import wait_until

LEVELS = (INTEGRITY, CONFIDENTIALITY, SELECTIVE)


class Collector(servers.Server):
    """A destination that keeps what it gets and says nothing; ends says how each connection did."""

    def __init__(self):
        self.got, self.ends = bytearray(), []
        super().__init__(self.collect)

    def collect(self, connection, server):
        try:
            while data := connection.recv(65536):
                self.got += data
            self.ends.append("end of file")
        except ConnectionResetError:
            self.ends.append("reset")

    def was_cut(self):
        """What came before a violation must not look whole: no end of file, a reset."""
        wait_until(lambda: self.ends, 10, "the end of the stream")
        assert self.ends == ["reset"]
        return bytes(self.got)


@pytest.fixture
def collector():
    with Collector() as server:
        yield server


# --- a byte stream in pieces ---


@pytest.mark.parametrize("level", LEVELS)
def test_a_request_in_two_messages(gateway, alice, echo, level):
    request = socks.request(*echo.address)
    for cut in range(1, len(request)):
        with GssClient(gateway, alice) as client:
            client.log_in().propose(level)
            client.send(client.seal(request[:cut]), client.seal(request[cut:]))
            assert client.reply().code == 0
            client.echo()


def test_a_request_octet_by_octet(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.log_in().propose(CONFIDENTIALITY)
        for octet in socks.request(*echo.address):
            client.send(client.seal(bytes([octet])))
        assert client.reply().code == 0
        client.echo()


@pytest.mark.parametrize("level", LEVELS)
def test_payload_in_the_requests_message(gateway, alice, echo, level):
    with GssClient(gateway, alice) as client:
        client.log_in().propose(level)
        client.send(client.seal(socks.request(*echo.address) + b"behind it"), client.seal(b" and more"))
        assert client.reply().code == 0
        assert client.get(18) == b"behind it and more"


def test_payload_of_full_size_in_the_requests_message(gateway, alice, echo):
    payload = os.urandom(60_000)
    with GssClient(gateway, alice) as client:
        client.log_in().propose(CONFIDENTIALITY)
        client.send(client.seal(socks.request(*echo.address) + payload), client.seal(payload))
        assert client.reply().code == 0
        assert client.get(120_000) == payload * 2


@pytest.mark.parametrize("level", LEVELS)
def test_empty_messages(gateway, alice, echo, level):
    """Legal anywhere: before the request, inside it, around the data, and a thousand of them."""
    request = socks.request(*echo.address)
    with GssClient(gateway, alice) as client:
        client.log_in().propose(level)
        client.send(client.seal(b""), client.seal(request[:4]), client.seal(b""),
                    client.seal(request[4:]), client.seal(b""))
        assert client.reply().code == 0
        client.send(client.seal(b""), client.seal(b"a"), client.seal(b""), client.seal(b"b"))
        assert client.get(2) == b"ab"
        client.send(b"".join(client.seal(b"") for _ in range(1000)), client.seal(b"last"))
        assert client.get(4) == b"last"
    assert gateway.closing(client)["bytes_up"] == "6"


@pytest.mark.sanitizers
@pytest.mark.parametrize("level", LEVELS)
def test_500_messages_in_one_segment(gateway, alice, echo, level):
    with GssClient(gateway, alice) as client:
        client.connect(echo.address, level)
        messages = [client.seal(b"%04d" % i) for i in range(500)]
        client.send(*messages)
        assert client.get(2000) == b"".join(b"%04d" % i for i in range(500))


@pytest.mark.parametrize("size", (1, 15, 16, 17, 1000, 4096, 16384, 65_000, 65_475))
@pytest.mark.parametrize("level", (INTEGRITY, CONFIDENTIALITY))
def test_messages_of_many_sizes(gateway, alice, echo, level, size):
    data = os.urandom(size)
    with GssClient(gateway, alice) as client:
        client.connect(echo.address, level)
        for _ in range(3):
            client.send(client.seal(data))
            assert client.get(size) == data


@pytest.mark.sanitizers
def test_the_largest_message(gateway, alice, echo):
    """A token of exactly 65,535 octets."""
    with GssClient(gateway, alice) as client:
        client.connect(echo.address, INTEGRITY)
        size = 65_507
        data = os.urandom(size)
        message = client.seal(data)
        assert len(message) == 4 + 65_535
        client.send(message)
        assert client.get(size) == data


@pytest.mark.sanitizers
def test_messages_cut_anywhere(gateway, alice, echo):
    """Segments that end inside heads, tokens and checksums."""
    rng = random.Random(1)
    data = os.urandom(200_000)
    with GssClient(gateway, alice) as client:
        client.connect(echo.address)
        stream = b"".join(client.seal(data[i:i + 3000]) for i in range(0, len(data), 3000))
        at = 0
        while at < len(stream):
            step = rng.choice((1, 2, 3, 4, 5, 60, 1000, 3063, 3064, 3065, 20_000))
            client.send(stream[at:at + step])
            at += step
        assert client.get(len(data)) == data


@pytest.mark.parametrize("level", LEVELS)
def test_half_close_of_the_client(gateway, alice, level):
    """Its end of file reaches the destination, whose answer still comes back."""
    with servers.Server(servers.sink) as sink, GssClient(gateway, alice) as client:
        client.connect(sink.address, level)
        client.put(b"x" * 100_000)
        client.shut()
        assert len(client.get_rest()) == 64
    assert sink.wait_note()[0] == 100_000
    assert gateway.closing(client)["reason"] == "closed"


def test_half_close_of_the_destination(gateway, alice, collector):
    with GssClient(gateway, alice) as client:
        client.connect(collector.address)
        collector.wait_connection().shutdown(socket.SHUT_WR)
        assert client.get_rest() == b""
        client.put(b"still heard")
        client.shut()
        wait_until(lambda: collector.ends == ["end of file"], 10)
    assert bytes(collector.got) == b"still heard"
    assert gateway.closing(client)["reason"] == "closed"


def stalled(gateway, progress):
    """Waits until nothing moves any more; the memory of the workers then, in KiB."""
    last = [None, 0]

    def still():
        now = progress()
        last[:] = [now, last[1] + 1 if now == last[0] else 0]
        return last[1] > 30
    wait_until(still, 20, "back-pressure")
    return [gw.memory_kb(pid) for pid in gateway.children("worker")]


def test_a_reader_that_does_not_read(gateway, alice):
    """The destination is made to wait; nothing is lost, and nothing piles up in the worker."""
    total, seed, sent = 60_000_000, 5, [0]

    def source(connection, server):
        for piece in servers.chunks(total, seed):
            connection.sendall(piece)
            sent[0] += len(piece)
        connection.close()
    with servers.Server(source) as server:
        with GssClient(gateway, alice, receive_buffer=65536) as client:
            before = [gw.memory_kb(pid) for pid in gateway.children("worker")]
            client.connect(server.address)
            after = stalled(gateway, lambda: sent[0])
            assert sent[0] < total // 2, "it was made to wait"
            assert sum(after) - sum(before) < 4096, (before, after)
            assert hashlib.sha256(client.get_rest()).hexdigest() == servers.digest_of(total, seed)


def test_a_destination_that_does_not_read(gateway, alice):
    """The same the other way."""
    total, seed, sent, go = 60_000_000, 6, [0], threading.Event()

    def sink(connection, server):
        go.wait(60)
        servers.sink(connection, server)
    with servers.Server(sink, receive_buffer=65536) as server:
        with GssClient(gateway, alice, deadline=60) as client:
            before = [gw.memory_kb(pid) for pid in gateway.children("worker")]
            client.connect(server.address)

            def send():
                for piece in servers.chunks(total, seed):
                    client.put(piece)
                    sent[0] += len(piece)
                client.shut()
            sender = threading.Thread(target=send)
            sender.start()
            after = stalled(gateway, lambda: sent[0])
            assert sent[0] < total // 2, "it was made to wait"
            assert sum(after) - sum(before) < 4096, (before, after)
            go.set()
            sender.join(60)
            assert server.wait_note(30) == (total, servers.digest_of(total, seed))
            assert len(client.get_rest()) == 64


def test_the_count_of_octets(gateway, alice, echo):
    """bytes_* are payload, wire_* all that went over the client's connection."""
    with GssClient(gateway, alice) as client:
        wire = []

        def send(data):
            wire.append(len(data))
            client.send(data)
        send(socks.hello(1))
        assert client.recv(2) == b"\x05\x01"
        send(frame(CONTEXT, client.context.first))
        token = client.message(CONTEXT)
        client.context.step(token)
        send(frame(LEVEL, client.context.wrap(b"\x02", False)))
        level = client.message(LEVEL)
        assert client.context.unwrap(level)[0] == b"\x02"
        client.level = CONFIDENTIALITY
        send(client.seal(socks.request(*echo.address)))
        reply = client.message(DATA)
        assert client.context.unwrap(reply)[0][:2] == b"\x05\x00"
        send(client.seal(b"payload"))
        data = client.message(DATA)
        assert client.context.unwrap(data)[0] == b"payload"
        client.shut().ends()
    record = gateway.closing(client)
    assert record["bytes_up"] == record["bytes_down"] == "7"
    assert int(record["wire_up"]) == sum(wire)
    assert int(record["wire_down"]) == 2 + sum(4 + len(m) for m in (token, level, reply, data))


def test_selective_messages_of_both_kinds(gateway, alice, echo):
    """Level 3: each received message as it came, sent ones confidential."""
    with GssClient(gateway, alice) as client:
        client.log_in().propose(SELECTIVE)
        client.send(client.seal(socks.request(*echo.address), False))
        assert client.reply().code == 0
        for i, confidential in enumerate((True, False, False, True)):
            client.send(client.seal(b"%d" % i, confidential))
            plain, was = client.open()
            assert (plain, was) == (b"%d" % i, True)


# --- bad messages ---


def changed(at):
    def change(message, client):
        out = bytearray(message)
        out[at] ^= 0x01
        return bytes(out)
    return change


def resized(by):
    def change(message, client):
        size = len(message) - 4 + by
        return message[:2] + size.to_bytes(2, "big") + (message[4:] + bytes(99))[:size]
    return change


BAD = {  # name: (level, change of a message, words one of which the record has)
    "version": (2, lambda m, c: b"\x05" + m[1:], {"unprotected-message", "wrong-version"}),
    "version 2": (2, lambda m, c: b"\x02" + m[1:], {"wrong-version"}),
    "type 1": (2, lambda m, c: m[:1] + b"\x01" + m[2:], {"wrong-message-type"}),
    "type 2": (2, lambda m, c: m[:1] + b"\x02" + m[2:], {"wrong-message-type"}),
    "type 4": (2, lambda m, c: m[:1] + b"\x04" + m[2:], {"wrong-message-type"}),
    "a refusal": (2, lambda m, c: b"\x01\xff", {"refused-by-client"}),
    "no token": (2, lambda m, c: b"\x01\x03\x00\x00", {"empty-token"}),
    "the token's id": (2, changed(4), {"not-a-wrap-token"}),
    "flags": (2, changed(6), {"reflected-message", "wrong-token-flags"}),
    "filler": (2, changed(7), {"not-a-wrap-token"}),
    "extra count": (2, changed(9), {"wrong-extra-count", "bad-checksum", "altered-header"}),
    "sequence number": (2, changed(19), {"altered-header"}),
    "confounder": (2, changed(20), {"bad-checksum"}),
    "ciphertext": (2, changed(45), {"bad-checksum"}),
    "last octet": (2, changed(-1), {"bad-checksum"}),
    "an octet less": (2, resized(-1), {"bad-checksum", "altered-header"}),
    "an octet more": (2, resized(1), {"bad-checksum", "altered-header"}),
    "half a head": (2, lambda m, c: m[:2] + b"\x00\x07" + m[4:11], {"truncated-token"}),
    "plaintext": (1, changed(20), {"bad-checksum"}),
    "checksum": (1, changed(-1), {"bad-checksum"}),
    "sequence number, integrity": (1, changed(19), {"bad-checksum"}),
    "16 octets": (1, lambda m, c: b"\x01\x03\x00\x10" + m[4:20],
                  {"truncated-token", "wrong-extra-count"}),
    "plain bytes": (2, lambda m, c: b"GET / HTTP/1.0\r\n\r\n", {"wrong-version"}),
    "a token of the context": (2, lambda m, c: frame(DATA, c.context.first), {"not-a-wrap-token"}),
}


@pytest.mark.sanitizers
@pytest.mark.parametrize("what", BAD)
def test_nothing_of_a_bad_message_is_relayed(gateway, alice, collector, what):
    """Good ones before it arrive, the bad one and what follows do not."""
    level, change, words = BAD[what]
    with GssClient(gateway, alice) as other, GssClient(gateway, alice) as client:
        other.connect(collector.address)
        client.connect(collector.address, level)
        good = client.seal(b"good")
        bad = change(client.seal(b"evil" * 10), client)
        client.send(good, bad, client.seal(b"after"))
        assert not client.rest_or_reset()
        record = gateway.closing(client)
        assert record["reason"] == "protection-violation" and record["detail"] in words, record
        assert record["event"] == "session.end" and record["user"] == "alice@SALLYPORT.TEST"
        assert record["bytes_up"] == "4"
        assert collector.was_cut() == b"good"
        other.put(b" and well")
        wait_until(lambda: collector.got == b"good and well", 10)


@pytest.mark.parametrize("what", ("integrity at 2", "confidential at 1"))
def test_a_message_at_another_level(gateway, alice, collector, what):
    level = CONFIDENTIALITY if what == "integrity at 2" else INTEGRITY
    with GssClient(gateway, alice) as client:
        client.connect(collector.address, level)
        client.send(client.seal(b"evil", level == INTEGRITY))
        assert not client.rest_or_reset()
    violation(gateway, client, "message-not-confidential" if level == CONFIDENTIALITY
              else "confidential-message-at-integrity")
    assert collector.was_cut() == b""


@pytest.mark.sanitizers
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("how", ("replayed", "reordered", "missing", "much later"))
def test_order(gateway, alice, collector, how, level):
    with GssClient(gateway, alice) as client:
        client.connect(collector.address, level)
        one, two, three = (client.seal(text) for text in (b"1", b"2", b"3"))
        stream, arrives, words = {
            "replayed": ([one, one], b"1", {"replayed-message"}),
            "reordered": ([two, one], b"", {"out-of-sequence-message"}),
            "missing": ([one, three], b"1", {"out-of-sequence-message"}),
            "much later": ([one, two, three, one], b"123", {"replayed-message", "stale-message"}),
        }[how]
        client.send(*stream)
        assert not client.rest_or_reset()
        record = gateway.closing(client)
    assert record["reason"] == "protection-violation" and record["detail"] in words, record
    assert collector.was_cut() == arrives


def test_every_word_of_a_violation_is_in_the_manual():
    """sallyport.conf.5 says of each what it means; none stands there that no message can draw."""
    top = gw.HERE.parents[1]
    page = (top / "doc" / "sallyport.conf.5").read_text()
    listed = re.search(r"reason=protection-violation.*?^\.El$", page, re.M | re.S).group(0)
    listed = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"^\.It Li (.+)$", listed, re.M))))
    used = set()
    for name in ("auth/gssapi/gssapi_protect.c", "auth/gssapi/gssapi_protect_agree.c",
                 "auth/gssapi/gssapi_protect_level.c", "auth/gssapi/gssapi_protect_message.c",
                 "auth/gssapi/gssapi_frame.c", *top.glob("src/net/channel_sealed*.c")):
        used |= set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', (top / name).read_text()))
    # What the pool sent is not the client's doing; the others cannot happen to a peer's message.
    used -= {"malformed-context", "context-of-the-other-role", "unsupported-enctype", "wrong-key-length",
             "no-memory", "no-room", "agreed-already", "nothing-agreed", "bad-message"}
    assert listed == used


def test_a_replay_of_a_client_without_sequencing(gateway, alice, collector):
    """curl does not ask for it; it holds all the same."""
    with GssClient(gateway, alice, flags=[]) as client:
        client.connect(collector.address)
        one = client.seal(b"1")
        client.send(one, one)
        assert not client.rest_or_reset()
    violation(gateway, client, "replayed-message")


def test_the_gateways_own_message_sent_back(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.connect(echo.address)
        client.put(b"mirror")
        token = client.message(DATA)
        client.send(frame(DATA, token))
        assert not client.rest_or_reset()
    violation(gateway, client, "reflected-message")


def test_a_message_of_another_session(gateway, alice, collector):
    with GssClient(gateway, alice) as one, GssClient(gateway, alice) as two:
        one.connect(collector.address)
        two.connect(collector.address)
        two.send(one.seal(b"evil"))
        assert not two.rest_or_reset()
        violation(gateway, two, "bad-checksum")
        assert collector.was_cut() == b""


@pytest.mark.sanitizers
@pytest.mark.parametrize("level", (INTEGRITY, CONFIDENTIALITY))
def test_end_of_file_inside_a_message(gateway, alice, collector, level):
    cuts = (1, 2, 3, 4, 5, 20, -1)
    for cut in cuts:
        with GssClient(gateway, alice) as client:
            client.connect(collector.address, level)
            client.send(client.seal(b"x" * 100)[:cut]).shut()
            assert not client.rest_or_reset()
        record = gateway.closing(client)
        assert (record["reason"], record["detail"]) == ("protection-violation", "truncated-message"), record
    wait_until(lambda: len(collector.ends) == len(cuts), 10)
    assert set(collector.ends) == {"reset"} and not collector.got


def test_end_of_file_inside_the_request(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.log_in().propose(CONFIDENTIALITY)
        client.send(client.seal(socks.request(*echo.address))[:30]).shut()
        assert not client.rest_or_reset()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "protection-violation"), record
    assert record["user"] == "alice@SALLYPORT.TEST"


def test_a_bad_message_instead_of_the_request(gateway, alice):
    for bad in (changed(-1), resized(-1), resized(1), lambda m, c: b"\x01\x01" + m[2:]):
        with GssClient(gateway, alice) as client:
            client.log_in().propose(CONFIDENTIALITY)
            client.send(bad(client.seal(socks.request("127.0.0.1", 9)), client))
            client.rest_or_reset()
        record = gateway.closing(client)
        assert (record["event"], record["reason"]) == ("protocol.error", "protection-violation")


def test_a_malformed_request_in_a_good_message(gateway, alice):
    """The reply is protected as everything else is."""
    with GssClient(gateway, alice) as client:
        client.log_in().propose(CONFIDENTIALITY)
        client.put(b"\x05\x09\x00\x01\x7f\x00\x00\x01\x00\x50")
        assert client.reply().code == 7
        assert client.get_rest() == b""
    assert gateway.closing(client)["reason"] == "command-not-supported"


@pytest.mark.parametrize("level", LEVELS)
def test_failures_of_the_destination_are_protected_replies(gateway, alice, level):
    held, port = servers.dead_port()
    with held, GssClient(gateway, alice) as client:
        client.log_in().propose(level)
        assert client.ask("127.0.0.1", port).code == 5
        assert client.get_rest() == b""
    assert gateway.closing(client)["reason"] == "connection-refused"


def test_level_none_relays_frames_as_they_are(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.connect(echo.address, NONE)
        client.echo(frame(CONTEXT, b"abc") + frame(LEVEL, b"x") + frame(DATA, os.urandom(70)))


def test_a_reset_in_the_middle(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.connect(echo.address).echo()
        client.send(client.seal(b"x" * 1000)[:500])
        client.reset()
    assert gateway.closing(client)["event"] == "session.end"


def test_a_reset_of_the_destination(gateway, alice):
    with servers.Server(servers.hold) as server, GssClient(gateway, alice) as client:
        client.connect(server.address)
        servers.reset(server.wait_connection())
        client.rest_or_reset()
    assert gateway.closing(client)["reason"] == "destination-reset"
