# SPDX-License-Identifier: ISC
"""The control socket and sallyportctl against a real gateway."""
import json
import os
import re
import socket
import stat
import threading

import pytest

import gateway as gw
import socks4
from socks import Client
from waiting import wait_until

USERS = gw.alice() + gw.user_line("bob", "builder")
OK, FAILED, USAGE, UNREACHABLE = range(4)


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(control="", methods=("userpass", "none"), users=USERS, rules=[
        gw.rule("alice's", user=["alice"], destination=gw.LOOPBACK),
        gw.rule("bob's", user=["bob"], destination=gw.LOOPBACK),
        gw.rule("anybody", method=["none"], destination=gw.LOOPBACK)])


@pytest.fixture(scope="module", autouse=True)
def silent(start_shared, echo):
    """A gateway with 64 control clients that say nothing, or half a line; they are left to wait while other
    tests run."""
    gateway = start_shared(control="")
    clients = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(64)]
    for client in clients:
        client.settimeout(20)
        client.connect(str(gateway.socket))
    clients[0].sendall(b"stat")
    wait_until(lambda: b"too many control clients" in raw(gateway, b"status\n"))
    with Client(gateway).connect(echo.address) as client:
        client.echo()
    yield gateway, clients
    for client in clients:
        client.close()


def said(gateway, *args, **keys):
    done = gateway.ctl(*args, **keys)
    assert (done.returncode, done.stderr) == (OK, ""), done
    return done.stdout


def listed(gateway, *args):
    return json.loads(said(gateway, "sessions", "--json", *args))


def fails(gateway, status, text, *args, **keys):
    done = gateway.ctl(*args, **keys)
    assert done.returncode == status, done
    assert text in done.stderr and done.stdout == "", done
    return done


def raw(gateway, data, shut=False):
    """What the socket answers to these octets, until it closes."""
    answer = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(15)
        s.connect(str(gateway.socket))
        try:
            s.sendall(data)
            if shut:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while part := s.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    return answer


# --- what it shows ---


def test_status(gateway):
    text = said(gateway, "status")
    assert re.search(rf"^gateway +sallyport \S+, process {gateway.pid}, serving$", text, re.M)
    assert re.search(r"^  up \d+\w since 20", text, re.M)
    assert re.search(rf"^config +{gateway.config_path}$", text, re.M)
    assert re.search(r"^workers +2 of 2 running", text, re.M)
    assert all(len(line) <= 80 for line in text.splitlines() if "/" not in line), text
    status = json.loads(said(gateway, "status", "--json"))
    assert status["gateway"]["pid"] == gateway.pid and status["gateway"]["rules"] == 3
    assert status["listener"][0]["address"] == f"127.0.0.1:{gateway.port}"
    wait_until(lambda: json.loads(said(gateway, "status", "--json"))["audit"]["state"] == "connected")


def test_sessions(gateway, echo):
    with Client(gateway).connect(echo.address, "alice") as alice, \
            Client(gateway).connect(echo.address, "bob", "builder") as bob, \
            Client(gateway) as silent:
        alice.echo(b"x" * 5000)
        bob.echo()
        silent.send(b"\x05")
        wait_until(lambda: len(listed(gateway)) == 3)
        one, = wait_until(lambda: [s for s in listed(gateway, "--user", "alice") if s["bytes_down"] == 5000])
        assert one["client"] == alice.name and one["rule"] == "alice's" and one["phase"] == "relay"
        assert one["destination"] == f"127.0.0.1:{echo.port}" and one["method"] == "userpass"
        assert (one["bytes_up"], one["command"], one["protocol"]) == (5000, "connect", "socks5")
        assert one["listener"] == "127.0.0.1:0" and re.fullmatch("[0-9a-f]{16}", one["session"])
        for filters, count in [(["--rule", "bob*"], 1), (["--client", "127.0.0.0/8"], 3),
                               (["--client", "10.0.0.1"], 0), (["--destination", "127.*"], 2),
                               (["--listener", "127.0.0.1:*"], 3), (["--listener", "x"], 0),
                               (["--user", "*", "--rule", "alice*"], 1),
                               (["--session", one["session"]], 1), (["--session", one["session"][-8:]], 1)]:
            assert len(listed(gateway, *filters)) == count, filters
        text = said(gateway, "sessions").splitlines()
        assert len(text) == 4 and all(len(line) <= 80 for line in text)
        assert text[0].split() == ["SESSION", "USER", "CLIENT", "DESTINATION", "UP", "DOWN", "AGE", "PHASE", "RULE"]
        line, = [line for line in text if "alice" in line]
        assert re.search(r"alice .*127\.0\.0\.1 .* 4\.9k 4\.9k +\ds +relay +alice's$", line)
        wide = said(gateway, "sessions", "--wide").splitlines()
        assert one["session"] in "".join(wide) and "PROTECTION" in wide[0]
        status = json.loads(said(gateway, "status", "--json"))
        assert {p["name"]: p["sessions"] for p in status["phase"]} == {"relay": 2, "negotiate": 1}
        assert status["sessions"]["now"] == 3
    wait_until(lambda: listed(gateway) == [])


def test_names_that_clients_make(start, echo):
    """A USERID with control characters reaches neither terminal nor JSON as more than text."""
    gateway = start(control="")
    with socks4.Client(gateway).connect(echo.address, b"e\x1b[2Jvil\xff\x9b") as client:
        client.echo()
        shown = [s for s in listed(gateway) if s.get("claimed")]
        assert shown[0]["claimed"] == "e\x1b[2Jvil\\xff\\x9b" and "user" not in shown[0]
        for how in ([], ["--wide"]):
            text = said(gateway, "sessions", *how)
            assert "e\\x1b[2Jvi" in text and all(c.isprintable() or c == "\n" for c in text)


def test_workers(gateway):
    rows = json.loads(said(gateway, "workers", "--json"))
    assert [r["role"] for r in rows] == ["logger", "auth", "worker", "worker"]
    assert {r["pid"] for r in rows} == set(gateway.children())
    assert all(r["state"] == "running" and r["memory"] > 100000 and r["restarts"] == 0 for r in rows)
    text = said(gateway, "workers").splitlines()
    assert len(text) == 5 and all(len(line) <= 80 for line in text)


def test_a_worker_that_was_replaced_is_counted(start):
    gateway = start(control="")
    old = gateway.children("worker")[0]
    gw.kill(old, 9)

    def replaced():
        rows = [r for r in json.loads(said(gateway, "workers", "--json")) if r["role"] == "worker"]
        return sum(r["restarts"] for r in rows) == 1 and all(
            r["state"] == "running" and r["pid"] != old for r in rows)
    wait_until(replaced)
    assert json.loads(said(gateway, "status", "--json"))["workers"]["restarts"] == 1


# --- who may ---


@pytest.mark.skipif(not gw.ROOT, reason="another user is needed")
def test_who_may(start):
    gateway = start(control='group = "daemon"')
    gid = 1  # daemon's, on every Debian
    mode = os.stat(gateway.socket).st_mode
    assert stat.S_ISSOCK(mode)
    said(gateway, "status")
    said(gateway, "status", uid=gateway.uid)
    said(gateway, "status", uid=23001, gid=gid)
    said(gateway, "status", uid=23001, groups=[500, gid])
    for n in range(5):
        fails(gateway, FAILED, "not allowed: root, the user who started", "status", uid=23001 + n)
    told = re.findall(r"control socket: user (\d+) \(process \d+\) is not allowed", gateway.stderr())
    assert told == ["23001"]  # once in a while


@pytest.mark.skipif(not gw.ROOT, reason="the gateway has to be root's")
def test_a_gateway_of_root(start):
    gateway = start(control='group = "daemon"', as_root=True)
    st = os.stat(gateway.socket)
    assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid) == (0o660, 0, 1)
    said(gateway, "status", uid=23001, groups=[1])
    fails(gateway, UNREACHABLE, "Permission denied", "status", uid=23001)
    gateway.stop()
    assert not gateway.socket.exists()


def test_a_group_that_is_none(start):
    gateway = start(control='group = "no-such-group"', start=False)
    for args in (["-t"], []):
        done = gateway.run("-c", gateway.config_path, *args)
        assert done.returncode == 1 and 'control { group = "no-such-group" }: there is no such group' in done.stderr


# --- where it is ---


def test_the_socket_comes_and_goes(start):
    gateway = start(control="")
    other = start(config=gateway.config_path.read_text(), start=False)
    other.uid = gateway.uid
    other._own(other.config_path)
    done = other.run("-c", other.config_path)
    assert done.returncode == 1 and "another gateway answers there" in done.stderr
    said(gateway, "status")
    gateway.end_now()
    assert gateway.socket.exists()
    fails(gateway, UNREACHABLE, "Connection refused", "status")
    gateway.stderr_path.unlink()
    gateway.log.unlink()
    gateway.start()
    said(gateway, "status")
    gateway.stop()
    assert not gateway.socket.exists()
    fails(gateway, UNREACHABLE, "No such file", "status")


def test_something_else_in_its_place(start):
    gateway = start(control="", start=False)
    gateway.socket.write_text("mine")
    done = gateway.run("-c", gateway.config_path)
    assert done.returncode == 1 and "is there and no socket" in done.stderr
    assert gateway.socket.read_text() == "mine"
    gateway.socket.unlink()
    gateway.socket.mkdir()
    gateway.configure(gateway.config_path.read_text().replace("control.sock", "none/there/control.sock"))
    done = gateway.run("-c", gateway.config_path)
    assert done.returncode == 1 and "its folder cannot be made" in done.stderr


def test_the_place_of_an_ordinary_user(start, base):
    """Without a word about it the socket is found by the user who started the gateway."""
    run = base / "run-of-user"
    run.mkdir(mode=0o700)
    gateway = start(start=False)
    gateway.configure(re.sub(r"control \{.*\}\n", "", gateway.config_path.read_text()))
    gateway._own(run)
    gateway.env["XDG_RUNTIME_DIR"] = str(run)
    gateway.start()
    assert "no control socket" not in gateway.stderr()
    if os.path.exists("/run/sallyport/control.sock") or os.path.exists("/etc/sallyport/sallyport.conf"):
        pytest.skip("this host has a gateway of its own")
    keys = {"socket": "", "uid": gateway.uid or 0, "env": {"XDG_RUNTIME_DIR": str(run)}}
    assert f"process {gateway.pid}," in said(gateway, "status", **keys)
    gateway.stop()
    assert list(run.iterdir()) == []
    fails(gateway, UNREACHABLE, "no gateway answers at", "status", **keys)


# --- clients that are none ---


def test_garbage(gateway):
    for data, error in [(b"\n", b"an empty word"), (b"\0\0\0\n", b"a control character"),
                        (b"\x16\x03\x01\x00\xa5\n", b"a control character"), (b"nonsense\n", b"no such command: nonsense"),
                        (b"GET / HTTP/1.1\r\n\r\n", b"a control character"), (b"status\tx\n", b"not NAME=VALUE"),
                        (b"sessions\tuser=\\q\n", b"an escape"), (b"status\tuser=x\n", b"knows no such word: user"),
                        (b"a" * 5000, b"longer than 4096"), (b"\xff" * 4000 + b"\n", b"no such command")]:
        answer = raw(gateway, data)
        assert answer.startswith(b".error\t") and error in answer and answer.endswith(b"\n"), (data[:40], answer)
    assert raw(gateway, b"stat", shut=True) == b""
    assert raw(gateway, b"status\n", shut=True).endswith(b"\n.ok\n")
    assert raw(gateway, b"status\n" * 10000).endswith(b"\n.ok\n")
    said(gateway, "status")


def test_floods(start, echo):
    gateway = start(control="")

    def flood():
        for _ in range(20):
            raw(gateway, b"x" * 100000)
    threads = [threading.Thread(target=flood) for _ in range(8)]
    for t in threads:
        t.start()
    with Client(gateway).connect(echo.address) as client:
        client.echo(b"y" * 100000)
    for t in threads:
        t.join()
    said(gateway, "status")


# --- the command line ---


def test_usage(gateway):
    assert "usage: sallyportctl" in said(gateway, "-h", socket="")
    assert re.match(r"sallyportctl \d", said(gateway, "-V", socket=""))
    for args, text in [(["nonsense"], 'no command "nonsense"'), ([], "usage:"), (["status", "x"], 'unexpected argument "x"'),
                       (["status", "--wrong"], "knows no --wrong"), (["sessions", "--user"], "--user wants a value"),
                       (["sessions", "--user", "a", "--user", "b"], "given twice"), (["kill"], "which sessions?"),
                       (["workers", "replace"], "replace N")]:
        fails(gateway, USAGE, text, *args)
    fails(gateway, UNREACHABLE, "No such file", "status", socket="/nonexistent/control.sock")
    fails(gateway, FAILED, "an address or a prefix", "sessions", "--client", "here")


# --- at the end: who said nothing all the time ---


def test_silence(silent):
    """64 that say nothing are told so after ten seconds; meanwhile nobody else waits."""
    gateway, clients = silent
    answers = {client.recv(1000) for client in clients}
    assert answers == {b".error\tno request within 10 seconds\n"}
    said(gateway, "status")
