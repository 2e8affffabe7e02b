# SPDX-License-Identifier: ISC
"""Ident (RFC 1413): the client's host is asked on port 113, in a network namespace where that port is
ours. Every client has an address of its own, and there an identd of its own."""
import os
import subprocess

import pytest

import gateway as gw
import servers
import socks
import socks4
from socks4 import GRANTED, NO_IDENTD, WRONG_USER, Client
from test_request import Inside
from waiting import wait_until

pytestmark = pytest.mark.skipif(not gw.ROOT, reason="port 113 in a network namespace needs root")
RULES = [gw.rule("asked", method=["ident"], destination=["127.0.0.0/8"])]


@pytest.fixture(scope="module")
def namespace():
    name = f"ident{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture(scope="module")
def inside(namespace):
    return Inside(namespace)


@pytest.fixture(scope="module")
def inner_echo(inside):
    server = inside(servers.Server, servers.echo)
    with server:
        yield server


@pytest.fixture(scope="module")
def gateway(start_shared, namespace):
    return start_shared(netns=namespace, methods=["ident"], rules=RULES, extra="socks4 { ident-timeout = 20 }")


@pytest.fixture(scope="module")
def hasty(start_shared, namespace):
    """For those who do not answer."""
    return start_shared(netns=namespace, methods=["ident"], rules=RULES, extra="socks4 { ident-timeout = 1 }")


def read_line(connection):
    line = b""
    while not line.endswith(b"\n"):
        data = connection.recv(100)
        assert data
        line += data
    return line


def identd(answer):
    """A handler: answer(the two ports as the gateway wrote them) is what is sent."""
    def handler(connection, server):
        with connection:
            line = read_line(connection)
            server.note((line, connection.getpeername()[0]))
            connection.sendall(answer(line.rstrip().decode()))
    return handler


def says(user, form="{ports} : USERID : UNIX : {user}\r\n"):
    return identd(lambda ports: form.format(ports=ports, user=user).encode("latin-1"))


def ask(inside, gateway, target, host, handler, user=b"joe"):
    """One client from that address and its identd's notes; (reply code, closing record, notes)."""
    server = inside(servers.Server, handler, host, None, 113) if handler else None

    def session():
        with Client(gateway, source=host) as client:
            reply = client.ask(*target, user=user)
            if reply.code == GRANTED:
                client.echo().shut().ends()
            else:
                client.ends()
        return reply, client
    if server is None:
        reply, client = inside(session)
    else:
        with server:
            reply, client = inside(session)
    return reply.code, gateway.closing(client), server.notes if server else []


def test_agrees(gateway, inside, inner_echo):
    code, record, notes = ask(inside, gateway, inner_echo.address, "127.0.1.1", says("joe"))
    assert code == GRANTED
    assert (record["event"], record["method"], record["claimed"]) == ("session.end", "ident", "joe")
    assert record["rule"] == "asked" and "user" not in record
    (line, source), = notes
    port = record["client"].rsplit(":")[1]
    assert line.decode().replace(" ", "") == f"{port},{gateway.port}\r\n"
    assert source == "127.0.0.1", "asked from the address the client came to"


@pytest.mark.parametrize("form", [
    "{ports}:USERID:UNIX:{user}\r\n", "{ports} : USERID : UNIX,US-ASCII : {user}\r\n",
    "{ports} : userid : unix : {user}\n", "{ports} : USERID : UNIX :{user}\r\n and more"])
def test_agrees_in_other_forms(gateway, inside, inner_echo, form):
    code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.2", says("joe", form))
    assert code == GRANTED, record


def test_agrees_by_name(gateway, inside, inner_echo):
    server = inside(servers.Server, says("joe"), "127.0.1.3", None, 113)

    def session():
        with Client(gateway, source="127.0.1.3") as client:
            return client.ask_name("localhost", inner_echo.port, user=b"joe").code
    with server:
        assert inside(session) == GRANTED


def test_agrees_for_bind(gateway, inside):
    """BIND is asked about as well, and not served before."""
    server = inside(servers.Server, says("joe"), "127.0.1.18", None, 113)

    def session(user):
        with Client(gateway, source="127.0.1.18") as client:
            return client.ask("127.0.0.1", 20, socks4.BIND, user=user).code
    with server:
        assert inside(session, b"joe") == GRANTED
        assert inside(session, b"jane") == WRONG_USER


@pytest.mark.parametrize("user,claimed", [("jane", b"joe"), ("joe", b"Joe"), ("joe", b""), ("joe", b"joe2"),
                                          ("joey", b"joe")])
def test_disagrees(gateway, inside, inner_echo, user, claimed):
    code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.4", says(user), claimed)
    assert code == WRONG_USER
    assert (record["event"], record["reason"]) == ("auth.failure", "ident-mismatch")
    assert record["reply"] == str(WRONG_USER) and "user" not in record


def test_not_there(gateway, inside, inner_echo):
    code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.5", None)
    assert code == NO_IDENTD
    assert (record["event"], record["reason"], record["claimed"]) == ("auth.failure", "no-identd", "joe")
    assert record["detail"] == "unreachable"


def test_silent(hasty, inside, inner_echo):
    code, record, _ = ask(inside, hasty, inner_echo.address, "127.0.1.6", servers.hold)
    assert code == NO_IDENTD and record["reason"] == "no-identd" and record["detail"] == "timeout"
    assert 0.9 < float(record["duration"]) < 8


def test_a_silent_identd_delays_nobody_else(gateway, inside, inner_echo):
    silent = inside(servers.Server, servers.hold, "127.0.1.7", None, 113)
    with silent:
        waiting = [inside(lambda: Client(gateway, source="127.0.1.7")) for _ in range(20)]
        for client in waiting:
            client.send(socks4.request(*inner_echo.address, user=b"joe"))
        wait_until(lambda: len(silent.connections) == 20, 5)
        code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.8", says("joe"))
        assert code == GRANTED, record
        for client in waiting:
            assert not gateway.of(client), "it still waits"
            client.close()


@pytest.mark.parametrize("answer", [
    lambda p: b"", lambda p: b"\r\n", lambda p: b"joe\r\n", lambda p: b"\xff\0\x80" * 100 + b"\r\n",
    lambda p: b"x" * 100_000, lambda p: f"{p} : USERID : UNIX : joe".encode(),
    lambda p: b"1,2 : USERID : UNIX : joe\r\n", lambda p: f"{p} : USERID : UNIX\r\n".encode(),
    lambda p: f"{p} : USERID : UNIX : \r\n".encode(), lambda p: f"{p} : USERID : UNIX : joe\0x\r\n".encode(),
    lambda p: f"{p} : ERROR : NO-USER\r\n".encode(), lambda p: f"{p} : ERROR : HIDDEN-USER\r\n".encode(),
    lambda p: f"{p} : ERROR : UNKNOWN-ERROR\r\n".encode(), lambda p: f"{p} : USERID : OTHER : joe\r\n".encode()],
    ids=["nothing", "empty", "bare", "garbage", "endless", "no-end", "other-ports", "half", "no-user", "nul",
         "error-no-user", "error-hidden", "error-unknown", "other-system"])
def test_answers_that_name_nobody(gateway, inside, inner_echo, answer):
    code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.9", identd(answer))
    assert code == NO_IDENTD, record
    assert (record["event"], record["reason"]) == ("auth.failure", "no-identd") and "detail" in record


def test_one_octet_at_a_time(gateway, inside, inner_echo):
    def handler(connection, server):
        with connection:
            ports = read_line(connection).rstrip().decode()
            for octet in f"{ports} : USERID : UNIX : joe\r\n".encode():
                connection.sendall(bytes([octet]))
    assert ask(inside, gateway, inner_echo.address, "127.0.1.10", handler)[0] == GRANTED


def test_a_client_that_goes_away_meanwhile(gateway, inside, inner_echo):
    silent = inside(servers.Server, servers.hold, "127.0.1.11", None, 113)
    with silent:
        client = inside(lambda: Client(gateway, source="127.0.1.11"))
        client.send(socks4.request(*inner_echo.address, user=b"joe"))
        asked = silent.wait_connection()
        client.reset()
        asked.settimeout(5)
        line = b""
        while data := asked.recv(100):  # the question ends with who asked
            line += data
        record = gateway.closing(client)
    assert record["event"] == "protocol.error" and record["reason"] in ("client-gone", "client-reset")


def test_a_rule_decides_about_the_confirmed(gateway, inside):
    code, record, _ = ask(inside, gateway, ("192.0.2.1", 80), "127.0.1.12", says("joe"))
    assert code == socks4.REFUSED
    assert (record["event"], record["method"]) == ("request.denied", "ident")


def test_method_ident_alone_has_no_socks5(gateway, inside, inner_echo):
    def session():
        with socks.Client(gateway) as client:
            client.send(socks.hello(0, 1, 2))
            assert client.recv(2) == b"\x05\xff"
            client.ends()
    inside(session)


def test_with_none_the_unanswered_go_on(start, namespace, inside, inner_echo):
    """Where the listener has none, too: no answer makes it method none, a contradiction still ends it,
    and rules tell the two apart."""
    gateway = start(netns=namespace, methods=["ident", "none"], extra="socks4 { ident-timeout = 20 }", rules=[
        gw.rule("asked", method=["ident"], destination=["127.0.0.0/8"]),
        gw.rule("unasked", method=["none"], destination=["127.0.0.0/8"])])
    code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.13", None)
    assert code == GRANTED and (record["method"], record["rule"]) == ("none", "unasked")
    code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.14", says("joe"))
    assert code == GRANTED and (record["method"], record["rule"]) == ("ident", "asked")
    code, record, _ = ask(inside, gateway, inner_echo.address, "127.0.1.15", says("jane"))
    assert code == WRONG_USER


def test_none_alone_does_not_ask(start, namespace, inside, inner_echo):
    gateway = start(netns=namespace, methods=["none"])
    code, record, notes = ask(inside, gateway, inner_echo.address, "127.0.1.16", says("jane"))
    assert code == GRANTED and notes == [] and record["method"] == "none"


def test_many_at_once(gateway, inside, inner_echo):
    server = inside(servers.Server, says("joe"), "127.0.1.17", None, 113)
    with server:
        clients = [inside(lambda: Client(gateway, source="127.0.1.17")) for _ in range(100)]
        for client in clients:
            client.send(socks4.request(*inner_echo.address, user=b"joe"))
        for client in clients:
            with client:
                assert client.reply().code == GRANTED
                client.echo()
