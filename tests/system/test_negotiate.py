# SPDX-License-Identifier: ISC
"""Method negotiation and RFC 1929 on the wire: every way a client may cut its bytes, and every way
it may get them wrong. Each connection gets one closing record with the reason named here."""
import pytest

import socks
from socks import Client, hello, login, request


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(methods=["userpass"])


@pytest.fixture(scope="module")
def open_gateway(start_shared):
    return start_shared(methods=["none"])


@pytest.fixture(scope="module")
def both(start_shared):
    return start_shared(methods=["userpass", "none"])


def whole(echo, payload=b"payload"):
    """A client's bytes from the first to the payload, and the lengths of what they answer."""
    return (hello(socks.USERPASS) + login("alice", "wonderland") + request(*echo.address) + payload)


def answers(client, payload=b"payload"):
    assert client.recv(2) == b"\x05\x02"
    assert client.recv(2) == b"\x01\x00"
    assert client.reply().code == 0
    assert client.recv(len(payload)) == payload


def test_step_by_step(gateway, echo):
    with Client(gateway) as client:
        assert client.log_in() == 0
        assert client.ask(*echo.address).code == 0
        client.echo().shut().ends()
    record = gateway.closing(client)
    assert record["event"] == "session.end" and record["reason"] == "closed"
    assert (record["user"], record["method"], record["protocol"]) == ("alice", "userpass", "socks5")
    assert (record["bytes_up"], record["bytes_down"]) == ("4", "4")


def test_pipelined(gateway, echo):
    with Client(gateway) as client:
        client.send(whole(echo))
        answers(client)
        client.shut().ends()
    assert gateway.closing(client)["reason"] == "closed"


def test_one_byte_per_segment(gateway, echo):
    with Client(gateway) as client:
        client.send_slowly(whole(echo))
        answers(client)
        client.shut().ends()
    assert gateway.closing(client)["reason"] == "closed"


def test_every_split_in_two(gateway, echo):
    """The client's bytes cut at each place; the rest comes only when the gateway has had the time to
    see the first part (it answered all it could)."""
    data = whole(echo)
    clients = []
    for cut in range(1, len(data)):
        client = Client(gateway)
        client.send(data[:cut])
        clients.append((cut, client))
    for cut, client in clients:
        client.send(data[cut:])
    for cut, client in clients:
        answers(client)
        client.shut().ends()
        client.close()
    for cut, client in clients:
        record = gateway.closing(client)
        assert (record["reason"], record["bytes_up"]) == ("closed", "7"), cut


def test_client_ends_its_stream_with_the_request(gateway, echo):
    """All bytes and the end of the stream before the first answer."""
    with Client(gateway) as client:
        client.send(whole(echo)).shut()
        answers(client)
        client.ends()
    assert gateway.closing(client)["reason"] == "closed"


def test_zero_methods(gateway):
    with Client(gateway) as client:
        client.send(hello())
        assert client.rest() == b"\x05\xff"
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "no-acceptable-method")


@pytest.mark.parametrize("methods", [[0x00], [0x01], [0x03, 0x80, 0xFE], [0xFF], list(range(3, 256))],
                         ids=["none", "gssapi", "others", "ff", "all-but-ours"])
def test_no_common_method(gateway, methods):
    with Client(gateway) as client:
        client.send(hello(*methods))
        assert client.rest() == b"\x05\xff"
    assert gateway.closing(client)["reason"] == "no-acceptable-method"


def test_refusal_survives_pipelined_bytes(gateway):
    """What the client sent ahead must not turn the refusal into a reset."""
    with Client(gateway) as client:
        client.send(hello(), b"x" * 100_000)
        assert client.rest() == b"\x05\xff"
    assert gateway.closing(client)["reason"] == "no-acceptable-method"


def test_methods_255(gateway):
    with Client(gateway) as client:
        client.send(bytes([5, 255]), bytes(range(255)))
        assert client.recv(2) == b"\x05\x02"


@pytest.mark.parametrize("offered,chosen", [((0, 2), 2), ((2, 0), 2), ((0,), 0), ((2,), 2), ((0, 0, 0), 0)])
def test_gateway_prefers_by_its_own_order(both, offered, chosen):
    with Client(both) as client:
        client.send(hello(*offered))
        assert client.recv(2) == bytes([5, chosen])


def test_a_method_no_rule_could_accept_is_not_chosen(start, echo):
    gateway = start(methods=["none", "userpass"], rules='rule "users" { action = "allow" '
                    'user = { "*" } destination = { "127.0.0.0/8" } }\n')
    with Client(gateway) as client:
        client.send(hello(socks.NONE, socks.USERPASS))
        assert client.recv(2) == b"\x05\x02"
    with Client(gateway) as client:
        client.send(hello(socks.NONE))
        assert client.rest() == b"\x05\xff"


@pytest.mark.parametrize("first,reason", [
    (b"\x00", "unknown-protocol"), (b"\x01\x00", "unknown-protocol"),
    (b"\x06\x01\x00", "unknown-protocol"), (b"GET / HTTP/1.1\r\n\r\n", "unknown-protocol"),
    (b"\x16\x03\x01\x02\x00\x01\x00", "unknown-protocol"), (b"\xff" * 4096, "unknown-protocol")],
    ids=["nul", "one", "six", "http", "tls", "ff"])
def test_first_byte_is_no_version(gateway, first, reason):
    with Client(gateway) as client:
        client.send(first)
        client.ends_or_resets()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", reason)
    assert "method" not in record


def test_socks4_where_a_password_is_wanted(gateway):
    with Client(gateway) as client:
        assert client.send(b"\x04\x01\x00\x50\x7f\x00\x00\x01user\x00").rest() == b"\0\x5b" + bytes(6)
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "no-acceptable-method")
    assert (record["protocol"], record["claimed"]) == ("socks4", "user")
    assert "method" not in record and "user" not in record


@pytest.mark.parametrize("version", [0, 2, 5, 255])
def test_wrong_version_of_the_sub_negotiation(gateway, version):
    with Client(gateway) as client:
        client.greet(socks.USERPASS).send(bytes([version]), login("alice", "wonderland")[1:])
        assert client.rest() == b"\x01\x01"
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "malformed-message")


@pytest.mark.parametrize("user,password", [
    (b"", b""), (b"", b"wonderland"), (b"alice", b""),
    (b"a" * 255, b"p" * 255), (b"alice", b"p" * 255), (b"a" * 255, b"wonderland"),
    (b"alice\0", b"wonderland"), (b"alice", b"wonderland\0"), (b"alice", b"wonder\0land"),
    (b"\0alice", b"wonderland"), (b"ali\x00ce", b"\0"), (b"alice\n", b"wonderland"),
    (b"ali\x1bce\x7f", b"wonderland\r\n"), (b"\xff\xfe", b"\xff" * 20), (b"alice ", b"wonderland"),
    (b"ALICE", b"wonderland"), (b"alice:x", b"wonderland"), (b"alice", b"Wonderland"),
    (b"alice", b"wonderlandx"), (b"alice", b"wonderlan"), (b"*", b"*")])
def test_login_that_must_fail(gateway, user, password):
    with Client(gateway) as client:
        assert client.log_in(user, password) == 1
        client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("auth.failure", "bad-credentials")
    assert "user" not in record and record.get("claimed", "") == user.decode("latin-1")


def test_failed_login_survives_a_pipelined_request(gateway, echo):
    with Client(gateway) as client:
        client.send(hello(2), login("alice", "wrong"), request(*echo.address), b"x" * 50_000)
        assert client.rest() == b"\x05\x02\x01\x01"
    assert gateway.closing(client)["event"] == "auth.failure"


def test_names_and_passwords_of_255_bytes_work(start, echo):
    import gateway as gw
    user, password = "u" * 255, "p" * 72  # bcrypt knows no more than 72
    gateway = start(methods=["userpass"], users=gw.user_line(user, password))
    with Client(gateway) as client:
        client.connect(echo.address, user, password).echo()
    assert gateway.closing(client)["user"] == user


@pytest.mark.parametrize("count", [1, 2, 3])
def test_client_that_goes_away(gateway, count):
    """A clean end of stream in the middle of a message."""
    for data in (hello(2)[:count], hello(2) + login("alice", "x")[:count]):
        with Client(gateway) as client:
            client.send(data).shut()
            client.rest()
        record = gateway.closing(client)
        assert record["event"] == "protocol.error" and record["reason"] == "client-gone", record


def test_client_that_resets(gateway):
    client = Client(gateway)
    client.greet(socks.USERPASS).send(b"\x01")
    client.reset()
    record = gateway.closing(client)
    assert record["event"] == "protocol.error"
    assert record["reason"] in ("client-reset", "client-gone")
