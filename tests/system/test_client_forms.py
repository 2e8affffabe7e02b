# SPDX-License-Identifier: ISC
"""Our own client's other forms: bind, udp, and SOCKS 4. Through the gateway, at every level; and with a
gateway played in Python that loses, repeats and changes datagrams, or answers what ours never would."""
import contextlib
import re
import socket
import struct
import subprocess
import threading

import pytest

import client
import gateway as gw
import servers
from test_client_gssapi import LEVELS, Played, alice_run
from waiting import wait_until

NONE = ("--auth", "none")
KINDS = ("none", "userpass", *(f"gssapi, {level}" for level in LEVELS))


class Datagrams:
    """A UDP server on loopback: answer(data) is a list of what goes back; got: all that came."""

    def __init__(self, answer=lambda data: [data], host="127.0.0.1"):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.address = self.socket.getsockname()[:2]
        self.answer, self.got = answer, []

    def __enter__(self):
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"end of the test", self.address)
        self.thread.join(5)
        self.socket.close()

    def _serve(self):
        while True:
            data, peer = self.socket.recvfrom(65536)
            if data == b"end of the test":
                return
            self.got.append(data)
            for answer in self.answer(data):
                self.socket.sendto(answer, peer)


@pytest.fixture(scope="module")
def open_gateway(start_shared):
    return start_shared(methods=["none"], timeouts="stop = 2 bind = 20")


@pytest.fixture
def through(gateway, open_gateway, start, realm):
    """through(kind): the gateway, the options and the environment for that login."""
    def choose(kind):
        method, _, level = kind.partition(", ")
        if method == "gssapi":
            return gateway, ("--protection", level), client.environment(realm.ticket())
        if method == "userpass":
            return (start(methods=["userpass"]), ("--auth", "userpass", "--user", "alice"),
                    client.environment(SALLYPORT_PASSWORD="wonderland"))
        return open_gateway, NONE, client.environment()
    return choose


# --- udp ---


@pytest.mark.sanitizers
@pytest.mark.parametrize("kind", KINDS)
def test_lines_as_datagrams(through, kind):
    via, options, env = through(kind)
    with Datagrams() as server:
        done = client.run(via, server.address, *options, "--lines", form="udp", data=b"one\n\nthree", env=env)
    client.says(done, client.OK, None)
    assert sorted(done.stdout.split(b"\n")) == [b"", b"", b"one", b"three"]
    assert sorted(server.got) == [b"", b"one", b"three"]
    via.wait_event("session.end", command="udp", datagrams_up="3", datagrams_down="3")


def test_names_and_ipv6(open_gateway):
    with Datagrams(host="::1") as server:
        done = client.run(open_gateway, server.address, *NONE, form="udp", data=b"six")
    assert (done.returncode, done.stdout) == (client.OK, b"six"), done.stderr
    with Datagrams() as server:
        done = client.run(open_gateway, ("localhost", server.address[1]), *NONE, form="udp", data=b"name")
    assert (done.returncode, done.stdout) == (client.OK, b"name"), done.stderr


def test_a_gateway_by_ipv6(start):
    gateway = start(listen=["[::1]:0"])
    with Datagrams() as server:
        done = client.run(f"[::1]:{gateway.port}", server.address, *NONE, form="udp", data=b"six")
    assert (done.returncode, done.stdout) == (client.OK, b"six"), done.stderr


@pytest.mark.parametrize("kind", ("none", "gssapi, integrity", "gssapi, confidentiality"))
def test_the_largest_datagrams(through, kind, tmp_path):
    """What one read gives is one datagram; a file gives more than fits, and the rest is the second."""
    via, options, env = through(kind)
    (tmp_path / "data").write_bytes(bytes(range(256)) * 257)
    with Datagrams() as server, open(tmp_path / "data", "rb") as data:
        done = client.run(via, server.address, *options, form="udp", stdin=data, env=env)
    client.says(done, client.OK, None)
    assert len(server.got) == 2 and 65_300 < len(server.got[0]) <= 65_497
    assert b"".join(server.got) == bytes(range(256)) * 257
    assert sorted(done.stdout) == sorted(bytes(range(256)) * 257)


@pytest.mark.parametrize("kind", ("none", "gssapi, confidentiality"))
def test_many_datagrams(through, kind):
    """One at a time: each line after the answer to the one before."""
    via, options, env = through(kind)
    with Datagrams() as server:
        process = client.spawn(via, server.address, *options, "--lines", form="udp", env=env)
        for i in range(2000):
            process.stdin.write(b"%d\n" % i)
            process.stdin.flush()
            assert process.stdout.readline() == b"%d\n" % i
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (client.OK, b"", b"")


def test_nobody_answers(open_gateway):
    with Datagrams(lambda data: []) as server:
        done = client.run(open_gateway, server.address, *NONE, "--wait", "0", form="udp", data=b"into the blue")
        client.says(done, client.OK, None)
        wait_until(lambda: server.got == [b"into the blue"])
    assert done.stdout == b""


def test_it_waits_anew_after_each_answer(open_gateway):
    with Datagrams(lambda data: [b"1", b"2", b"3"]) as server:
        done = client.run(open_gateway, server.address, *NONE, "--lines", form="udp", data=b"three, please")
    client.says(done, client.OK, None)
    assert sorted(done.stdout.split()) == [b"1", b"2", b"3"]


def test_a_line_that_is_too_long(open_gateway):
    done = client.run(open_gateway, ("127.0.0.1", 9), *NONE, "--lines", form="udp", data=b"x" * 65_498 + b"\n")
    client.says(done, client.USAGE, "a line of more than 65497 bytes does not fit a datagram")


def test_a_reader_that_went_away(open_gateway):
    with Datagrams() as server:
        process = client.spawn(open_gateway, server.address, *NONE, form="udp")
        process.stdout.close()
        process.stdin.write(b"hello")
        process.stdin.flush()
        assert process.wait(20) == client.OK
        process.stdin.close(), process.stderr.close()


def test_datagrams_that_the_gateway_does_not_relay(start):
    gateway = start(extra="udp { enabled = false }")
    done = client.run(gateway, ("127.0.0.1", 9), *NONE, form="udp", data=b"x")
    client.says(done, client.REFUSED, "127.0.0.1:9: the gateway does not relay datagrams")


def test_the_gateway_ends_the_association(start):
    gateway = start()
    with Datagrams() as server:
        process = client.spawn(gateway, server.address, *NONE, "--lines", form="udp")
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"hello\n"
        gateway.stop()
        out, err = process.communicate(timeout=20)
    assert process.returncode == client.BROKEN
    assert err in (b"sallyport: the gateway ended the association\n",
                   b"sallyport: the connection broke: Connection reset by peer\n")


# --- bind ---


@contextlib.contextmanager
def listening(via, peer, *options, env=None, **keys):
    """The client that waits, and the address where the gateway listens for it."""
    process = client.spawn(via, peer, *options, form="bind", env=env, **keys)
    try:
        line = process.stderr.readline()
        found = re.fullmatch(rb"sallyport: listening on \[?([0-9a-f.:]+?)\]?:(\d+)\n", line)
        assert found, (line, process.poll())
        yield process, (found[1].decode(), int(found[2]))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def check_join(process, address, source=None):
    """What a peer and the client say to each other."""
    with socket.create_connection(address, 10, (source, 0) if source else None) as peer:
        host, port = peer.getsockname()[:2]
        assert process.stderr.readline() == f"sallyport: connected by {host}:{port}\n".encode()
        peer.sendall(b"from the peer")
        peer.shutdown(socket.SHUT_WR)
        assert process.stdout.read() == b"from the peer"
        process.stdin.write(b"to the peer")
        process.stdin.close()
        got = b""
        while data := peer.recv(100):
            got += data
    assert got == b"to the peer"
    assert process.wait(20) == client.OK
    assert process.stderr.read() == b""
    process.stdin = None


@pytest.mark.sanitizers
@pytest.mark.parametrize("kind", (*KINDS, "socks4", "socks4a"))
def test_a_peer_that_connects(through, kind):
    if kind.startswith("socks4"):
        via, options, env = *through("none")[:1], (f"--{kind}", "--user", "somebody"), None
    else:
        via, options, env = through(kind)
    with listening(via, ("localhost" if kind == "socks4a" else "127.0.0.1", 0), *options, env=env) as (process, at):
        check_join(process, at)
    via.wait_event("session.end", command="bind", bytes_up="11", bytes_down="13")


def test_anybody(start):
    gateway = start(rules=gw.ALLOW.replace("}\n", "bind-any = true }\n"))
    with listening(gateway, ("0.0.0.0", 0), *NONE) as (process, at):
        check_join(process, at, "127.0.0.7")


def test_a_bind_that_is_refused(open_gateway, start):
    done = client.run(open_gateway, ("192.0.2.1", 80), *NONE, form="bind")
    client.says(done, client.REFUSED, "192.0.2.1:80: refused by a rule of the gateway")
    done = client.run(open_gateway, ("192.0.2.1", 80), "--socks4", form="bind")
    client.says(done, client.REFUSED, "192.0.2.1:80: the gateway refuses it, or it failed")
    gateway = start(extra="bind { enabled = false }")
    done = client.run(gateway, ("127.0.0.1", 80), *NONE, form="bind")
    client.says(done, client.REFUSED, "127.0.0.1:80: the gateway does not listen for connections")


def test_nobody_connects(start):
    gateway = start(timeouts="stop = 2 bind = 1")
    with listening(gateway, ("127.0.0.1", 0), *NONE) as (process, _):
        assert process.wait(20) == client.REFUSED
        assert process.stderr.read() == b"sallyport: 127.0.0.1:0: nobody connected (reply 4)\n"


# --- SOCKS 4 ---


@pytest.mark.sanitizers
@pytest.mark.parametrize("version", ("socks4", "socks4a"))
def test_socks4(open_gateway, echo, version):
    host = "127.0.0.1" if version == "socks4" else "localhost"
    done = client.run(open_gateway, (host, echo.port), f"--{version}", "--user", version, data=b"four")
    client.says(done, client.OK, None)
    assert done.stdout == b"four"
    open_gateway.wait_event("session.end", protocol=version, claimed=version, destination=f"{host}:{echo.port}")


def test_socks4_is_refused(open_gateway):
    done = client.run(open_gateway, ("192.0.2.1", 80), "--socks4")
    client.says(done, client.REFUSED, "192.0.2.1:80: the gateway refuses it, or it failed")


@pytest.mark.parametrize("code,text", [
    (0x5C, "the gateway cannot ask this host who you are (ident)"),
    (0x5D, "this host tells the gateway another name than --user (ident)"),
    (0x5E, "refused for a reason that is not known")])
def test_replies_of_socks4(code, text):
    def play(connection, server):
        server.note(connection.recv(100))
        connection.sendall(bytes([0, code]) + bytes(6))

    with servers.Server(play) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("192.0.2.1", 80), "--socks4", "--user", "me")
        assert server.wait_note() == b"\x04\x01\x00\x50\xc0\x00\x02\x01me\0"
    client.says(done, client.REFUSED, f"192.0.2.1:80: {text}")


# --- what it says ---


@pytest.mark.parametrize("line,text", [
    ("listen --via gw t 1", '"connect", "bind" and "udp" are what it can do'),
    ("bind --via gw t", "bind takes PEER and PORT"),
    ("udp --via gw t 0", 'PORT "0": 1 to 65535 is wanted'),
    ("bind --via gw a..b 0", None),
    ("connect --via gw --lines t 1", "--lines goes with udp alone"),
    ("bind --via gw --wait 1 t 1", "--wait goes with udp alone"),
    ("udp --via gw --wait 86401 t 1", '--wait "86401": 0 to 86400 seconds are wanted'),
    ("udp --via gw --socks4a t 1", "SOCKS 4 has no datagrams"),
    ("connect --via gw --socks4 t 1", 'TARGET "t": SOCKS 4 takes no names: --socks4a does'),
    ("bind --via gw --socks4a ::1 1", 'PEER "::1": SOCKS 4 takes no IPv6 addresses'),
    ("connect --via gw --socks4 --auth gssapi 192.0.2.1 1",
     "SOCKS 4 has no login: --auth none is all that goes with it"),
    ("connect --via gw --socks4 --nec 192.0.2.1 1", "--nec goes with --auth gssapi alone"),
])
def test_wrong_usage(line, text):
    done = subprocess.run([client.PROGRAM, *line.split()], capture_output=True, timeout=20)
    assert done.returncode == client.USAGE
    said = done.stderr.decode().splitlines()
    assert len(said) == 2 and said[1] == 'sallyport: try "sallyport --help"'
    assert said[0] == f"sallyport: {text}" if text else said[0].startswith('sallyport: PEER "a..b": ')


# --- a gateway in Python ---


def reply(address=("0.0.0.0", 0), code=0):
    return bytes([5, code, 0, 1]) + socket.inet_aton(address[0]) + struct.pack("!H", address[1])


def played_plain(play):
    """play(connection) after the greeting of method none and the request, whose bytes it gets."""
    def handler(connection, server):
        connection.recv(3)
        connection.sendall(b"\x05\x00")
        play(connection, connection.recv(100))
    return servers.Server(handler)


def until_end(connection):
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(100):
        pass


def test_bind_as_other_gateways_answer():
    """Without an address of its own, and the second reply right behind the first, with data."""
    def play(connection, request):
        assert request == b"\x05\x02\x00\x01\xc0\x00\x02\x01\x00\x15"
        connection.sendall(reply(("0.0.0.0", 4711)) + reply(("192.0.2.1", 20)) + b"220 hello\r\n")
        until_end(connection)

    with played_plain(play) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("192.0.2.1", 21), *NONE, form="bind")
    assert (done.returncode, done.stdout) == (client.OK, b"220 hello\r\n")
    assert done.stderr == b"sallyport: listening on 127.0.0.1:4711\nsallyport: connected by 192.0.2.1:20\n"


def test_bind_and_the_gateway_goes_away():
    def play(connection, request):
        connection.sendall(reply(("192.0.2.9", 4711)))
        until_end(connection)

    with played_plain(play) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("192.0.2.1", 21), *NONE, form="bind")
    assert done.returncode == client.BROKEN
    assert done.stderr == (b"sallyport: listening on 192.0.2.9:4711\n"
                           b"sallyport: the gateway ended the connection during the wait for the peer\n")


@pytest.mark.parametrize("answer", (reply(("127.0.0.1", 0)), b"\x05\x00\x00\x03\x02gw\x00\x50"))
def test_no_address_for_datagrams(answer):
    def play(connection, request):
        connection.sendall(answer)
        until_end(connection)

    with played_plain(play) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("t", 21), *NONE, form="udp")
    client.says(done, client.BROKEN, "the gateway's reply names no address for datagrams")


HEADER = b"\0\0\0\x03\x01t\x00\x50"  # what the client writes for "t", port 80
FROM = b"\0\0\0\x01\xc0\x00\x02\x01\x00\x50"


def test_datagrams_that_are_no_good():
    """Each is dropped; the good one after them still arrives, and the number is told at the end."""
    bad = (b"", b"\0\0", b"\0\1" + FROM[2:] + b"x", FROM[:2] + b"\x81" + FROM[3:] + b"x", FROM[:-1],
           b"\0\0\0\x05" + FROM[4:] + b"x")

    def play(connection, request):
        assert request == b"\x05\x03\x00\x01" + bytes(6)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
            relay.bind(("127.0.0.1", 0))
            relay.settimeout(20)
            connection.sendall(reply(("0.0.0.0", relay.getsockname()[1])))
            data, peer = relay.recvfrom(100)
            assert data == HEADER + b"hello"
            for datagram in (*bad, FROM + b"good"):
                relay.sendto(datagram, peer)
            connection.recv(1)  # it ends by itself

    with played_plain(play) as server:
        done = client.run(f"127.0.0.1:{server.port}", ("t", 80), *NONE, form="udp", data=b"hello")
    client.says(done, client.OK, f"datagrams dropped: {len(bad)}, the last one: address-type")
    assert done.stdout == b"good"


class Relay(Played):
    """Played, and the socket for its sealed datagrams."""

    def associate(self):
        assert self.request() == b"\x05\x03\x00\x01" + bytes(6)
        self.relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.relay.bind(("127.0.0.1", 0))
        self.relay.settimeout(20)
        self.send(self.seal(reply(self.relay.getsockname())))
        return self

    def open(self):
        """The next datagram's payload."""
        data, self.peer = self.relay.recvfrom(70000)
        version, mtyp, size = struct.unpack("!BBH", data[:4])
        assert (version, mtyp, size) == (1, 3, len(data) - 4)
        plain = self.context.unwrap(data[4:]).message
        assert plain.startswith(HEADER)
        return plain[len(HEADER):]

    def give(self, *datagrams):
        for datagram in datagrams:
            self.relay.sendto(datagram, self.peer)

    def end(self):
        self.connection.settimeout(20)
        while self.connection.recv(100):
            pass
        self.relay.close()


@pytest.fixture
def play_datagrams(realm, tmp_path):
    """play_datagrams(what, *options): the client's end with a gateway that does what(relay)."""
    keytab = tmp_path / "keytab"
    keytab.write_bytes(realm.usual_keytab)

    def run(what, *options, data=b"hello"):
        def handler(connection, server):
            what(Relay(connection, keytab).associate())

        with servers.Server(handler) as server:
            return alice_run(realm, server, ("t", 80), *options, form="udp", data=data)
    return run


@pytest.mark.sanitizers
@pytest.mark.parametrize("level", LEVELS[1:])
def test_lost_and_reordered_datagrams_are_harmless(play_datagrams, level):
    def what(relay):
        assert relay.open() == b"hello"
        sealed = [relay.seal(FROM + b"%d" % i) for i in range(10)]
        relay.give(sealed[9], *sealed[1:8:2], sealed[0])
        relay.end()

    done = play_datagrams(what, "--protection", level, "--lines")
    client.says(done, client.OK, None)
    assert done.stdout.split() == [b"9", b"1", b"3", b"5", b"7", b"0"]


DROPPED = {
    "altered": (lambda r: r.seal(FROM + b"bad")[:-1] + b"?", "bad-checksum"),
    "not confidential": (lambda r: r.seal(FROM + b"bad", False), "message-not-confidential"),
    "bare": (lambda r: FROM + b"bad", "wrong-version"),
    "cut short": (lambda r: r.seal(FROM + b"bad")[:-1], "length"),
    "two messages": (lambda r: r.seal(FROM + b"bad") + r.seal(FROM + b"bad"), "length"),
    "empty": (lambda r: b"", "length"),
}


@pytest.mark.parametrize("name", DROPPED)
def test_a_violation_drops_that_datagram_alone(play_datagrams, name):
    make, word = DROPPED[name]

    def what(relay):
        assert relay.open() == b"hello"
        relay.give(make(relay), relay.seal(FROM + b"good"))
        relay.end()

    done = play_datagrams(what)
    client.says(done, client.OK, f"datagrams dropped: 1, the last one: {word}")
    assert done.stdout == b"good"


def test_a_replayed_datagram(play_datagrams):
    def what(relay):
        relay.open()
        once = relay.seal(FROM + b"once,")
        relay.give(once, once, relay.seal(FROM + b"and again"), once)
        relay.end()

    done = play_datagrams(what)
    client.says(done, client.OK, "datagrams dropped: 2, the last one: replayed-message")
    assert done.stdout == b"once,and again"
