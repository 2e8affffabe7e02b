# SPDX-License-Identifier: ISC
"""Whole conversations, changed at random: whatever a client sends, a destination gets a beginning of
what was sealed and nothing else, each connection gets its one record, and others do not notice.

SALLYPORT_MUTATIONS is the number of conversations (absent: 300), SALLYPORT_SEED where they begin."""
import os
import random

import pytest

import servers
import socks
from gssapi_client import (CONFIDENTIALITY, CONTEXT, FLAGS, GSSAPI, INTEGRITY, LEVEL, SELECTIVE, Flag,
                           GssClient, frame)
from waiting import wait_until

COUNT = int(os.environ.get("SALLYPORT_MUTATIONS") or 300)
SEED = int(os.environ.get("SALLYPORT_SEED") or 1)
PAYLOAD = bytes(range(256)) * 20
NOT_MUTUAL = [flag for flag in FLAGS if flag != Flag.mutual_authentication]


class Listener(servers.Server):
    """Keeps what each connection brought."""

    def __init__(self):
        self.got = []
        super().__init__(self.collect)

    def collect(self, connection, server):
        mine = bytearray()
        self.got.append(mine)
        try:
            while data := connection.recv(65536):
                mine += data
        except ConnectionResetError:
            pass
        connection.close()


def conversation(client, target, rng):
    """All that a client without mutual authentication sends, as a list of messages."""
    level = rng.choice((INTEGRITY, CONFIDENTIALITY, SELECTIVE))
    client.level = level
    messages = [socks.hello(GSSAPI), frame(CONTEXT, client.context.first),
                frame(LEVEL, client.context.wrap(bytes([level]), False)),
                client.seal(socks.request(*target))]
    at = 0
    while at < len(PAYLOAD):
        size = rng.choice((0, 1, 16, 100, 1000))
        messages.append(client.seal(PAYLOAD[at:at + size]))
        at += size
    return messages


def one_bit(message, rng):
    message[rng.randrange(len(message))] ^= 1 << rng.randrange(8)


def an_octet_of_the_head(message, rng):
    message[rng.randrange(min(20, len(message)))] = rng.randrange(256)


def the_length(message, rng):
    message[2:4] = rng.choice((0, 1, 3, 15, 16, 65535, len(message))).to_bytes(2, "big")


def cut(message, rng):
    del message[rng.randrange(len(message)):]


def octets_more(message, rng):
    message[rng.randrange(len(message)):0] = rng.randbytes(rng.randrange(1, 50))


def nonsense(message, rng):
    message[:] = rng.randbytes(rng.randrange(1, 300))


def gone(message, rng):
    message.clear()


CHANGES = (one_bit, an_octet_of_the_head, the_length, cut, octets_more, nonsense, gone)


def mutated(messages, rng):
    """The same with one thing changed, as one stream: a message, or its place, or how often it comes."""
    messages = [bytearray(message) for message in messages]
    at = rng.randrange(1, len(messages) if rng.random() < 0.7 else 5)
    other = rng.randrange(1, len(messages))
    how = rng.randrange(len(CHANGES) + 2)
    if how < len(CHANGES):
        CHANGES[how](messages[at], rng)
    elif how == len(CHANGES):
        messages.insert(at, messages[other])
    else:
        messages[at], messages[other] = messages[other], messages[at]
    return b"".join(messages)


def send_in_pieces(client, stream, rng):
    at = 0
    while at < len(stream):
        size = rng.choice((1, 3, 50, 1448, len(stream)))
        client.send(stream[at:at + size])
        at += size


@pytest.mark.sanitizers
def test_conversations_changed_at_random(gateway, alice, echo):
    clients = []
    with Listener() as listener, GssClient(gateway, alice) as other:
        other.connect(echo.address)
        for i in range(COUNT):
            rng = random.Random(SEED * 1_000_000 + i)
            client = GssClient(gateway, alice, flags=NOT_MUTUAL)
            clients.append(client)
            with client:
                stream = mutated(conversation(client, listener.address, rng), rng)
                try:
                    send_in_pieces(client, stream, rng)
                    client.shut()
                    client.rest_or_reset()
                except TimeoutError:
                    raise AssertionError(f"conversation {i} hangs") from None
                except OSError:
                    pass  # the gateway has cut it
            if i % 20 == 0:
                other.echo()
        for i, client in enumerate(clients):
            record = gateway.closing(client)
            assert record["event"] != "limit.reached", (i, record)
            assert record["reason"] not in ("internal-error", "worker-lost", "auth-lost"), (i, record)
        other.echo()
        wait_until(lambda: all(PAYLOAD.startswith(bytes(got)) for got in listener.got), 5,
                   "nothing but beginnings of what was sealed")
    assert len(listener.got) > COUNT // 4, "enough conversations came as far as the relay"
    assert any(0 < len(got) < len(PAYLOAD) for got in listener.got)
