# SPDX-License-Identifier: ISC
"""GSS-API logins (RFC 1961 section 3): rounds, tokens of every size, in pieces and in one, and whatever
is wrong with them. 01 FF, a clean end, and one record that says why."""
import os
import pathlib
import re
import struct

import pytest

import gateway as gw
import socks
from gssapi_client import (CONFIDENTIALITY, CONTEXT, FLAGS, GSSAPI, INTEGRITY, KRB5, LEVEL,
                           REFUSAL, SPNEGO, Context, Flag, GssClient, frame)

NOT_MUTUAL = [flag for flag in FLAGS if flag != Flag.mutual_authentication]


def failure(gateway, client, word=None):
    """The record of a login that the pool refused, with its word."""
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("auth.failure", "bad-credentials"), record
    assert word in (None, record.get("detail")), record


def malformed(gateway, client, word):
    """The record of a message that is none."""
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "malformed-message"), record
    assert record.get("detail") == word, record


def test_a_login_and_a_session(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.connect(echo.address).echo().echo(os.urandom(300_000))
        client.shut()
        assert client.get_rest() == b""
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("session.end", "closed")
    assert record["user"] == "alice@SALLYPORT.TEST" and record["protection"] == "confidentiality"
    assert int(record["bytes_up"]) == int(record["bytes_down"]) == 300_004
    assert int(record["wire_up"]) > 300_004 and int(record["wire_down"]) > 300_004


def test_a_client_without_mutual_authentication_gets_an_empty_token(gateway, alice, echo):
    with GssClient(gateway, alice, flags=NOT_MUTUAL) as client:
        assert client.context.complete
        assert client.offer().rounds() == b""
        assert client.propose(CONFIDENTIALITY) == CONFIDENTIALITY
        assert client.ask(*echo.address).code == 0
        client.echo()


def test_a_client_without_any_flag(gateway, alice, echo):
    """curl asks for no sequencing: what arrives twice is refused all the same (test_gss_messages)."""
    with GssClient(gateway, alice, flags=[]) as client:
        client.connect(echo.address, INTEGRITY).echo()


def test_every_word_of_a_refusal_is_in_the_manual():
    """sallyport.conf.5 says of each what to do; none stands there that no login can have."""
    top = gw.HERE.parents[1]
    page = (top / "doc" / "sallyport.conf.5").read_text()
    listed = re.search(r"reason=bad-credentials.*?^\.El$", page, re.M | re.S).group(0)
    listed = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"^\.It Li (.+)$", listed, re.M))))
    used = set()
    for name in ("secret", "status", "export", "identity"):
        text = (top / "auth" / "gssapi" / f"gssapi_{name}.c").read_text()
        used |= set(re.findall(r'(?:reason = |return |\? |: |, )"([a-z]+(?:-[a-z]+)*)"', text))
    used -= {"krb5", "spnego", "true", "keytab"}
    assert listed == used


def test_three_legs(gateway, alice):
    """DCE style has three, and tokens without the header of RFC 2743: refused; and cleanly."""
    with GssClient(gateway, alice, flags=[*FLAGS, Flag.dce_style]) as client:
        client.offer().send(frame(CONTEXT, client.context.first))
        client.refused()
    failure(gateway, client, "malformed-token")


@pytest.mark.sanitizers
def test_delegated_credentials_are_thrown_away(start, realm, echo):
    """A forwarded ticket in the token is neither needed nor kept: nothing is written anywhere."""
    gateway = start(realm=realm, env={"KRB5CCNAME": "FILE:/nonexistent/ccache"})
    before = {path for path in gateway.folder.rglob("*")}
    with GssClient(gateway, realm.ticket(), flags=[*FLAGS, Flag.delegate_to_peer]) as client:
        assert len(client.context.first) > 1200
        client.connect(echo.address).echo()
    made = {path for path in gateway.folder.rglob("*")} - before
    assert all("rcache" in str(path) for path in made), made
    if gw.ROOT:  # else it is where whoever runs the test has his own
        assert not pathlib.Path(f"/tmp/krb5cc_{gateway.uid}").exists()


def test_one_byte_at_a_time(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.send_slowly(socks.hello(GSSAPI))
        assert client.recv(2) == bytes([5, GSSAPI])
        client.send_slowly(frame(CONTEXT, client.context.first))
        assert client.context.step(client.message(CONTEXT)) is None
        client.send_slowly(frame(LEVEL, client.context.wrap(b"\x02", False)))
        assert client.agreed() == CONFIDENTIALITY
        client.send_slowly(client.seal(socks.request(*echo.address)))
        assert client.reply().code == 0
        client.send_slowly(client.seal(b"slow"))
        assert client.get(4) == b"slow"


@pytest.mark.parametrize("level", (INTEGRITY, CONFIDENTIALITY))
def test_all_in_one_segment(gateway, alice, echo, level):
    """Without mutual authentication a client may send everything before it read anything."""
    with GssClient(gateway, alice, flags=NOT_MUTUAL) as client:
        octet = frame(LEVEL, client.context.wrap(bytes([level]), False))
        client.level = level
        client.send(socks.hello(GSSAPI), frame(CONTEXT, client.context.first), octet,
                    client.seal(socks.request(*echo.address)), client.seal(b"first"))
        assert client.recv(2) == bytes([5, GSSAPI])
        assert client.message(CONTEXT) == b""
        assert client.agreed() == level
        assert client.reply().code == 0
        assert client.get(5) == b"first"


def test_level_request_and_data_without_waiting(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.log_in()
        octet = frame(LEVEL, client.context.wrap(b"\x02", False))
        client.level = CONFIDENTIALITY
        client.send(octet, client.seal(socks.request(*echo.address)), client.seal(b"first"))
        assert client.agreed() == CONFIDENTIALITY
        assert client.reply().code == 0
        assert client.get(5) == b"first"


# --- sizes ---


def ticket_of_size(realm, size):
    """A ticket that makes a token of almost so many bytes: it carries thousands of addresses, as
    others carry groups. (Numbers in a token are as long as they come out, a few bytes more or less.)"""
    def made(count):
        numbers = [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(1, count)]
        lines = [" ".join(numbers[i:i + 100]) for i in range(0, len(numbers), 100)]
        config = realm.configured(extra_addresses=["127.0.0.1", *lines])
        return realm.service_ticket("rcmd/localhost", "alice", "-a", config=config)
    count = (size - 1000) // 15
    have = len(Context(made(count)).first)
    return made(count + (size - 10 - have) // 15)


@pytest.mark.sanitizers
@pytest.mark.parametrize("size", (16_000, 33_000, 65_535))
def test_large_tokens(gateway, realm, echo, size):
    """As those of users in hundreds of groups are."""
    ticket = ticket_of_size(realm, size)
    with GssClient(gateway, ticket) as client:
        assert size - 40 <= len(client.context.first) <= size
        client.connect(echo.address).echo()
    assert gateway.closing(client)["user"] == "alice@SALLYPORT.TEST"


def test_a_token_of_65535_octets_of_nothing(gateway):
    """Read whole and refused: no reset that would take the refusal along."""
    with GssClient(gateway) as client:
        client.offer().send(frame(CONTEXT, os.urandom(65_535)))
        client.refused()
    failure(gateway, client, "malformed-token")


def test_an_empty_token(gateway):
    with GssClient(gateway) as client:
        client.offer().send(frame(CONTEXT))
        client.refused()
    malformed(gateway, client, "empty-token")


# --- mechanisms ---


def test_spnego_is_refused_unless_listed(gateway, alice):
    with GssClient(gateway, alice, mech=SPNEGO) as client:
        client.offer().send(frame(CONTEXT, client.context.first))
        client.refused()
    failure(gateway, client, "wrong-mechanism")


@pytest.mark.sanitizers
@pytest.mark.parametrize("flags", (FLAGS, NOT_MUTUAL), ids=("mutual", "not-mutual"))
def test_spnego_where_it_is_listed(start, realm, alice, echo, flags):
    gateway = start(realm=realm, gssapi='mechanisms = { "krb5", "spnego" }', events="all")
    for mech in (SPNEGO, KRB5):
        with GssClient(gateway, alice, mech=mech, flags=flags) as client:
            client.connect(echo.address).echo()
        assert gateway.closing(client)["user"] == "alice@SALLYPORT.TEST"
    assert gateway.wait_event("auth.success")["mechanism"]


def test_spnego_alone(start, realm, alice, echo):
    gateway = start(realm=realm, gssapi='mechanisms = { "spnego" }')
    with GssClient(gateway, alice, mech=SPNEGO) as client:
        client.connect(echo.address).echo()


IAKERB, NTLM, KERBEROS = "2b0601050205", "2b06010401823702020a", "2a864886f712010202"


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    return bytes([tag, *([size] if size < 128 else [0x82, size >> 8, size & 255])]) + body


def mech_list(*mechanisms):
    return der(0x30, *(der(0x06, bytes.fromhex(one)) for one in mechanisms))


def negotiation(*mechanisms):
    """A NegTokenInit (RFC 4178) that lists these and has no token of any."""
    return der(0x60, bytes.fromhex("06062b0601050502"), der(0xa0, der(0x30, der(0xa0, mech_list(*mechanisms)))))


def negotiation_goes_on(token=None, mic=None):
    fields = [der(0xa0 + i, der(0x04, text)) for i, text in ((2, token), (3, mic)) if text]
    return frame(CONTEXT, der(0xa1, der(0x30, *fields)))


def parts(data):
    """Tag and content, one after the other."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size > 127:
            at, size = at + size - 128, int.from_bytes(data[at:at + size - 128], "big")
        yield tag, data[at:at + size]
        at += size


def negotiation_answer(token):
    """The fields of a NegTokenResp by their numbers."""
    ((_, sequence),) = parts(token)
    ((_, fields),) = parts(sequence)
    return {tag & 0x1F: next(parts(content))[1] for tag, content in parts(fields)}


@pytest.mark.sanitizers
@pytest.mark.parametrize("flags", (FLAGS, NOT_MUTUAL), ids=("mutual", "not-mutual"))
def test_spnego_with_another_mechanism_first(start, realm, alice, echo, flags):
    """Then both sides sign the list of mechanisms, which uses up a sequence number each way."""
    gateway = start(realm=realm, gssapi='mechanisms = { "krb5", "spnego" }')
    with GssClient(gateway, alice, flags=flags) as client:
        gss, offered = client.context.gss, mech_list(NTLM, KERBEROS)
        client.offer().send(frame(CONTEXT, negotiation(NTLM, KERBEROS)))
        assert KERBEROS in client.message(CONTEXT).hex()
        early = gss.get_signature(offered) if gss.complete else None
        client.send(negotiation_goes_on(client.context.first, early))
        answer = negotiation_answer(client.message(CONTEXT))
        if not gss.complete:
            client.context.step(answer[2])
        gss.verify_signature(offered, answer[3])
        if not early:
            client.send(negotiation_goes_on(mic=gss.get_signature(offered)))
            client.message(CONTEXT)
        assert client.propose(CONFIDENTIALITY) == CONFIDENTIALITY
        assert client.ask(*echo.address).code == 0
        client.echo(os.urandom(100_000))
        client.shut()
        assert client.get_rest() == b""
    assert gateway.closing(client)["mechanism"] == "spnego"


def test_spnego_with_a_list_that_was_changed(start, realm, alice):
    """Somebody put NTLM before what the client signed."""
    gateway = start(realm=realm, gssapi='mechanisms = { "krb5", "spnego" }')
    with GssClient(gateway, alice, flags=NOT_MUTUAL) as client:
        client.offer().send(frame(CONTEXT, negotiation(NTLM, KERBEROS)))
        client.message(CONTEXT)
        client.send(negotiation_goes_on(client.context.first,
                                        client.context.gss.get_signature(mech_list(KERBEROS))))
        client.refused()
    failure(gateway, client)


def test_spnego_is_for_kerberos_alone(start, realm):
    """IAKERB, which libgssapi has too, and what others have are not chosen, be they first in the list."""
    gateway = start(realm=realm, gssapi='mechanisms = { "krb5", "spnego" }')
    with GssClient(gateway) as client:
        client.offer().send(frame(CONTEXT, negotiation(IAKERB, KERBEROS)))
        answer = client.message(CONTEXT).hex()
        assert KERBEROS in answer and IAKERB not in answer
    for alone in (IAKERB, NTLM):
        with GssClient(gateway) as client:
            client.offer().send(frame(CONTEXT, negotiation(alone)))
            client.refused()
        failure(gateway, client, "wrong-mechanism")


@pytest.mark.sanitizers
def test_endless_rounds_end(start, realm, alice):
    """A negotiation that never gets anywhere is ended by the gateway."""
    gateway = start(realm=realm, gssapi='mechanisms = { "krb5", "spnego" }')
    # NegTokenInit with a mechanism nobody has, then NegTokenResp with nothing in it, again and again.
    oid = bytes.fromhex("06062b0601050502")
    types = bytes.fromhex("a00d300b06092a864886f712010202")
    init = b"\xa0" + bytes([len(types) + 2]) + b"\x30" + bytes([len(types)]) + types
    first = b"\x60" + bytes([len(oid) + len(init)]) + oid + init
    again = bytes.fromhex("a1023000")
    with GssClient(gateway) as client:
        client.offer().send(frame(CONTEXT, first))
        for _ in range(100):
            head = client.recv(2)
            if head == REFUSAL:
                break
            assert head == b"\x01\x01"
            client.recv(struct.unpack("!H", client.recv(2))[0])
            client.send(frame(CONTEXT, again))
        assert head == REFUSAL
        client.ends()
    failure(gateway, client)


# --- broken messages ---

BROKEN = {
    "version 5": (b"\x05\x01\x00\x04abcd", "wrong-version"),
    "version 0": (b"\x00\x01\x00\x04abcd", "wrong-version"),
    "a type of the level": (b"\x01\x02\x00\x04abcd", "wrong-message-type"),
    "a type of data": (b"\x01\x03\x00\x04abcd", "wrong-message-type"),
    "type 0": (b"\x01\x00\x00\x04abcd", "wrong-message-type"),
    "a refusal": (b"\x01\xff", "refused-by-client"),
    "no token": (b"\x01\x01\x00\x04abcd", "malformed-token"),
    "one octet": (b"\x01\x01\x00\x01\x60", "malformed-token"),
    "a request": (socks.request("127.0.0.1", 80), "wrong-version"),
}


@pytest.mark.sanitizers
@pytest.mark.parametrize("what", BROKEN)
def test_broken_messages_are_refused(gateway, what):
    data, word = BROKEN[what]
    with GssClient(gateway) as client:
        client.offer().send(data)
        client.refused()
    if word.endswith("-token"):
        failure(gateway, client, word)
    else:
        malformed(gateway, client, word)


@pytest.mark.sanitizers
def test_every_octet_of_a_token_is_needed(gateway, alice):
    """A token whose length says less than there is, or that is cut: refused, nothing hangs."""
    token = Context(alice).first
    for size in [*range(1, 40), len(token) // 2, len(token) - 1]:
        with GssClient(gateway) as client:
            client.offer().send(frame(CONTEXT, token[:size]))
            client.refused()
        failure(gateway, client)


def test_a_token_with_octets_behind_it(gateway, alice):
    with GssClient(gateway, alice) as client:
        client.offer().send(frame(CONTEXT, client.context.first + b"x"))
        client.refused()
    failure(gateway, client)


@pytest.mark.parametrize("at", (3, 10, 60, 300, 600, -1))
def test_a_changed_octet_of_a_token(gateway, alice, at):
    with GssClient(gateway, alice) as client:
        token = bytearray(client.context.first)
        token[at] ^= 1
        client.offer().send(frame(CONTEXT, token))
        client.refused()
    failure(gateway, client)


@pytest.mark.sanitizers
@pytest.mark.parametrize("how", ("shut", "reset"))
def test_a_client_that_stops_half_way(gateway, alice, echo, how):
    """Anywhere in the login: one record, and nobody else notices."""
    message = frame(CONTEXT, Context(alice).first)
    whole = socks.hello(GSSAPI) + message
    with GssClient(gateway, alice) as other:
        other.connect(echo.address)
        for size in (1, 3, 4, 5, 6, 7, 8, 100, len(whole) - 1):
            with GssClient(gateway) as client:
                client.send(whole[:size])
                if size >= 3:
                    assert client.recv(2) == bytes([5, GSSAPI])
                if how == "shut":
                    client.shut()
                    client.rest_or_reset()
                else:
                    client.reset()
            record = gateway.closing(client)
            assert record["event"] == "protocol.error", record
            assert record["reason"] in ("client-gone", "client-reset", "malformed-message"), record
        other.echo()


def test_a_client_that_falls_silent(start, realm, alice, echo):
    """timeouts.negotiate ends it, whether the token or the level is missing: 01 FF where a message of the
    login was to come, nothing in the clear once a level is agreed."""
    gateway = start(realm=realm, timeouts="stop = 2 negotiate = 2")
    silent = [GssClient(gateway).send(socks.hello(GSSAPI)[:2]),
              GssClient(gateway).offer(),
              GssClient(gateway).offer().send(frame(CONTEXT, Context(alice).first)[:300]),
              GssClient(gateway, alice).log_in(),
              GssClient(gateway, alice).log_in().send(b"\x01\x02")]
    last = GssClient(gateway, alice).log_in()
    assert last.propose(CONFIDENTIALITY) == CONFIDENTIALITY
    for client, said in zip([*silent, last], [b"", REFUSAL, REFUSAL, REFUSAL, REFUSAL, b""]):
        with client:
            assert client.rest() == said
        record = gateway.closing(client)
        assert (record["event"], record["reason"]) == ("protocol.error", "client-timeout")
    assert gateway.closing(last)["user"] == "alice@SALLYPORT.TEST"


def test_others_go_on_while_logins_fail(gateway, alice, echo):
    with GssClient(gateway, alice) as other:
        other.connect(echo.address)
        for data, _ in BROKEN.values():
            with GssClient(gateway) as client:
                client.offer().send(data)
                client.refused()
            other.echo()


# --- methods side by side ---


def test_the_gateway_picks_by_its_own_order(start, realm, alice, echo):
    gateway = start(realm=realm, methods=("gssapi", "userpass", "none"))
    with GssClient(gateway, alice) as client:
        client.offer(0, 1, 2).rounds()
        assert client.propose(CONFIDENTIALITY) == CONFIDENTIALITY
        assert client.ask(*echo.address).code == 0
        client.echo()
    with socks.Client(gateway) as client:
        client.connect(echo.address, "alice").echo()
    with socks.Client(gateway) as client:
        client.connect(echo.address).echo()


def test_none_is_not_picked_where_rules_want_a_user(gateway):
    """`00` first in a client's list, as curl has it."""
    with GssClient(gateway) as client:
        client.send(socks.hello(0, 1, 2))
        assert client.recv(2) == bytes([5, GSSAPI])
    gateway.closing(client)


def test_the_pool_dies(start, realm, alice, echo):
    """Logins fail while it is gone and work again; sessions do not notice."""
    import signal
    gateway = start(realm=realm)
    with GssClient(gateway, alice) as other:
        other.connect(echo.address)
        for pid in gateway.children("auth"):
            gw.kill(pid, signal.SIGKILL)

        def logs_in():
            with GssClient(gateway, alice) as client:
                try:
                    return client.connect(echo.address).echo()
                except (AssertionError, OSError):
                    return None
        gw.wait_until(logs_in, 10, "a login after the pool was lost")
        other.echo()
