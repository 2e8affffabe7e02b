# SPDX-License-Identifier: ISC
"""SOCKS 4 and 4A: requests in every form, on a listener that speaks SOCKS 5 as well."""
import pytest

import gateway as gw
import servers
import socks
import socks4
from socks4 import GRANTED, REFUSED, Client, request


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(extra='resolver { timeout = 1 attempts = 1 servers = { "127.0.0.1:9" } hosts = true }')


@pytest.fixture
def named(start, dns):
    return start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 6 attempts = 1 hosts = false }}')


def refused(gateway, client, event, reason, code=REFUSED):
    """The reply came whole, then a clean end, then one closing record."""
    assert client.reply().code == code
    client.ends()
    record = gateway.closing(client)
    assert (record["event"], record.get("reason")) == (event, reason), record
    return record


def test_connect(gateway):
    with servers.Server(servers.echo) as server, Client(gateway) as client:
        reply = client.ask(*server.address, user=b"joe")
        peer = server.wait_connection().getpeername()
        assert reply == (GRANTED, *peer)
        client.echo().shut().ends()
    record = gateway.closing(client)
    assert (record["event"], record["protocol"], record["method"]) == ("session.end", "socks4", "none")
    assert (record["command"], record["rule"], record["reply"]) == ("connect", "loopback", "90")
    assert record["destination"] == record["address"] == socks.name_of(server.address)
    assert (record["bytes_up"], record["bytes_down"]) == ("4", "4")


def test_connect_by_name(gateway, echo):
    with Client(gateway) as client:
        assert client.ask_name("LocalHost.", echo.port, user=b"joe").code == GRANTED
        client.echo().shut().ends()
    record = gateway.closing(client)
    assert (record["protocol"], record["destination"]) == ("socks4a", f"localhost:{echo.port}")
    assert record["address"] == f"127.0.0.1:{echo.port}"


def test_the_same_listener_speaks_socks5(gateway, echo):
    with Client(gateway) as old, socks.Client(gateway) as new:
        new.greet()
        old.connect(echo.address).echo()
        assert new.ask(*echo.address).code == 0
        new.echo()
    assert gateway.closing(new)["protocol"] == "socks5"


@pytest.mark.parametrize("user", [b"joe", b"root", b"*", b"joe@SALLYPORT.TEST", b'a b"c\\=\n\x1b\xff', b"u" * 255],
                         ids=["joe", "root", "star", "principal", "odd", "longest"])
def test_userid_is_a_claim(gateway, echo, user):
    with Client(gateway) as client:
        client.connect(echo.address, user).echo()
    record = gateway.closing(client)
    assert record["claimed"] == user.decode("latin-1") and "user" not in record
    assert record["event"] == "session.end"


def test_without_userid_nothing_is_claimed(gateway, echo):
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    record = gateway.closing(client)
    assert "claimed" not in record and "user" not in record


def test_userid_fulfils_no_rule(start, echo):
    gateway = start(rules=[gw.rule("joe", user=["joe", "*"], destination=["127.0.0.0/8"]),
                           gw.rule("anybody", destination=["192.0.2.0/24"])])
    with Client(gateway) as client:
        client.send(request(*echo.address, user=b"joe"))
        record = refused(gateway, client, "request.denied", "no-rule")
    assert record["claimed"] == "joe" and "user" not in record


@pytest.mark.parametrize("method,allowed", [("none", True), ("userpass", False)])
def test_rules_see_method_none(start, echo, method, allowed):
    gateway = start(methods=["none", "userpass"],
                    rules=[gw.rule("by method", method=[method], destination=["127.0.0.0/8"])])
    with Client(gateway) as client:
        assert client.ask(*echo.address).code == (GRANTED if allowed else REFUSED)


@pytest.mark.parametrize("data", [request("127.0.0.1", 9, user=b"u" * 256),
                                  request("127.0.0.1", 9, user=b"u" * 5000),
                                  bytes([4, 1, 0, 9, 127, 0, 0, 1]) + b"u" * 256,
                                  request("0.0.0.1", 9, name=b"n" * 256),
                                  request("0.0.0.1", 9, user=b"u" * 255, name=b"n" * 300),
                                  request("0.0.0.255", 9, name=b"n" * 70000)],
                         ids=["user", "very-long-user", "user-without-end", "name", "both", "very-long-name"])
def test_over_long_texts(gateway, data):
    with Client(gateway) as client:
        client.send(data)
        refused(gateway, client, "protocol.error", "malformed-message")


@pytest.mark.parametrize("data", [bytes([4]), bytes([4, 1, 0, 80, 127]), bytes([4, 1, 0, 80, 127, 0, 0, 1]) + b"joe",
                                  request("0.0.0.1", 80, user=b"joe"), request("0.0.0.1", 80) + b"name.without.end"],
                         ids=["version", "half", "user", "no-name", "name"])
def test_missing_end(gateway, data):
    """The stream ends inside the request: nothing to answer."""
    with Client(gateway) as client:
        client.send(data).shut().ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "client-gone")


@pytest.mark.parametrize("data", [b"\x04", bytes([4, 1, 0, 80, 127, 0, 0, 1]) + b"joe"], ids=["version", "user"])
def test_silent_client(start, data):
    gateway = start(timeouts="negotiate = 1 stop = 2")
    with Client(gateway) as client:
        client.send(data)
        client.rest()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "client-timeout")


@pytest.mark.parametrize("marker", ["0.0.0.1", "0.0.0.2", "0.0.0.128", "0.0.0.255"])
def test_every_marker_announces_a_name(gateway, echo, marker):
    with Client(gateway) as client:
        assert client.ask_name("localhost", echo.port, marker=marker).code == GRANTED
        client.echo()


def test_all_zeros_is_an_address(gateway):
    """0.0.0.0 announces no name: what follows USERID would be payload."""
    with Client(gateway) as client:
        client.send(request("0.0.0.0", 80, user=b"joe"))
        record = refused(gateway, client, "request.denied", "no-rule")
    assert (record["protocol"], record["destination"]) == ("socks4", "0.0.0.0:80")


def test_zero_network_is_special(start):
    """0.0.1.0 is an address, too, and a special one."""
    gateway = start(rules=[gw.rule("all", destination=["0.0.0.0/0"])])
    for host in ("0.0.1.0", "0.0.0.0", "127.0.0.1"):
        with Client(gateway) as client:
            client.send(request(host, 80))
            refused(gateway, client, "request.denied", "special-destination")


def test_an_address_as_the_name(gateway, echo):
    with Client(gateway) as client:
        assert client.ask_name("127.0.0.1", echo.port).code == GRANTED
        client.echo()
    assert gateway.closing(client)["destination"] == f"127.0.0.1:{echo.port}"


def test_an_ipv6_destination(named, dns, echo6):
    """The old protocol carries a name to where it has no address for; the reply has room for none."""
    dns.set("six.example.test", aaaa=["::1"])
    with Client(named) as client:
        reply = client.ask_name("six.example.test", echo6.port)
        assert reply == (GRANTED, "0.0.0.0", 0)
        client.echo()
    assert named.closing(client)["address"] == f"[::1]:{echo6.port}"


@pytest.mark.parametrize("name", [b"", b"bad name", b"a\nb", b"a..b", b"x" * 64 + b".test", b"a\\b.test", b"1.2.3.999"],
                         ids=["empty", "space", "newline", "dots", "label", "backslash", "digits"])
def test_bad_names(gateway, name):
    with Client(gateway) as client:
        assert client.ask_name(name, 80).code == REFUSED
        client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("request.failed", "bad-name"), record


def test_a_name_that_does_not_exist(named):
    with Client(named) as client:
        client.send(request("0.0.0.7", 80, name=b"nowhere.example.test"))
        record = refused(named, client, "request.failed", "nxdomain")
    assert record["destination"] == "nowhere.example.test:80"


@pytest.mark.parametrize("form", ["address", "name"])
def test_one_byte_at_a_time(gateway, echo, form):
    data = (request(*echo.address, user=b"joe") if form == "address"
            else request("0.0.0.1", echo.port, user=b"joe", name=b"localhost"))
    with Client(gateway) as client:
        client.send_slowly(data)
        assert client.reply().code == GRANTED
        client.echo().shut().ends()
    assert gateway.closing(client)["claimed"] == "joe"


@pytest.mark.parametrize("form", ["address", "name"])
def test_pipelined_payload(gateway, echo, form):
    """Payload that came with the request is relayed whole, and in order."""
    data = (request(*echo.address) if form == "address" else request("0.0.0.1", echo.port, name=b"localhost"))
    payload = b"".join(servers.chunks(20_000, 4))
    with Client(gateway) as client:
        client.send(data, payload).shut()
        assert client.reply().code == GRANTED
        assert client.rest() == payload
    assert gateway.closing(client)["bytes_up"] == str(len(payload))


def test_half_close_both_ways(gateway):
    with servers.Server(servers.sink) as server, Client(gateway) as client:
        client.connect(server.address).send(b"x" * 100_000).shut()
        assert len(client.rest()) == 64
        assert server.wait_note()[0] == 100_000


@pytest.mark.parametrize("command", [0, 3, 4, 0x5A, 255])
def test_unknown_commands(gateway, echo, command):
    """UDP ASSOCIATE's number, too: there is no UDP in this version."""
    with Client(gateway) as client:
        client.send(request(*echo.address, command=command))
        record = refused(gateway, client, "request.failed", "command-not-supported")
    assert record["protocol"] == "socks4"


def test_refused_by_a_rule(gateway):
    with Client(gateway) as client:
        client.send(request("192.0.2.1", 80, user=b"joe"))
        record = refused(gateway, client, "request.denied", "no-rule")
    assert (record["reply"], record["command"]) == ("91", "connect")
    assert (record["destination"], record["claimed"]) == ("192.0.2.1:80", "joe")


def test_refused_by_the_destination(gateway):
    holder, port = servers.dead_port()
    with holder, Client(gateway) as client:
        client.send(request("127.0.0.1", port))
        refused(gateway, client, "request.failed", "connection-refused")


def test_a_destination_that_never_answers(start):
    holder, port = servers.dead_port("127.0.0.3")
    holder.close()
    gateway = start(timeouts="connect = 1 stop = 2")
    with servers.Full("127.0.0.3", port), Client(gateway) as client:
        client.send(request("127.0.0.3", port))
        refused(gateway, client, "request.failed", "connect-timeout")


def test_a_listener_that_wants_a_password(start, echo):
    """SOCKS 4 carries none."""
    gateway = start(methods=["userpass"])
    with Client(gateway) as client:
        client.send(request(*echo.address, user=b"alice"))
        record = refused(gateway, client, "protocol.error", "no-acceptable-method")
    assert "user" not in record
    with socks.Client(gateway) as client:
        client.connect(echo.address, "alice").echo()


def test_each_listener_has_its_own_methods(start, echo):
    gateway = start(methods=["userpass"], listen=["127.0.0.1:0", ("127.0.0.2:0", 'methods = { "none" }')])
    strict, lax = sorted(gateway.listening)
    with Client(strict) as client:
        client.send(request(*echo.address))
        refused(gateway, client, "protocol.error", "no-acceptable-method")
    with Client(lax) as client:
        client.connect(echo.address).echo()


def test_switched_off(start, echo):
    gateway = start(extra="socks4 { enabled = false }")
    with Client(gateway) as client:
        client.send(request(*echo.address))
        refused(gateway, client, "protocol.error", "unsupported-protocol")
    with socks.Client(gateway) as client:
        client.connect(echo.address).echo()


@pytest.mark.sanitizers
def test_many_requests_broken_off(gateway, echo):
    """Every prefix of a 4A request, then a reset or an end."""
    whole = request("0.0.0.1", echo.port, user=b"joe", name=b"localhost")
    for length in range(1, len(whole)):
        with Client(gateway) as client:
            client.send(whole[:length])
            client.reset() if length % 2 else client.shut().ends()
    with Client(gateway) as client:
        client.connect(echo.address).echo()
