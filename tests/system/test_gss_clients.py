# SPDX-License-Identifier: ISC
"""The ways of real clients with GSS-API, octet by octet: curl of every age, Dante's socksify, the NEC
client. Programs that Debian has are in test_clients.py; its curl cannot finish GSS-API with anybody,
and its Dante client has none built in."""
import pytest

import gateway as gw
import socks
from gssapi_client import (CONFIDENTIALITY, CONTEXT, GSSAPI, INTEGRITY, LEVEL, NAMES, NONE, Flag,
                           GssClient, frame)
from test_gss_levels import violation

# curl asks for mutual authentication and replay detection, not for sequencing.
CURL = [Flag.mutual_authentication, Flag.replay_detection]
CURL_METHODS = (0x00, 0x01, 0x02)


@pytest.fixture(scope="module")
def with_none(start_shared, realm):
    """A gateway for old and new curl: no protection is what they take."""
    return start_shared(realm=realm, gssapi='protection = { "none" }', rules=gw.REALM_USERS)


@pytest.fixture(scope="module")
def usual(start_shared, realm):
    """One whose levels are those of the defaults."""
    return start_shared(realm=realm, rules=gw.REALM_USERS)


def curl_login(gateway, ticket, methods=CURL_METHODS):
    """Header and token in segments of their own."""
    client = GssClient(gateway, ticket, flags=CURL, service="rcmd@localhost")
    client.offer(*methods)
    token = client.context.first
    client.send(frame(CONTEXT, token)[:4])
    client.send(token)
    last = client.message(CONTEXT)
    assert last and client.context.step(last) is None, "a zero-length final token is fatal to curl"
    return client


def curl_level(client, level):
    """The level's header and token apart, too."""
    message = frame(LEVEL, client.context.wrap(bytes([level]), False))
    client.send(message[:4])
    client.send(message[4:])
    return client.agreed()


@pytest.mark.parametrize("asks", (NONE, CONFIDENTIALITY), ids=("curl 7.19 to 7.68", "curl 8.20"))
@pytest.mark.parametrize("methods", ((0, 1), (0, 1, 2)))
def test_curl_where_none_is_agreed(with_none, alice, echo, asks, methods):
    with curl_login(with_none, alice, methods) as client:
        assert curl_level(client, asks) == NONE
        client.send(socks.request(*echo.address))
        assert client.reply().code == 0
        client.echo(b"GET / HTTP/1.1\r\n\r\n")
    assert with_none.closing(client)["protection"] == "none"


def test_curl_by_name(with_none, alice, echo):
    with curl_login(with_none, alice) as client:
        assert curl_level(client, NONE) == NONE
        client.send(socks.request("localhost", echo.port))
        client.reply()
    with_none.closing(client)


def test_curl_8_20_where_another_level_is_agreed(usual, alice):
    """It sends its request bare all the same, and gives up."""
    with curl_login(usual, alice) as client:
        assert curl_level(client, CONFIDENTIALITY) == CONFIDENTIALITY
        client.send(b"\x05\x01\x00\x03\x0etarget.example\x01\xbb")
        assert not client.rest_or_reset()
    violation(usual, client, "unprotected-message")


def test_old_curl_where_another_level_is_agreed(usual, alice):
    """It asked for 0, reads the answer and closes."""
    with curl_login(usual, alice) as client:
        assert curl_level(client, NONE) == CONFIDENTIALITY
    record = usual.closing(client)
    assert record["event"] == "protocol.error" and record["reason"] == "client-gone"
    assert record["user"] == "alice@SALLYPORT.TEST"


def test_curl_without_a_ticket(usual):
    """It takes the method and closes: one record, no complaint."""
    with GssClient(usual) as client:
        client.offer(*CURL_METHODS)
    record = usual.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "client-gone")


def test_curl_8_17_hangs_after_its_first_token(start, realm, alice, echo):
    """It never reads the answer: the time for the login ends it."""
    gateway = start(realm=realm, timeouts="stop = 2 negotiate = 2")
    with GssClient(gateway, alice, flags=CURL) as client:
        client.offer(*CURL_METHODS).send(frame(CONTEXT, client.context.first))
        client.message(CONTEXT)
        client.rest_or_reset()
    assert gateway.closing(client)["reason"] == "client-timeout"


def test_curl_with_the_nec_form(start, realm, alice, echo):
    """--socks5-gssapi-nec: the level goes bare and is wanted back bare."""
    gateway = start(realm=realm, gssapi='nec = true protection = { "none" }')
    with curl_login(gateway, alice) as client:
        client.send(frame(LEVEL, b"\x00")[:4])
        client.send(b"\x00")
        assert client.agreed(bare=True) == NONE
        client.send(socks.request(*echo.address))
        assert client.reply().code == 0
        client.echo()


def test_curl_and_the_gateways_address(start, realm, alice, echo):
    """The service is named as the user typed the gateway: also by its address."""
    name = realm.service("rcmd/127.0.0.1")
    gateway = start(realm=realm, keytab=realm.keytab(name), gssapi='protection = { "none" }')
    with GssClient(gateway, alice, flags=CURL, service="rcmd@127.0.0.1") as client:
        client.connect(echo.address, NONE).echo()


def test_00_first_in_the_list_is_not_picked(start, realm, alice, echo):
    """Where the gateway has both and prefers Kerberos."""
    gateway = start(realm=realm, methods=("gssapi", "none"), gssapi='protection = { "none" }')
    with curl_login(gateway, alice) as client:
        assert curl_level(client, NONE) == NONE
        client.send(socks.request(*echo.address))
        assert client.reply().code == 0
    assert gateway.closing(client)["method"] == "gssapi"


# --- Dante's socksify ---


@pytest.mark.parametrize("listed,wants,answer", (
    (None, CONFIDENTIALITY, CONFIDENTIALITY), ("integrity", CONFIDENTIALITY, INTEGRITY),
    (None, INTEGRITY, INTEGRITY), ("none", NONE, NONE)))
def test_socksify(start, realm, alice, echo, listed, wants, answer):
    """It asks for 2 by itself and takes 1 or 2; its 10-octet request is a token of 38 or 70."""
    gateway = start(realm=realm,
                    gssapi=f'protection = {{ "{listed}" }}' if listed else "")
    with GssClient(gateway, alice) as client:
        client.offer(0, 1, 2).rounds()
        assert client.propose(wants) == answer
        if answer:
            message = client.seal(socks.request(*echo.address))
            assert len(message) == 4 + (38 if answer == INTEGRITY else 70)
            client.send(message)
        else:
            client.send(socks.request(*echo.address))
        assert client.reply().code == 0
        client.echo()
    assert gateway.closing(client)["protection"] == NAMES[answer]


@pytest.mark.parametrize("level", (INTEGRITY, CONFIDENTIALITY))
def test_socksify_seals_though_none_was_answered(with_none, alice, echo, level):
    with GssClient(with_none, alice) as client:
        client.offer(0, 1, 2).rounds()
        assert client.propose(level) == NONE
        client.level = level
        client.put(socks.request(*echo.address))
        client.open()
        client.put(b"sealed")
        assert client.open()[0] == b"sealed"
    assert with_none.closing(client)["protection"] == NAMES[level]


def test_socksify_and_the_nec_client(start, realm, alice, echo):
    gateway = start(realm=realm, gssapi="nec = true")
    with GssClient(gateway, alice) as client:
        client.offer(0, 1, 2).rounds()
        assert client.propose(CONFIDENTIALITY, bare=True) == CONFIDENTIALITY
        assert client.ask(*echo.address).code == 0
        client.echo()


# --- clients without GSS-API ---


@pytest.mark.parametrize("methods", ((0,), (0, 2), (0, 2, 3), (2,)),
                         ids=("Chromium", "OpenJDK, Firefox", "PuTTY", "a password alone"))
def test_clients_without_gssapi_are_told(usual, methods):
    with socks.Client(usual) as client:
        client.send(socks.hello(*methods))
        assert client.recv(2) == b"\x05\xff"
        client.ends()
    assert usual.closing(client)["reason"] == "no-acceptable-method"


def test_browsers_beside_kerberos(start, realm, alice, echo):
    """A gateway with both serves who has a ticket and who has a password."""
    gateway = start(realm=realm, methods=("gssapi", "userpass"))
    with GssClient(gateway, alice) as client:
        client.offer(0, GSSAPI, 2).rounds()
        assert client.propose(CONFIDENTIALITY) == CONFIDENTIALITY
        assert client.ask(*echo.address).code == 0
        client.echo()
    with socks.Client(gateway) as client:
        client.send(socks.hello(0, 2))
        assert client.recv(2) == b"\x05\x02"
        client.send(socks.login("alice", "wonderland"))
        assert client.recv(2) == b"\x01\x00"
        assert client.ask(*echo.address).code == 0
        client.echo()
