# SPDX-License-Identifier: ISC
"""The request and its reply: every code CONNECT can meet, with the errno behind it."""
import fcntl
import os
import struct
import subprocess
import termios

import pytest

import gateway as gw
import servers
import socks
from socks import Client, request
from waiting import wait_until

needs_root = pytest.mark.skipif(not gw.ROOT, reason="a network namespace needs root")


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(extra='resolver { timeout = 1 attempts = 1 servers = { "127.0.0.1:9" } }')


def refused(gateway, client, reply, code, event, reason):
    """The reply came whole, then a clean end, then one closing record."""
    assert reply.code == code
    client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == (event, reason), record
    assert record["reply"] == str(code)
    return record


def test_bound_address_is_the_outgoing_socket(gateway):
    with servers.Server(servers.hold) as server, Client(gateway) as client:
        client.greet()
        reply = client.ask(*server.address)
        peer = server.wait_connection().getpeername()
        assert (reply.code, reply.atyp, reply.address, reply.port) == (0, socks.IPV4, *peer[:2])
        record = gateway.wait_event("session.start", client=client.name)
    assert record["egress"] == socks.name_of(peer)
    assert record["address"] == record["destination"] == socks.name_of(server.address)
    assert (record["command"], record["reply"], record["rule"]) == ("connect", "0", "loopback")
    assert record["listener"] == "127.0.0.1:0"


def test_bound_address_ipv6(gateway):
    with servers.Server(servers.hold, "::1") as server, Client(gateway) as client:
        reply = client.greet().ask(*server.address)
        peer = server.wait_connection().getpeername()
        assert (reply.code, reply.atyp, reply.address, reply.port) == (0, socks.IPV6, *peer[:2])
    assert gateway.closing(client)["destination"] == f"[::1]:{server.port}"


def test_listens_on_ipv6(start, echo, echo6):
    gateway = start(listen=["[::1]:0"])
    for server in (echo, echo6):
        with Client(gateway) as client:
            client.connect(server.address).echo()
        assert gateway.closing(client)["client"].startswith("[::1]:")


@pytest.mark.parametrize("command,reason", [
    (0, None), (4, None), (0x80, None), (255, None)])
def test_commands_that_are_not_served(gateway, echo, command, reason):
    with Client(gateway) as client:
        reply = client.greet().ask(*echo.address, command=command)
        refused(gateway, client, reply, 7, "request.failed", "command-not-supported")


@pytest.mark.parametrize("atyp", [0, 2, 5, 0x7F, 255])
def test_unknown_address_types(gateway, atyp):
    with Client(gateway) as client:
        client.greet().send(bytes([5, 1, 0, atyp]), b"\x7f\0\0\1\0\x50" + b"x" * 1000)
        refused(gateway, client, client.reply(), 8, "request.failed", "address-type-not-supported")


@pytest.mark.parametrize("version", [0, 1, 4, 6, 255])
def test_request_of_another_version(gateway, echo, version):
    with Client(gateway) as client:
        client.greet().send(bytes([version]), request(*echo.address)[1:])
        assert client.rest() == b"\x05\x01\0\x01" + bytes(6), "a general failure, and no address"
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "malformed-message")


def test_reserved_octet_is_not_zero(gateway, echo):
    with Client(gateway) as client:
        data = bytearray(request(*echo.address))
        data[2] = 1
        reply = client.greet().send(bytes(data)).reply()
        assert reply.code == 1
        client.ends()
    assert gateway.closing(client)["reason"] == "malformed-message"


def test_ipv4_mapped(gateway, echo):
    """::ffff:127.0.0.1 is 127.0.0.1, for the rules and for the audit."""
    with Client(gateway) as client:
        client.connect(("::ffff:127.0.0.1", echo.port)).echo()
    assert gateway.closing(client)["address"] == f"127.0.0.1:{echo.port}"


@pytest.mark.parametrize("name,address", [
    (b"127.0.0.1", "127.0.0.1"), (b"::ffff:127.0.0.1", "127.0.0.1"), (b"127.0.0.2", "127.0.0.2")])
def test_an_address_in_the_name_field(start, name, address):
    gateway = start()
    with servers.Server(servers.echo, "0.0.0.0") as server, Client(gateway) as client:
        client.connect((name, server.port)).echo()
        assert gateway.wait_event("session.start", client=client.name)["destination"] == \
            f"{address}:{server.port}"


def test_an_ipv6_address_in_the_name_field(gateway, echo6):
    with Client(gateway) as client:
        client.connect((b"0:0:0:0:0:0:0:1", echo6.port)).echo()
    assert gateway.closing(client)["destination"] == f"[::1]:{echo6.port}"


BAD_NAMES = {
    "short-ipv4": b"127.1", "hex": b"0x7f000001", "number": b"2130706433", "octal": b"0177.0.0.1",
    "hex-labels": b"0x7f.0x0.0x0.0x1", "five-octets": b"127.0.0.0.1", "ipv4-dot": b"127.0.0.1.",
    "numeric-last-label": b"example.1", "hex-last-label": b"example.0x1f", "dot": b".",
    "leading-dot": b".example.test", "two-dots": b"a..b", "two-end-dots": b"example.test..",
    "label-64": b"a" * 64 + b".test", "name-254": b".".join([b"a" * 49] * 5) + b".test",
    "name-255": b"a." * 127 + b"b", "nul": b"example.test\0", "nul-inside": b"exa\0mple.test",
    "newline": b"example.test\nv=1 event=session.end", "escape": b"\x1b[2Jexample.test",
    "del": b"example\x7f.test", "space": b"example test", "backslash": b"example\\.test",
    "with-port": b"example.test:80", "brackets": b"[::1]", "scope": b"fe80::1%lo",
    "url": b"http://example.test/", "quote": b'a" rule="x', }


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_names_that_are_none(gateway, name):
    """Refused before anybody is asked about them; the audit shows the bytes, escaped."""
    assert len(name) <= 255
    with Client(gateway) as client:
        reply = client.greet().ask(name, 80)
        client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"], reply.code) == ("request.failed", "bad-name", 1), record
    text = name.decode("latin-1").split("\0")[0]
    assert text in record["destination"], record
    assert record["destination"].endswith(":80")


def test_empty_name(gateway):
    with Client(gateway) as client:
        reply = client.greet().ask(b"", 80)
        assert reply.code == 1
        client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["reason"]) == ("protocol.error", "malformed-message")


def test_refused_connection(gateway):
    holder, port = servers.dead_port()
    with holder, Client(gateway) as client:
        reply = client.greet().ask("127.0.0.1", port)
        record = refused(gateway, client, reply, 5, "request.failed", "connection-refused")
    assert record["address"] == f"127.0.0.1:{port}" and record["rule"] == "loopback"
    assert "bytes_up" not in record


def test_denied_by_rules(gateway):
    with Client(gateway) as client:
        reply = client.greet().ask("192.0.2.1", 80)
        record = refused(gateway, client, reply, 2, "request.denied", "no-rule")
    assert "rule" not in record and record["destination"] == "192.0.2.1:80"


def test_failure_reply_survives_pipelined_payload(gateway):
    """A close with unread bytes would reset the connection and destroy the reply."""
    holder, port = servers.dead_port()
    with holder, Client(gateway) as client:
        client.greet().send(request("127.0.0.1", port), b"x" * 300_000)
        reply = client.reply()
        refused(gateway, client, reply, 5, "request.failed", "connection-refused")


@pytest.mark.parametrize("what", ["request", "login", "methods"])
def test_refusal_of_a_client_that_goes_on_sending(gateway, start, what):
    """It has not read yet that it was refused: no reset meets what it still sends."""
    holder, port = servers.dead_port()
    if what == "login":
        gateway = start(methods=["userpass"])
    with holder, Client(gateway) as client:
        if what == "request":
            client.greet().send(request("127.0.0.1", port))
        elif what == "login":
            client.greet(socks.USERPASS).send(socks.login("alice", "wrong"))
        else:
            client.send(socks.hello(0x55))
        gateway.closing(client)
        for _ in range(20):
            client.send(b"x" * 10_000)
            wait_until(lambda: unsent(client) == 0, 5, "the gateway takes it")
        first = {"request": b"\x05\x05", "login": b"\x01\x01", "methods": b"\x05\xff"}[what]
        assert client.recv(2) == first
        client.shut()
        client.rest()


def unsent(client):
    """Bytes that the other side has not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(client.sock, termios.TIOCOUTQ, b"\0" * 4))[0]


def test_failure_reply_to_a_client_that_never_closes(gateway):
    """Closed within 10 s of the failure, even if the client keeps its side open."""
    with Client(gateway, deadline=13) as client:
        assert client.greet().ask("192.0.2.1", 80).code == 2
        client.ends()
        def gone():
            try:
                client.send(b"x")
            except (BrokenPipeError, ConnectionResetError):
                return True
            return False
        wait_until(gone, 12, "the gateway closes its side")


# --- errnos that need routes of their own ---


@pytest.fixture(scope="module")
def namespace():
    """A network namespace with routes that refuse in each way the kernel knows."""
    name = f"sp{os.getpid()}"
    run = lambda *words: subprocess.run(["ip", *words], check=True, capture_output=True)
    run("netns", "add", name)
    try:
        inside = ("-n", name)
        run(*inside, "link", "set", "lo", "up")
        for kind, net in (("unreachable", 1), ("blackhole", 2), ("prohibit", 3), ("throw", 4)):
            run(*inside, "route", "add", kind, f"198.51.{100 + net}.0/24")
        run(*inside, "-6", "route", "add", "unreachable", "2001:db8:1::/48")
        run(*inside, "-6", "route", "add", "prohibit", "2001:db8:3::/48")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True, capture_output=True)


class Inside:
    """Runs the client in the namespace too: a thread that has entered it makes the socket."""

    def __init__(self, name):
        self.path = f"/run/netns/{name}"

    def __call__(self, function, *args):
        import concurrent.futures
        import ctypes

        def enter():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(self.path) as ns:
                if libc.setns(ns.fileno(), 0x40000000) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            return function(*args)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(enter).result(30)


@pytest.fixture(scope="module")
def lonely(start_shared, namespace):
    gateway = start_shared(netns=namespace, rules=[gw.rule("everything", destination=["0.0.0.0/0", "::/0"])],
                           timeouts="connect = 2 stop = 2")
    return gateway, Inside(namespace)


@needs_root
@pytest.mark.parametrize("host,code,reason", [
    ("198.51.101.1", 4, "host-unreachable"), ("198.51.102.1", 4, "host-unreachable"),
    ("198.51.103.1", 2, "prohibited"), ("198.51.104.1", 3, "network-unreachable"),
    ("203.0.113.1", 3, "network-unreachable"), ("2001:db8:1::1", 4, "host-unreachable"),
    ("2001:db8:3::1", 2, "prohibited"), ("2001:db8:9::1", 3, "network-unreachable")],
    ids=["unreachable", "blackhole", "prohibit", "throw", "no-route", "unreachable6", "prohibit6",
         "no-route6"])
def test_errno_to_reply(lonely, host, code, reason):
    gateway, inside = lonely

    def session():
        with Client(gateway) as client:
            reply = client.greet().ask(host, 80)
            client.ends()
        return client, reply
    client, reply = inside(session)
    record = gateway.closing(client)
    assert (reply.code, record["reason"], record["event"]) == (code, reason, "request.failed"), record
    assert record["rule"] == "everything"


@needs_root
def test_connect_timeout(namespace, start):
    """A host that never answers: a veth pair whose other end drops everything."""
    run = lambda *words: subprocess.run(["ip", "-n", namespace, *words], check=True, capture_output=True)
    run("link", "add", "quiet0", "type", "veth", "peer", "name", "quiet1")
    run("addr", "add", "192.0.2.1/24", "dev", "quiet0")
    run("link", "set", "quiet0", "up")
    run("link", "set", "quiet1", "up")
    run("neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "quiet0")
    gateway = start(netns=namespace, rules=[gw.rule("all")], timeouts="connect = 1 stop = 2")

    def session():
        with Client(gateway) as client:
            reply = client.greet().ask("192.0.2.9", 80)
            client.ends()
        return client, reply
    client, reply = Inside(namespace)(session)
    record = gateway.closing(client)
    assert (reply.code, record["reason"]) == (4, "connect-timeout")
    assert 0.9 < float(record["duration"]) < 5


@needs_root
def test_egress_address(namespace, start):
    """egress.ipv4 is the source that the destination sees."""
    gateway = start(netns=namespace, extra='egress { ipv4 = "127.0.0.77" }')

    def session():
        with servers.Server(servers.hold) as server, Client(gateway) as client:
            reply = client.greet().ask(*server.address)
            return reply, server.wait_connection().getpeername()
    reply, peer = Inside(namespace)(session)
    assert reply.code == 0 and reply.address == peer[0] == "127.0.0.77"


@needs_root
def test_own_addresses_are_closed(namespace, start):
    """Every address of the gateway host itself is special, not only loopback; a prefix that names it
    opens it."""
    subprocess.run(["ip", "-n", namespace, "addr", "add", "203.0.113.7/32", "dev", "lo"], check=True)
    wide = start(netns=namespace, rules=[gw.rule("all", destination=["0.0.0.0/0"])])
    named = start(netns=namespace, rules=[gw.rule("own", destination=["203.0.113.7/32"])])

    def session(gateway):
        with servers.Server(servers.echo, "203.0.113.7") as server, Client(gateway) as client:
            return client, client.greet().ask(*server.address)
    client, reply = Inside(namespace)(session, wide)
    assert reply.code == 2
    record = wide.closing(client)
    assert (record["event"], record["reason"]) == ("request.denied", "special-destination")
    client, reply = Inside(namespace)(session, named)
    assert reply.code == 0 and named.closing(client)["rule"] == "own"


@needs_root
def test_an_address_the_host_got_later_is_closed(namespace, start):
    """The worker has not heard of it; the source address of the connection gives it away."""
    gateway = start(netns=namespace, rules=[gw.rule("all", destination=["0.0.0.0/0", "::/0"])])
    subprocess.run(["ip", "-n", namespace, "addr", "add", "203.0.113.8/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "-n", namespace, "addr", "add", "2001:db8:77::8/128", "dev", "lo", "nodad"], check=True)

    def session(host):
        with servers.Server(servers.echo, host) as server, Client(gateway) as client:
            return client, client.greet().ask(*server.address)
    for host in ("203.0.113.8", "2001:db8:77::8"):
        client, reply = Inside(namespace)(session, host)
        assert reply.code == 2, host
        record = gateway.closing(client)
        assert (record["event"], record["reason"]) == ("request.denied", "special-destination")
