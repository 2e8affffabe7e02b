# SPDX-License-Identifier: ISC
"""Our own client with Kerberos: every level through the gateway, what it says without a ticket, and a
gateway played in Python (python3-gssapi) that answers too little or breaks what was agreed."""
import hashlib
import os
import socket
import struct
import subprocess
import threading

import gssapi
import pytest

import client
import gateway as gw
import servers
from test_client import check_bulk
from test_clients import account, needs, sshd  # noqa: F401 (a fixture)
from realm import ENCTYPES, Ticket, lives_longer, using

CONTEXT, LEVEL, DATA = 1, 2, 3
LEVELS = ("none", "integrity", "confidentiality", "selective")
NONE, INTEGRITY, CONFIDENTIALITY, SELECTIVE = range(4)


def alice_run(realm, via, target, *options, ticket=None, **keys):
    return client.run(via, target, *options, env=client.environment(ticket or realm.ticket()), **keys)


# --- through the gateway ---


@pytest.mark.sanitizers
@pytest.mark.parametrize("level", LEVELS)
def test_every_level(gateway, realm, echo, level):
    data = os.urandom(300_000)
    done = alice_run(realm, gateway, echo.address, "--protection", level, data=data)
    client.says(done, client.OK, None)
    assert done.stdout == data
    gateway.wait_event("session.end", user="alice@SALLYPORT.TEST", protection=level, bytes_up="300000",
                       bytes_down="300000")


def test_confidentiality_is_asked_for_by_itself(start, realm, echo):
    gateway = start(realm=realm, rules=gw.REALM_USERS, gssapi='protection = { "integrity", "confidentiality" }')
    done = alice_run(realm, gateway, echo.address, data=b"hello")
    assert done.stdout == b"hello", done.stderr
    gateway.wait_event("session.end", protection="confidentiality", method="gssapi")


@pytest.mark.parametrize("enctype", ENCTYPES)
def test_every_enctype(gateway, realm, echo, enctype):
    done = alice_run(realm, gateway, echo.address, data=b"x" * 200_000, ticket=realm.ticket(enctype=enctype))
    assert done.stdout == b"x" * 200_000, done.stderr


@pytest.mark.parametrize("level", LEVELS)
def test_a_hundred_megabytes_each_way(gateway, realm, level):
    total = 100_000_000 if level == "confidentiality" else 20_000_000

    def both(connection, server):
        sender = threading.Thread(target=lambda: [connection.sendall(p) for p in servers.chunks(total, 7)])
        sender.start()
        digest = hashlib.sha256()
        while data := connection.recv(1 << 18):
            digest.update(data)
        sender.join()
        server.note(digest.hexdigest())
        connection.shutdown(socket.SHUT_WR)

    with servers.Server(both) as server:
        process = client.spawn(gateway, server.address, "--protection", level,
                               env=client.environment(realm.ticket()))
        check_bulk(process, server, total)


def test_the_ends_of_both_sides(gateway, realm):
    with servers.Server(servers.sink) as server:
        done = alice_run(realm, gateway, server.address, data=b"y" * 70_000)
        assert done.stdout.decode() == hashlib.sha256(b"y" * 70_000).hexdigest(), done.stderr


@needs("ssh", "sshd", "ssh-keygen")
def test_openssh_with_a_ticket(gateway, realm, sshd):  # noqa: F811
    port, options = sshd
    data = b"".join(servers.chunks(3_000_000, 42))
    command = f"{client.PROGRAM} connect --via localhost:{gateway.port} %h %p"
    done = subprocess.run(["ssh", *options, "-o", f"ProxyCommand={command}", f"{account()}@127.0.0.1", "cat"],
                          input=data, env=client.environment(realm.ticket()), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data
    gateway.wait_event("session.end", destination=f"127.0.0.1:{port}", protection="confidentiality")


def test_the_nec_form(start, realm, echo):
    gateway = start(realm=realm, rules=gw.REALM_USERS, gssapi="nec = true")
    done = alice_run(realm, gateway, echo.address, "--nec", data=b"nec")
    assert done.stdout == b"nec", done.stderr


def test_a_stronger_level_will_do(start, realm, echo):
    gateway = start(realm=realm, rules=gw.REALM_USERS, gssapi='protection = { "confidentiality" }')
    for level in ("none", "integrity"):
        done = alice_run(realm, gateway, echo.address, "--protection", level, data=b"more")
        assert done.stdout == b"more", done.stderr
    done = alice_run(realm, gateway, echo.address, "--protection", "selective")
    client.says(done, client.LOGIN,
                "the gateway agrees to protection confidentiality; selective was asked for")


def test_a_weaker_level_will_not(start, realm):
    """Nothing reaches the target, and the gateway does not learn which it would have been."""
    gateway = start(realm=realm, rules=gw.REALM_USERS, gssapi='protection = { "integrity" }')
    done = alice_run(realm, gateway, ("target.test", 80))
    client.says(done, client.LOGIN,
                "the gateway agrees to protection integrity; confidentiality was asked for")
    assert "target.test" not in gateway.log.read_text()


def test_refused_by_a_rule(gateway, realm):
    done = alice_run(realm, gateway, ("192.0.2.1", 80))
    client.says(done, client.REFUSED, "192.0.2.1:80: refused by a rule of the gateway")


# --- tickets ---


def test_no_ticket(gateway, realm):
    done = client.run(gateway, ("t", 1))
    client.says(done, client.LOGIN, "no Kerberos ticket: run kinit")


def test_a_keytab_of_the_clients(gateway, realm, echo, tmp_path):
    """It gets tickets by itself; without one, a cache with nothing in it is no ticket."""
    keytab = tmp_path / "client.keytab"
    realm.run("principal", "robot")
    environments = [client.environment(KRB5_CONFIG=realm.config, KRB5CCNAME=cache,
                                       KRB5_CLIENT_KTNAME=f"FILE:{keytab}")
                    for cache in ("MEMORY:", f"FILE:{tmp_path}/cache")]
    for env in environments:
        client.says(client.run(gateway, ("t", 1), env=env), client.LOGIN, "no Kerberos ticket: run kinit")
    keytab.write_bytes(realm.keytab("robot"))
    for env in environments:
        assert client.run(gateway, echo.address, data=b"beep", env=env).stdout == b"beep"
    gateway.wait_event("session.end", user="robot@SALLYPORT.TEST")


@pytest.mark.parametrize("content", (b"", b"junk", b"\x05\x04\x00"), ids=("empty", "junk", "cut"))
def test_a_cache_that_cannot_be_read(gateway, realm, tmp_path, content):
    """libkrb5 1.20 crashes over such a one, now and then."""
    cache = tmp_path / "cache"
    cache.write_bytes(content)
    done = client.run(gateway, ("t", 1), env=client.environment(Ticket(cache, realm.config)))
    assert done.returncode == client.LOGIN
    assert done.stderr.startswith(b"sallyport: no Kerberos ticket: ") and done.stderr.endswith(b"; run kinit\n")
    assert str(cache).encode() in done.stderr


def test_no_kerberos_configuration(gateway):
    done = client.run(gateway, ("t", 1), env=client.environment(KRB5_CONFIG="/nonexistent/krb5.conf"))
    assert done.returncode == client.LOGIN
    assert done.stderr.startswith(b"sallyport: ") and done.stderr.count(b"\n") == 1


def test_a_service_the_realm_does_not_have(gateway, realm):
    done = alice_run(realm, gateway, ("t", 1), "--service", "nothere")
    client.says(done, client.LOGIN, "the KDC knows no service nothere@localhost: is the gateway's name right, "
                                    "and does it have a keytab?")


def test_a_service_the_gateway_does_not_serve(gateway, realm):
    done = alice_run(realm, gateway, ("t", 1), "--service", "imap")
    client.says(done, client.LOGIN, "the gateway refused the Kerberos login; its log says why")
    gateway.wait_event("auth.failure")


def test_another_service_the_gateway_serves(gateway, realm, echo):
    done = alice_run(realm, gateway, echo.address, "--service", "socks", data=b"socks")
    assert done.stdout == b"socks", done.stderr


def test_an_expired_ticket(gateway, realm):
    ticket = realm.ticket().changed(lives_longer(-7 * 86400))
    done = alice_run(realm, gateway, ("t", 1), ticket=ticket)
    client.says(done, client.LOGIN, "the Kerberos ticket has expired: run kinit")


def test_no_kdc(gateway, realm, echo):
    """Whoever has the service's ticket does not need it."""
    ticket, new = realm.service_ticket("rcmd/localhost"), realm.kinit("alice")
    with realm.kdc_down():
        done = alice_run(realm, gateway, echo.address, data=b"without", ticket=ticket)
        assert done.stdout == b"without", done.stderr
        done = alice_run(realm, gateway, echo.address, ticket=new)
    client.says(done, client.LOGIN, "no KDC of the realm can be reached: see krb5.conf and the network")


def test_a_gateway_that_wants_a_password(start_shared):
    gateway = start_shared(methods=["userpass"])
    client.says(client.run(gateway, ("t", 1)), client.LOGIN,
                "the gateway does not accept the method gssapi from here")


# --- a gateway in Python ---


class Played:
    """One connection of ours, up to where the test wants it."""

    def __init__(self, connection, keytab):
        self.connection = connection
        store = {"keytab": f"FILE:{keytab}"}
        self.context = gssapi.SecurityContext(creds=gssapi.Credentials(usage="accept", store=store), usage="accept")

    def recv(self, count):
        got = b""
        while len(got) < count:
            data = self.connection.recv(count - len(got))
            if not data:
                raise OSError("the client went away")
            got += data
        return got

    def send(self, *parts):
        self.connection.sendall(b"".join(parts))

    def message(self, kind):
        version, mtyp, size = struct.unpack("!BBH", self.recv(4))
        assert (version, mtyp) == (1, kind)
        return self.recv(size)

    def log_in(self):
        assert self.recv(3) == b"\x05\x01\x01"
        self.send(b"\x05\x01")
        token = self.context.step(self.message(CONTEXT))
        assert self.context.complete
        self.send(frame(CONTEXT, token))

    def agree(self, level=None):
        """Answers what is asked for, or that level."""
        self.log_in()
        asked = self.context.unwrap(self.message(LEVEL)).message[0]
        self.level = asked if level is None else level
        self.send(frame(LEVEL, self.context.wrap(bytes([self.level]), False).message))
        return self

    def request(self):
        self.agree()
        return self.context.unwrap(self.message(DATA)).message

    def seal(self, data, conf=None):
        conf = self.level != INTEGRITY if conf is None else conf
        return frame(DATA, self.context.wrap(data, conf).message)

    def end(self):
        self.connection.shutdown(socket.SHUT_WR)
        while self.connection.recv(4096):
            pass


def frame(kind, token):
    return struct.pack("!BBH", 1, kind, len(token)) + token


SUCCESS = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"


@pytest.fixture
def play(realm, tmp_path):
    """play(what, *options): the client's end with a gateway that does what(played)."""
    keytab = tmp_path / "keytab"
    keytab.write_bytes(realm.usual_keytab)

    def run(what, *options, **keys):
        with servers.Server(lambda connection, server: what(Played(connection, keytab))) as server:
            return alice_run(realm, server, ("t", 80), *options, **keys)
    return run


@pytest.mark.sanitizers
@pytest.mark.parametrize("asked", LEVELS)
@pytest.mark.parametrize("answered", range(4))
def test_which_answers_will_do(play, asked, answered):
    strength = {"none": 0, "integrity": 1, "confidentiality": 2, "selective": 1}
    will_do = LEVELS[answered] == asked or (
        asked != "selective" and strength[LEVELS[answered]] >= strength[asked])

    def what(played):
        played.agree(answered)
        if not played.level:
            played.recv(8)
            played.send(SUCCESS)
        else:
            played.context.unwrap(played.message(DATA))
            played.send(played.seal(SUCCESS))
        played.end()

    done = play(what, "--protection", asked)
    if will_do:
        client.says(done, client.OK, None)
    else:
        client.says(done, client.LOGIN,
                    f"the gateway agrees to protection {LEVELS[answered]}; {asked} was asked for")


def test_what_is_asked_of_the_context(play):
    """What RFC 1961 wants of a client, but for the delegation: a ticket that could be forwarded stays here."""
    flags = []

    def what(played):
        played.log_in()
        flags.append(played.context.actual_flags)
        played.end()

    play(what)
    flag = gssapi.RequirementFlag
    assert all(one in flags[0] for one in (flag.mutual_authentication, flag.replay_detection,
                                           flag.out_of_sequence_detection))
    assert flag.delegate_to_peer not in flags[0]


def test_a_level_nobody_knows(play):
    done = play(lambda played: (played.agree(9), played.end()))
    client.says(done, client.LOGIN, "the gateway's message in the Kerberos login is malformed: unknown-level")


def test_enctypes_that_are_not_ours(play, realm):
    """First in the lists of krb5.conf on both sides: none is agreed to that the client could not seal with."""
    config = realm.configured(permitted_enctypes="camellia256-cts-cmac aes256-cts-hmac-sha1-96")
    ticket = realm.kinit("alice", config=config)

    def what(played):
        played.request()
        played.send(played.seal(SUCCESS), played.seal(b"sealed"))
        played.end()

    with using(config):
        done = play(what, ticket=ticket)
    client.says(done, client.OK, None)
    assert done.stdout == b"sealed"


@pytest.mark.parametrize("when", ["token", "level"])
def test_a_refusal(play, when):
    def what(played):
        if when == "token":
            played.recv(3)
            played.send(b"\x05\x01")
            played.message(CONTEXT)
        else:
            played.log_in()
            played.message(LEVEL)
        played.send(b"\x01\xff")
        played.end()

    client.says(play(what), client.LOGIN, "the gateway refused the Kerberos login; its log says why")


def test_a_token_that_makes_no_sense(play):
    def what(played):
        played.recv(3)
        played.send(b"\x05\x01")
        played.message(CONTEXT)
        played.send(frame(CONTEXT, b"no token at all"))
        played.end()

    done = play(what)
    assert done.returncode == client.LOGIN and done.stderr.count(b"\n") == 1, done.stderr


def test_a_reply_in_two_messages_an_empty_one_and_data_behind(play):
    def what(played):
        assert played.request() == b"\x05\x01\x00\x03\x01t\x00\x50"
        everything = [played.seal(piece) for piece in (b"", SUCCESS[:3], b"", SUCCESS[3:] + b"behind it, ", b"",
                                                      b"after it")]
        for octet in b"".join(everything):
            played.send(bytes([octet]))
        played.end()

    done = play(what)
    client.says(done, client.OK, None)
    assert done.stdout == b"behind it, after it"


def test_five_hundred_messages_in_one_segment(play):
    def what(played):
        played.request()
        played.send(played.seal(SUCCESS), *(played.seal(b"%03d" % i) for i in range(500)))
        played.end()

    assert play(what).stdout == b"".join(b"%03d" % i for i in range(500))


def test_messages_of_every_size(play):
    sizes = (1, 15, 16, 17, 1000, 16384, 65475)

    def what(played):
        played.request()
        played.send(played.seal(SUCCESS))
        for size in sizes:
            played.send(played.seal(b"z" * size))
        played.end()

    assert play(what).stdout == b"z" * sum(sizes)


def twice(played):
    message = played.seal(b"once")
    return message + message


VIOLATIONS = {
    "altered": (lambda p: p.seal(b"data")[:-1] + b"?", "bad-checksum"),
    "replayed": (twice, "replayed-message"),
    "missing": (lambda p: (p.seal(b"lost"), p.seal(b"data"))[1], "out-of-sequence-message"),
    "not confidential": (lambda p: p.seal(b"data", False), "message-not-confidential"),
    "bare": (lambda p: b"HTTP/1.0 200 OK\r\n\r\n", "wrong-version"),
    "another type": (lambda p: b"\x01\x02" + p.seal(b"data")[2:], "wrong-message-type"),
}


@pytest.mark.sanitizers
@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_ends_it(play, name):
    make, word = VIOLATIONS[name]

    def what(played):
        played.request()
        played.send(played.seal(SUCCESS), make(played))
        played.end()

    done = play(what)
    client.says(done, client.BROKEN, f"the gateway's message violates the protection: {word}")
    assert done.stdout == (b"once" if name == "replayed" else b"")


def test_a_violation_in_the_reply(play):
    def what(played):
        played.request()
        played.send(SUCCESS)
        played.end()

    client.says(play(what), client.BROKEN,
                "the gateway's reply violates the protection: unprotected-message")


def test_an_end_inside_a_message(play):
    def what(played):
        played.request()
        played.send(played.seal(SUCCESS), played.seal(b"whole"), played.seal(b"cut short")[:-3])
        played.end()

    done = play(what)
    client.says(done, client.BROKEN, "the connection ended inside a message")
    assert done.stdout == b"whole"
