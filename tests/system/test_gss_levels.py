# SPDX-License-Identifier: ISC
"""The protection level (RFC 1961 section 4): what is proposed, what is answered, what a listener and a
rule ask for, and clients that do not keep to it."""
import pytest

import gateway as gw
import socks
from gssapi_client import (CONFIDENTIALITY, DATA, INTEGRITY, LEVEL, NAMES, NONE, SELECTIVE, GssClient,
                           frame)

LISTS = {
    "usual": ((CONFIDENTIALITY, INTEGRITY), None),
    "integrity": ((INTEGRITY,), '"integrity"'),
    "integrity first": ((INTEGRITY, CONFIDENTIALITY), '"integrity", "confidentiality"'),
    "confidentiality": ((CONFIDENTIALITY,), '"confidentiality"'),
    "selective": ((SELECTIVE,), '"selective"'),
    "none": ((NONE,), '"none"'),
    "none last": ((CONFIDENTIALITY, NONE), '"confidentiality", "none"'),
    "all": ((INTEGRITY, SELECTIVE, CONFIDENTIALITY, NONE),
            '"integrity", "selective", "confidentiality", "none"'),
}


def protection(words):
    return "" if words is None else f"protection = {{ {words} }}"


def violation(gateway, client, word, user="alice@SALLYPORT.TEST"):
    """The record of a client that broke what was agreed: it says how, and who it was."""
    record = gateway.closing(client)
    assert (record["reason"], record.get("detail")) == ("protection-violation", word), record
    assert record.get("user") == user
    return record


@pytest.mark.parametrize("name", LISTS)
def test_what_is_answered(start, realm, alice, echo, name):
    """A level in the list is echoed, another known one answered with the first of the list, and the
    session is at the level that was answered."""
    allowed, words = LISTS[name]
    gateway = start(realm=realm, gssapi=protection(words))
    for proposed in (NONE, INTEGRITY, CONFIDENTIALITY, SELECTIVE):
        wanted = proposed if proposed in allowed else allowed[0]
        with GssClient(gateway, alice) as client:
            assert client.log_in().propose(proposed) == wanted, proposed
            assert client.ask(*echo.address).code == 0
            client.echo()
        assert gateway.closing(client)["protection"] == NAMES[wanted]


@pytest.mark.parametrize("octet", (4, 9, 0x7F, 0xFF))
def test_unknown_levels_are_refused(gateway, alice, octet):
    with GssClient(gateway, alice) as client:
        client.log_in().send(frame(LEVEL, client.context.wrap(bytes([octet]), False)))
        client.refused()
    violation(gateway, client, "unknown-level")


@pytest.mark.parametrize("octets", (b"", b"\x02\x02", b"\x00\x00\x00\x02", b"x" * 300))
def test_other_than_one_octet_is_refused(gateway, alice, octets):
    with GssClient(gateway, alice) as client:
        client.log_in().send(frame(LEVEL, client.context.wrap(octets, False)))
        client.refused()
    violation(gateway, client, "malformed-level")


BROKEN = {
    "version": (lambda m: b"\x02" + m[1:], "wrong-version"),
    "the type of a token": (lambda m: m[:1] + b"\x01" + m[2:], "wrong-message-type"),
    "the type of data": (lambda m: m[:1] + b"\x03" + m[2:], "wrong-message-type"),
    "a refusal": (lambda m: b"\x01\xff", "refused-by-client"),
    "no token": (lambda m: b"\x01\x02\x00\x00", "empty-token"),
    "a cut token": (lambda m: m[:3] + bytes([m[3] - 1]) + m[4:-1], "bad-checksum"),
    "a changed octet": (lambda m: m[:-1] + bytes([m[-1] ^ 1]), "bad-checksum"),
    "no token of ours": (lambda m: b"\x01\x02\x00\x10" + b"\x60" * 16, "not-a-wrap-token"),
    "a short one": (lambda m: b"\x01\x02\x00\x08" + m[4:12], "truncated-token"),
}


@pytest.mark.sanitizers
@pytest.mark.parametrize("what", BROKEN)
def test_broken_level_messages_are_refused(gateway, alice, what):
    change, word = BROKEN[what]
    with GssClient(gateway, alice) as client:
        client.log_in().send(change(frame(LEVEL, client.context.wrap(b"\x02", False))))
        client.refused()
    violation(gateway, client, word)


def test_a_level_twice(gateway, alice):
    with GssClient(gateway, alice) as client:
        assert client.log_in().propose(CONFIDENTIALITY) == CONFIDENTIALITY
        client.send(frame(LEVEL, client.context.wrap(b"\x01", False)))
        assert not client.rest_or_reset()
    violation(gateway, client, "wrong-message-type")


def test_the_second_message_first(gateway, alice):
    """The first message the gateway opens has the first number."""
    with GssClient(gateway, alice) as client:
        client.log_in().context.wrap(b"\x02", False)
        client.send(frame(LEVEL, client.context.wrap(b"\x02", False)))
        client.refused()
    violation(gateway, client, "out-of-sequence-message")


# --- the NEC form ---


def test_the_nec_form_where_it_is_allowed(start, realm, alice, echo):
    gateway = start(realm=realm, gssapi="nec = true")
    for level in (INTEGRITY, CONFIDENTIALITY):
        with GssClient(gateway, alice) as client:
            assert client.log_in().propose(level, bare=True) == level
            assert client.ask(*echo.address).code == 0
            client.echo()
    with GssClient(gateway, alice) as client:  # the form of the RFC is still taken
        client.connect(echo.address).echo()


def test_the_nec_form_proposes_what_is_not_listed(start, realm, alice, echo):
    gateway = start(realm=realm, gssapi='nec = true protection = { "integrity" }')
    with GssClient(gateway, alice) as client:
        assert client.log_in().propose(NONE, bare=True) == INTEGRITY
        assert client.ask(*echo.address).code == 0
        client.echo()


@pytest.mark.parametrize("octet", (4, 9, 0xFF))
def test_the_nec_form_of_an_unknown_level(start, realm, alice, octet):
    gateway = start(realm=realm, gssapi="nec = true")
    with GssClient(gateway, alice) as client:
        client.log_in().send(frame(LEVEL, bytes([octet])))
        client.refused()
    violation(gateway, client, "unknown-level")


@pytest.mark.parametrize("level", (NONE, INTEGRITY, CONFIDENTIALITY))
def test_the_nec_form_is_refused_by_default(gateway, alice, level):
    with GssClient(gateway, alice) as client:
        client.log_in().send(frame(LEVEL, bytes([level])))
        client.refused()
    violation(gateway, client, "unwrapped-level")


# --- level none ---


def test_none_is_plain_when_the_request_is(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        assert client.log_in().propose(NONE) == NONE
        assert client.ask(*echo.address).code == 0
        client.echo(b"\x01\x03plain bytes")
    record = gateway.closing(client)
    assert record["protection"] == "none" and record["bytes_up"] == "13"


@pytest.mark.parametrize("level", (INTEGRITY, CONFIDENTIALITY))
def test_none_is_sealed_when_the_request_is(gateway, alice, echo, level):
    """Dante's client seals all the same: it stays so, in both directions."""
    with GssClient(gateway, alice) as client:
        assert client.log_in().propose(NONE) == NONE
        client.level = level
        client.put(socks.request(*echo.address))
        message, _ = client.open()
        assert message[:2] == b"\x05\x00"
        client.put(b"sealed")
        message, _ = client.open()
        assert message == b"sealed"
    assert gateway.closing(client)["protection"] == NAMES[level]


def test_none_and_sealed_stays_sealed(gateway, alice, echo):
    with GssClient(gateway, alice) as client:
        client.log_in().propose(NONE)
        client.level = CONFIDENTIALITY
        client.put(socks.request(*echo.address))
        client.open()
        client.send(b"plain bytes all of a sudden")
        assert not client.rest_or_reset()
    violation(gateway, client, "wrong-version")


@pytest.mark.parametrize("first", (b"\x00", b"\x04", b"\x06", b"\xff"))
def test_none_and_then_nonsense(gateway, alice, first):
    with GssClient(gateway, alice) as client:
        client.log_in().propose(NONE)
        client.send(first + b"\x01\x00\x01\x7f\x00\x00\x01\x00\x50")
        client.rest_or_reset()
    record = gateway.closing(client)
    assert record["event"] == "protocol.error" and record["user"] == "alice@SALLYPORT.TEST"


def test_none_is_not_agreed_unless_listed(start, realm, alice):
    gateway = start(realm=realm)
    with GssClient(gateway, alice) as client:
        assert client.log_in().propose(NONE) == CONFIDENTIALITY
    gateway.closing(client)


# --- a client that goes on unprotected ---


@pytest.mark.sanitizers
@pytest.mark.parametrize("level", (INTEGRITY, CONFIDENTIALITY, SELECTIVE))
def test_a_bare_request_after_a_level_was_agreed(gateway, alice, echo, level):
    """curl 8.20 does this. Cut, and the record names the principal."""
    with GssClient(gateway, alice) as client:
        assert client.log_in().propose(level) == level
        client.send(socks.request("target.example", 80))
        assert not client.rest_or_reset()
    record = violation(gateway, client, "unprotected-message")
    assert record["event"] == "protocol.error" and record["protection"] == NAMES[level]


def test_a_bare_request_instead_of_the_level(gateway, alice):
    with GssClient(gateway, alice) as client:
        client.log_in().send(socks.request("target.example", 80))
        client.refused()
    violation(gateway, client, "unprotected-message")


# --- what a rule and a listener ask for ---


def test_a_rules_least_protection(start, realm, alice, echo):
    """Refused with a reply that is protected as agreed; selective counts as integrity."""
    def rule(least):
        return gw.rule(least, destination=gw.LOOPBACK).replace("{", f'{{ protection = "{least}"', 1)
    for least, enough in (("confidentiality", {CONFIDENTIALITY}), ("none", {0, 1, 2, 3}),
                          ("integrity", {INTEGRITY, SELECTIVE, CONFIDENTIALITY})):
        gateway = start(realm=realm, rules=rule(least), gssapi=protection(LISTS["all"][1]))
        for level in NAMES:
            with GssClient(gateway, alice) as client:
                assert client.log_in().propose(level) == level
                code = client.ask(*echo.address).code
                assert code == (0 if level in enough else 2), (least, level)
                if code:
                    assert (client.get_rest() if level else client.rest()) == b""
            record = gateway.closing(client)
            assert record["event"] == ("session.end" if level in enough else "request.denied")
            assert record["protection"] == NAMES[level]


def test_a_rules_least_protection_where_the_client_decides(start, realm, alice, echo):
    """None was answered; who seals all the same, as Dante's client does, has what it seals with."""
    gateway = start(realm=realm, gssapi='protection = { "none" }', rules=[
        gw.rule("sealed", destination=gw.LOOPBACK).replace("{", '{ protection = "confidentiality"', 1),
        gw.rule("elsewhere", destination=gw.LOOPBACK, port=["1"])])
    for level, code in ((NONE, 2), (INTEGRITY, 2), (CONFIDENTIALITY, 0)):
        with GssClient(gateway, alice) as client:
            assert client.log_in().propose(NONE) == NONE
            client.level = level
            assert client.ask(*echo.address).code == code, level
        assert gateway.closing(client)["protection"] == NAMES[level]


def test_the_next_rule_may_allow_less(start, realm, alice, echo):
    gateway = start(realm=realm, rules=[
        gw.rule("sealed", destination=gw.LOOPBACK).replace("{", '{ protection = "confidentiality"', 1),
        gw.rule("any", destination=gw.LOOPBACK)])
    for level, title in ((INTEGRITY, "any"), (CONFIDENTIALITY, "sealed")):
        with GssClient(gateway, alice) as client:
            client.connect(echo.address, level)
        assert gateway.closing(client)["rule"] == title


def test_each_listener_has_a_list_of_its_own(start, realm, alice):
    gateway = start(realm=realm, listen=[
        ("127.0.0.1:0", 'protection = { "integrity" }'),
        ("127.0.0.2:0", 'protection = { "confidentiality" }'), "127.0.0.3:0"])
    for address in gateway.addresses:
        wanted = {"127.0.0.1": INTEGRITY, "127.0.0.2": CONFIDENTIALITY}
        with GssClient(address, alice) as client:
            answered = client.log_in().propose(SELECTIVE)
            assert answered == wanted.get(address[0], CONFIDENTIALITY)
        gateway.closing(client)


def test_what_is_agreed_changes_with_a_reload(start, realm, alice, echo):
    """For who comes from then on; a session, and a login under way, keep what they began with."""
    gateway = start(realm=realm, gssapi='protection = { "confidentiality" }')
    with GssClient(gateway, alice) as live, GssClient(gateway, alice) as half:
        live.connect(echo.address)
        half.log_in()
        gateway.reload(gateway.config_path.read_text().replace(
            'protection = { "confidentiality" }', 'protection = { "integrity" } nec = true'))
        for bare in (False, True):
            with GssClient(gateway, alice) as client:
                assert client.log_in().propose(CONFIDENTIALITY, bare) == INTEGRITY
        assert half.propose(INTEGRITY) == CONFIDENTIALITY
        assert half.ask(*echo.address).code == 0
        half.echo(), live.echo()


def test_each_listener_has_services_of_its_own(start, realm, alice, echo):
    gateway = start(realm=realm, listen=[
        ("127.0.0.1:0", 'service = { "rcmd" }'), ("127.0.0.2:0", 'service = { "socks" }'),
        ("127.0.0.3:0", "service = {}"), "127.0.0.4:0"])
    works = {"127.0.0.1": {"rcmd"}, "127.0.0.2": {"socks"}}
    for address in gateway.addresses:
        for service in ("rcmd", "socks"):
            served = service in works.get(address[0], {"rcmd", "socks"})
            with GssClient(address, alice, service=f"{service}@localhost") as client:
                if served:
                    client.connect(echo.address).echo()
                else:
                    client.offer().send(frame(1, client.context.first))
                    client.refused()
            closing = gateway.closing(client)
            assert closing["event"] == ("session.end" if served else "auth.failure"), closing
            assert served or closing["detail"] == "wrong-service", closing


def test_a_message_of_data_before_the_level(gateway, alice):
    with GssClient(gateway, alice) as client:
        client.log_in().send(frame(DATA, client.context.wrap(b"\x05\x01\x00", True)))
        client.refused()
    violation(gateway, client, "wrong-message-type")
