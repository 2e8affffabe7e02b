# SPDX-License-Identifier: ISC
"""userpass: hashes as the usual tools write them, a table that changes under the gateway, and
passwords that appear nowhere."""
import os
import pathlib
import subprocess

import pytest

import gateway as gw
import socks
from memory import holders
from socks import Client
from waiting import stays, wait_until

PASSWORD = "corréct horse"


def made_by(command):
    """What a command prints for the password, without the name."""
    done = subprocess.run(command, input=PASSWORD + "\n", check=True, capture_output=True, text=True)
    return done.stdout.strip().split(":")[-1]


HASHES = {
    "htpasswd -B": ["htpasswd", "-niB", "user"],
    "htpasswd -B -C 10": ["htpasswd", "-niB", "-C", "10", "user"],
    "mkpasswd yescrypt": ["mkpasswd", "-m", "yescrypt", "-s"],
    "mkpasswd gost-yescrypt": ["mkpasswd", "-m", "gost-yescrypt", "-s"],
    "mkpasswd bcrypt": ["mkpasswd", "-m", "bcrypt", "-s"],
    "mkpasswd sha512": ["mkpasswd", "-m", "sha512crypt", "-s"],
    "mkpasswd sha256": ["mkpasswd", "-m", "sha256crypt", "-s"],
    "openssl -6": ["openssl", "passwd", "-6", "-stdin"],
    "openssl -5": ["openssl", "passwd", "-5", "-stdin"],
}
WRONG_HASHES = {
    "htpasswd default": ["htpasswd", "-nim", "user"], "htpasswd sha": ["htpasswd", "-nis", "user"],
    "htpasswd crypt": ["htpasswd", "-nid", "user"], "htpasswd plain": ["htpasswd", "-nip", "user"],
    "openssl apr1": ["openssl", "passwd", "-apr1", "-stdin"],
    "openssl -1": ["openssl", "passwd", "-1", "-stdin"],
}


def log_in(gateway, user, password):
    with Client(gateway) as client:
        status = client.log_in(user, password)
    return status == 0


def test_hashes_of_the_usual_tools(start):
    names = {how: f"user{i}" for i, how in enumerate(HASHES)}
    table = "# users\n\n" + "".join(f"{names[how]}:{made_by(command)}\n" for how, command in HASHES.items())
    gateway = start(methods=["userpass"], users=table)
    password = PASSWORD.encode()
    for how, name in names.items():
        assert log_in(gateway, name, password), how
        assert not log_in(gateway, name, password + b"x"), how
        assert not log_in(gateway, name, b""), how


@pytest.mark.parametrize("how", WRONG_HASHES)
def test_hashes_that_are_refused(start, how):
    """An error at start that names file, line and user, and the command that makes a good one; the
    hash itself is not shown."""
    bad = made_by(WRONG_HASHES[how])
    gateway = start(methods=["userpass"], users=f"{gw.alice()}bob:{bad}\n", start=False)
    for done in (gateway.run("-t", "-c", "FILE"), gateway.run("-c", "FILE")):
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert f"{gateway.users}:2:" in said and "bob" in said and "htpasswd -B" in said
        assert bad not in said


def test_unknown_user_and_wrong_password(start):
    gateway = start(methods=["userpass"])
    for user, password in (("alice", "wrong"), ("mallory", "wonderland"), ("mallory", "wrong")):
        with Client(gateway) as client:
            assert client.log_in(user, password) == 1
            client.ends()
        record = gateway.closing(client)
        assert (record["event"], record["reason"], record["claimed"]) == ("auth.failure", "bad-credentials", user)
        assert "user" not in record and record["client"] == client.name and record["method"] == "userpass"


def cpu_of_pool(gateway):
    """What it computed so far: whatever else the machine does."""
    return sum(gw.cpu_seconds(pid) for pid in gateway.children("auth"))


def test_an_unknown_user_takes_as_long_as_a_known_one(start):
    """Checked against a dummy of the costliest scheme; the difference must not tell them apart."""
    table = gw.alice() + "slow:" + made_by(["htpasswd", "-niB", "-C", "11", "slow"]) + "\n"
    gateway = start(methods=["userpass"], users=table)

    def took(user):
        before = cpu_of_pool(gateway)
        for i in range(4):
            assert not log_in(gateway, user, f"wrong{i}")
        return cpu_of_pool(gateway) - before
    known, unknown = took("slow"), took("stranger")
    assert known > 0.1 and unknown > known / 2, (known, unknown)


def test_success_is_remembered(start):
    """The second login of the same user costs no crypt(3), a wrong password still does not pass."""
    table = "slow:" + made_by(["htpasswd", "-niB", "-C", "12", "slow"]) + "\n"
    gateway = start(methods=["userpass"], users=table)
    password = PASSWORD.encode()

    def took():
        before = cpu_of_pool(gateway)
        assert log_in(gateway, "slow", password)
        return cpu_of_pool(gateway) - before
    first, second = took(), took()
    assert first > 0.05 and second < first / 3, (first, second)
    assert not log_in(gateway, "slow", password + b"x")
    assert not log_in(gateway, "slow", password[:-1])


def test_a_changed_table_is_picked_up(start):
    gateway = start(methods=["userpass"])
    assert log_in(gateway, "alice", "wonderland") and not log_in(gateway, "bob", "builder")
    gateway.write_users(gw.user_line("alice", "changed") + gw.user_line("bob", "builder"))
    wait_until(lambda: log_in(gateway, "bob", "builder"), 10, "the new table")
    assert not log_in(gateway, "alice", "wonderland"), "a remembered success outlives the password"
    assert log_in(gateway, "alice", "changed")
    assert gateway.wait_event("gateway.reload")


def test_a_removed_user_is_out(start):
    gateway = start(methods=["userpass"], users=gw.alice() + gw.user_line("bob", "builder"))
    assert log_in(gateway, "bob", "builder")
    gateway.write_users(gw.alice())
    wait_until(lambda: not log_in(gateway, "bob", "builder"), 10)


def test_a_table_picked_up_on_sighup(start):
    import signal
    gateway = start(methods=["userpass"])
    gateway.write_users(gw.alice() + gw.user_line("bob", "builder"))
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: log_in(gateway, "bob", "builder"), 3)


def test_a_broken_new_table_keeps_the_old_one(start):
    gateway = start(methods=["userpass"])
    gateway.write_users(gw.user_line("bob", "builder") + "carol:$apr1$abc$def\n")
    record = gateway.wait_event("gateway.reload-failed")
    said = " ".join(record.values())
    assert f"{gateway.users}" in said and ":2:" in said and "$apr1$abc$def" not in said
    assert log_in(gateway, "alice", "wonderland") and not log_in(gateway, "bob", "builder")
    gateway.write_users(gw.user_line("bob", "builder"))
    wait_until(lambda: log_in(gateway, "bob", "builder"), 10, "the repaired table")


def test_a_table_that_vanishes_keeps_the_old_one(start):
    gateway = start(methods=["userpass"])
    gateway.users.unlink()
    gateway.wait_event("gateway.reload-failed")
    assert log_in(gateway, "alice", "wonderland")


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o606, 0o644])
def test_a_table_that_others_may_read_or_write_is_refused(start, mode):
    gateway = start(methods=["userpass"], start=False)
    gateway.users.chmod(mode)
    done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and str(gateway.users) in done.stderr and "mode" in done.stderr


def test_a_table_behind_a_symbolic_link_is_refused(start):
    gateway = start(methods=["userpass"], start=False)
    real = gateway.users.with_name("real")
    gateway.users.rename(real)
    gateway.users.symlink_to(real)
    done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and str(gateway.users) in done.stderr


def test_the_password_appears_nowhere(start):
    """Not in the log, not on standard error even when tracing, not in a title."""
    secret, wrong = "Tr0ub4dor-and-3", "Tr0ub4dor-wrong"
    gateway = start(methods=["userpass"], users=gw.user_line("alice", secret), events="all", args=("-v", "-c", "FILE"))
    assert log_in(gateway, "alice", secret)
    assert not log_in(gateway, "alice", wrong) and not log_in(gateway, secret[:3], wrong)
    gateway.wait_event("auth.success", user="alice")
    gateway.wait_event("auth.failure", claimed="alice")
    gateway.wait_event("auth.failure", claimed=secret[:3])
    titles = [gw.title_of(pid) for pid in gateway.pids()]
    assert all(titles)
    everything = gateway.log.read_text() + gateway.stderr() + "".join(titles)
    assert "Tr0ub4dor" not in everything
    assert "claimed" in gateway.log.read_text() and "negotiate -> authenticate" in gateway.stderr()


@pytest.mark.skipif(not gw.ROOT, reason="another process's memory is for root to read")
def test_the_password_does_not_stay_in_memory(start):
    """After the login neither worker nor auth process nor master holds its text."""
    secret = "Xk9-unlikely-Qz7"
    gateway = start(methods=["userpass"], users=gw.user_line("alice", secret))
    for _ in range(3):
        assert log_in(gateway, "alice", secret)
        assert not log_in(gateway, "alice", secret + "!")
    wait_until(lambda: len([r for r in gateway.events() if r["event"] in gw.records.CLOSING]) == 6)
    assert holders([os.getpid()], secret.encode()), "here it is"
    assert holders(gateway.pids(), secret.encode()) == []


def test_auth_all_events(start):
    gateway = start(methods=["userpass"], events="all")
    with Client(gateway) as client:
        assert client.log_in() == 0
        record = gateway.wait_event("auth.success", client=client.name)
    assert record["user"] == "alice" and record["method"] == "userpass"
    assert gateway.closing(client)["user"] == "alice"


# --- a private method, built outside the tree's own ---

needs_private = pytest.mark.skipif(not list((gw.BUILD / "modules").glob("testpriv*")),
                                   reason="build/modules has no testpriv; make test-modules builds it")


def private(begin, **keys):
    keys.setdefault("extra", 'testpriv { phrase = "open sesame" }')
    return begin(methods=["testpriv"], **keys)


def challenge(client, name=b"ali baba"):
    client.greet(socks.PRIVATE).send(bytes([len(name)]), name)
    return client.recv(client.recv(1)[0])


def respond(client, answer):
    client.send(bytes([len(answer)]), answer)
    return client.recv(client.recv(1)[0])


def right(asked, phrase=b"open sesame"):
    return (asked + phrase)[::-1]


@needs_private
def test_private_method(start, echo):
    """Method 0x80 of a shared object, without a line of ours: two rounds, an identity, a mechanism."""
    gateway = private(start, events="all")
    with Client(gateway) as client:
        asked = challenge(client)
        assert len(asked) == 16 and respond(client, right(asked)) == b"ok"
        assert client.ask(*echo.address).code == 0
        client.echo()
    record = gateway.closing(client)
    assert (record["user"], record["method"]) == ("ali baba", "testpriv")
    assert gateway.wait_event("auth.success", client=client.name)["mechanism"] == "backwards"


@needs_private
def test_private_method_refuses(start):
    gateway = private(start)
    with Client(gateway) as client:
        asked = challenge(client)
        assert respond(client, asked + b"open sesame") == b"no"
        client.ends()
    record = gateway.closing(client)
    assert (record["event"], record["claimed"], record["detail"]) == ("auth.failure", "ali baba", "wrong-response")
    with Client(gateway) as client:
        client.greet(socks.PRIVATE).send(b"\0")
        assert client.rest() == b"\x02no"
    assert gateway.closing(client)["reason"] == "malformed-message"


@needs_private
def test_private_method_beside_ours(start, echo):
    gateway = start(methods=["testpriv", "userpass"], extra='testpriv { phrase = "open sesame" }')
    with Client(gateway) as client:
        client.send(socks.hello(2, 0x80))
        assert client.recv(2) == b"\x05\x80"
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo()


@needs_private
def test_options_of_a_private_method_are_checked(start):
    gateway = private(start, extra='testpriv { phrase = "x" colour = "red" }', start=False)
    done = gateway.run("-t", "-c", "FILE")
    assert done.returncode == 1 and "testpriv" in done.stderr and "colour" in done.stderr
    gateway.configure(gateway.config_text(methods=["testpriv"], extra='testpriv { phrase = "" }'))
    done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and "phrase: 1 to 64 characters" in done.stderr


def test_a_module_that_does_not_exist(start):
    gateway = start(methods=["nosuch"], start=False)
    done = gateway.run("-t", "-c", "FILE")
    assert done.returncode == 1 and "nosuch" in done.stdout + done.stderr


@needs_private
def test_a_module_that_others_may_write_is_refused(start, base):
    import os
    programs = gw.Programs(base / f"writable-{os.getpid()}")
    for path in (programs.folder / "modules").iterdir():
        path.chmod(0o777)
    gateway = private(start, programs=programs, start=False)
    done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and "testpriv" in done.stderr


@needs_private
def test_a_thousand_stalled_in_mid_exchange(start, echo):
    """Conversations between two steps occupy no process: one pool process holds them all."""
    import test_stalled
    test_stalled.need_descriptors(1200)
    gateway = private(start, extra='testpriv { phrase = "open sesame" processes = 1 }')
    assert len(gateway.children("auth")) == 1
    stalled = [Client(gateway) for _ in range(1000)]
    for client in stalled:
        client.send(socks.hello(0x80), b"\x03bob")
    for client in stalled:
        assert len(client.recv(2 + 1 + 16)) == 19
    import time
    began = time.monotonic()
    with Client(gateway) as client:
        assert respond(client, right(challenge(client))) == b"ok"
        assert client.ask(*echo.address).code == 0
    assert time.monotonic() - began < 3  # who stalls does so for longer
    for client in stalled:
        client.reset()
    closings = lambda: [r for r in gateway.events() if r["event"] in gw.records.CLOSING]
    wait_until(lambda: len(closings()) == 1001, 15)
    auth = gateway.children("auth")[0]
    if gw.ROOT:
        wait_until(lambda: len(gw.descriptors(auth)) < 40, 5, "the conversations are forgotten")
