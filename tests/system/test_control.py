# SPDX-License-Identifier: ISC
"""The control socket and sallyportctl against a real gateway."""
import contextlib
import fcntl
import json
import os
import re
import socket
import stat
import subprocess
import threading

import pytest

import gateway as gw
import socks4
from socks import Client
from waiting import wait_until

USERS = gw.alice() + gw.user_line("bob", "builder")
OK, FAILED, USAGE, UNREACHABLE = range(4)
UNJUDGED = 3


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
    assert re.search(r"^  up \d+\w since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$", text, re.M)
    assert re.search(rf"^config +{gateway.config_path}$", text, re.M)
    assert re.search(r"^workers +2 of 2 running", text, re.M)
    assert all(len(line) <= 80 for line in text.splitlines() if "/" not in line), text
    status = json.loads(said(gateway, "status", "--json"))
    assert status["gateway"]["pid"] == gateway.pid and status["gateway"]["rules"] == 3
    assert status["listener"][0]["address"] == f"127.0.0.1:{gateway.port}"
    wait_until(lambda: json.loads(said(gateway, "status", "--json"))["audit"]["state"] == "connected")


@pytest.mark.sanitizers
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
                               (["--destination", one["destination"]], 2), (["--destination", "127.0.0.1:1"], 0),
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
        assert said(gateway, "kill", "--user", "*") == "0 sessions ended\n"  # a claim is no user
        for how in ([], ["--wide"]):
            text = said(gateway, "sessions", *how)
            assert "(e\\x1b[2Jvi" in text and all(c.isprintable() or c == "\n" for c in text)


def test_workers(gateway):
    rows = json.loads(said(gateway, "workers", "--json"))
    assert [r["role"] for r in rows] == ["logger", "auth", "worker", "worker"]
    assert {r["pid"] for r in rows} == set(gateway.children())
    assert all(r["state"] == "running" and r["memory"] > 100000 and r["restarts"] == 0 for r in rows)
    text = said(gateway, "workers").splitlines()
    assert len(text) == 5 and all(len(line) <= 80 for line in text)


def test_a_worker_that_died_is_counted(start):
    gateway = start(control="")
    old = gateway.children("worker")[0]
    gw.kill(old, 9)

    def replaced():
        rows = [r for r in json.loads(said(gateway, "workers", "--json")) if r["role"] == "worker"]
        return sum(r["restarts"] for r in rows) == 1 and all(
            r["state"] == "running" and r["pid"] != old for r in rows)
    wait_until(replaced)
    assert json.loads(said(gateway, "status", "--json"))["workers"]["restarts"] == 1


def strings(value):
    """Every (name, text) in what --json says."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from [(name, one)] if isinstance(one, str) else strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def test_numbers_are_numbers_in_json(gateway, echo):
    """All but labels and ids."""
    with Client(gateway).connect(echo.address, "alice") as client:
        client.echo()
        seen = [pair for what in ("status", "sessions", "workers", "penalties")
                for pair in strings(json.loads(said(gateway, what, "--json")))]
    assert len(seen) > 20
    assert {name for name, text in seen if re.fullmatch(r"[0-9.]+", text)} <= {"worker", "number", "session", "version"}


# --- what it does ---


@pytest.mark.sanitizers
def test_kill(gateway, echo):
    clients = [Client(gateway).connect(echo.address, "alice"), Client(gateway).connect(echo.address, "alice"),
               Client(gateway).connect(echo.address, "bob", "builder"), Client(gateway).connect(echo.address, "bob", "builder")]
    for client in clients:
        client.echo()
    one = [s for s in listed(gateway, "--user", "bob") if s["client"] == clients[2].name][0]
    assert said(gateway, "kill", "--user", "carol") == "0 sessions ended\n"
    assert said(gateway, "kill", "--session", one["session"]) == "1 session ended\n"
    clients[2].ends_or_resets()
    clients[3].echo()
    assert said(gateway, "kill", "--user", "bob", "--client", "10.0.0.0/8") == "0 sessions ended\n"
    assert said(gateway, "kill", "--rule", "alice*", "--client", "127.0.0.1") == "2 sessions ended\n"
    for client in clients[:2]:
        client.ends_or_resets()
        assert gateway.closing(client)["reason"] == "killed"
    clients[3].echo()
    assert said(gateway, "kill", "--client", "127.0.0.1/32") == "1 session ended\n"
    told = [r["text"] for r in gateway.events() if r["event"] == "gateway.message"]
    assert any(re.fullmatch(r"control socket: kill client=127\.0\.0\.1 rule=alice\*, by user %d \(process \d+\)"
                            % os.geteuid(), t) for t in told), told
    wait_until(lambda: listed(gateway) == [])
    for client in clients:
        client.close()


def test_a_reload_tells_what_it_did(start, echo):
    """How many sessions ended by it; whose they were stands in their records."""
    gateway = start(control="", rules=[gw.rule("low", port=["1-65535"], destination=gw.LOOPBACK)])
    text = gateway.config_path.read_text()
    with Client(gateway).connect(echo.address) as ends, Client(gateway, source="127.0.0.7").connect(echo.address) as stays:
        ends.echo()
        stays.echo()
        gateway.configure(text.replace('rule "low"', gw.rule("no", "deny", client=["127.0.0.1/32"]) + 'rule "low"'))
        told = said(gateway, "reload")
        assert told == "reloaded: generation 2 is in force; 1 session that it does not allow ended\n"
        assert gateway.closing(ends)["reason"] == "policy" and gateway.closing(ends)["rule"] == "no"
        stays.echo()
        assert json.loads(said(gateway, "status", "--json"))["reload"]["text"] + "\n" == told
        assert said(gateway, "reload") == "reloaded: generation 3 is in force\n"


@pytest.mark.sanitizers
def test_reload(start, echo):
    gateway = start(control="")
    good = gateway.config_path.read_text()
    assert said(gateway, "reload") == "reloaded: generation 2 is in force\n"
    for n in range(3):
        gateway.configure(good + f'rule "a" {{ action = "never" }}\nrule "\x1b" {{ }}\nnonsense = {n}\n')
        done = fails(gateway, FAILED, "sallyport.conf:", "reload")
        assert done.stderr.count('"never" is not allowed') == 1 and "\x1b" not in done.stderr
        assert done.stderr.endswith("\nsallyportctl: not reloaded\n")
        assert re.search(r"^last reload FAILED: \S+:\d+: ", said(gateway, "status"), re.M)
    status = json.loads(said(gateway, "status", "--json"))
    assert status["gateway"]["generation"] == 2 and status["reload"]["result"] == "failed"
    gateway.configure(good.replace("workers = 2", "workers = 3"))
    assert "restart" in fails(gateway, FAILED, "workers", "reload").stderr
    gateway.configure(good.replace('"allow"', '"deny"'))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(gateway.ctl("reload"))) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [a.returncode for a in answers] == [0] * 10
    assert all("is in force" in a.stdout for a in answers)
    with Client(gateway) as client:
        client.send(b"\x05\x01\x00")
        assert client.recv(2) == b"\x05\xff"  # no rule is left that could allow anything
    # Somebody who asks and goes away hurts nobody.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.connect(str(gateway.socket))
        s.sendall(b"reload\n")
    said(gateway, "reload")


def test_drain(start, echo):
    gateway = start(control="")
    with Client(gateway).connect(echo.address) as client:
        client.echo()
        said(gateway, "drain")
        wait_until(lambda: ", draining" in said(gateway, "status"))
        with pytest.raises(OSError):
            Client(gateway).greet()
        client.echo()
    assert gateway.process.wait(10) == 0
    assert not gateway.socket.exists()
    gateway.check()


def test_replace_a_worker(start, echo):
    gateway = start(control="")
    with Client(gateway).connect(echo.address) as client:
        client.echo()
        old = gateway.children("worker")
        for number in "1", "2":
            assert "gets a successor" in said(gateway, "workers", "replace", number)

        def replaced():
            rows = [r for r in json.loads(said(gateway, "workers", "--json")) if r["role"] == "worker"]
            return len([r for r in rows if r["state"] == "running" and r["pid"] not in old]) == 2
        wait_until(replaced)
        rows = json.loads(said(gateway, "workers", "--json"))
        assert [r["sessions"] for r in rows if r["state"] == "draining" and r["sessions"]] == [1]
        assert not any(r["restarts"] for r in rows)  # it was asked for
        client.echo()
        assert len(listed(gateway)) == 1  # of the one that drains
        assert said(gateway, "kill", "--client", "127.0.0.1") == "1 session ended\n"
        client.ends_or_resets()
    for number in "0", "3", "x":
        fails(gateway, FAILED, "", "workers", "replace", number)


@pytest.mark.sanitizers
def test_penalties(start):
    gateway = start(control="", methods=("userpass",), limits="failures = 2 penalty = 300")
    assert said(gateway, "penalties") == "no penalties\n"
    assert json.loads(said(gateway, "penalties", "--json")) == []

    def fail(user="alice"):
        with Client(gateway) as client:
            try:
                client.log_in(user, "wrong")
            except (ConnectionError, AssertionError, OSError):
                pass

    def rows():
        return json.loads(said(gateway, "penalties", "--json"))
    for _ in range(3):
        fail()
    wait_until(rows)
    assert all(r["client"].startswith("127.0.0.1") and 0 < r["left"] <= 300 for r in rows()), rows()
    text = said(gateway, "penalties").splitlines()
    assert text[0].split()[:3] == ["CLIENT", "USER", "LEFT"] and "127.0.0.1" in text[1]
    assert json.loads(said(gateway, "status", "--json"))["limits"]["penalties"] == len(rows())
    fails(gateway, FAILED, "an address or a prefix is wanted", "penalties", "clear", "--client", "here")
    assert said(gateway, "penalties", "clear", "--client", "192.0.2.1") == "0 cleared\n"
    # As the list shows it, by one address, and by a prefix.
    for client in rows()[0]["client"], "127.0.0.1", "127.0.0.0/8":
        count = len(rows())
        assert said(gateway, "penalties", "clear", "--client", client) == f"{count} cleared\n"
        assert count > 0 and rows() == []
        if client != "127.0.0.0/8":
            for _ in range(3):
                fail()
            wait_until(rows)
    with Client(gateway) as client:
        assert client.log_in() == 0


def test_metrics(gateway):
    text = said(gateway, "metrics")
    assert text.endswith("# EOF\n") and "# TYPE sallyport_" in text


def test_metrics_in_any_locale(start):
    """A program reads it: what a terminal is spared is its text all the same."""
    gateway = start(control="", rules=gw.rule("B\xc3\xbcro", action="deny", port=["80"]) + gw.ALLOW)
    with Client(gateway) as client:
        assert client.greet().ask("192.0.2.1", 80).code == 2
    for locale in "C", "C.UTF-8":
        text = gateway.ctl("metrics", env={"LC_ALL": locale}).stdout
        assert 'rule="B\u00fcro"' in text, locale


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


@pytest.mark.skipif(not gw.ROOT, reason="another user is needed")
def test_a_silent_group_leaves_places(start):
    """Its members get all but the last eight; root and the gateway's user get those."""
    gateway = start(control='group = "daemon"')
    with contextlib.ExitStack() as stack:
        os.setegid(1)
        os.seteuid(23001)
        try:
            for _ in range(56):
                client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                client.connect(str(gateway.socket))
        finally:
            os.seteuid(0)
            os.setegid(0)
        fails(gateway, FAILED, "too many control clients", "status", uid=23001, gid=1)
        owner = [stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) for _ in range(7)]
        for client in owner:
            client.connect(str(gateway.socket))
        said(gateway, "status", uid=gateway.uid)
        said(gateway, "status")
    wait_until(lambda: gateway.ctl("status", uid=23001, gid=1).returncode == OK, 5)


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


# --- the policy, asked ---

POLICY = """
methods = { "gssapi", "userpass", "none" }
listen "127.0.0.1:1080" { }
userpass { file = "/nonexistent" }
gssapi { keytab = "/nonexistent" }
rule "not at night" { action = "deny" group = { "staff" } time = { "Sat-Sun 00:00-24:00" } }
rule "no ten" { action = "deny" destination = { "10.0.0.0/8" } }
rule "partners" { action = "allow" user = { "*@EX" } protection = "integrity" destination = { "@lists/partners" } }
rule "web" { action = "allow" user = { "*@EX" } destination = { "*.example.com", "203.0.113.0/24" } port = { "443" } }
rule "loopback" { action = "allow" method = { "none" } command = { "connect" } destination = { "127.0.0.1" } }
rule "anybody's" { action = "allow" method = { "none" } command = { "bind" } bind-any = true }
"""


@pytest.fixture(scope="module")
def policy(base):
    folder = base / "policy"
    (folder / "lists").mkdir(parents=True)
    (folder / "lists" / "partners").write_text("partner.test\n198.51.100.0/24\n")
    (folder / "sallyport.conf").write_text(POLICY)
    return folder / "sallyport.conf"


EXPLAINED = [
    (OK, 'allowed by rule "web"', "--user a@EX --to www.example.com:443 --address 203.0.113.4"),
    (FAILED, 'denied by rule "no ten"', "--user a@EX --to www.example.com:443 --address 10.9.9.9"),
    (FAILED, "denied: no rule matches", "--user a@EX --to www.example.com:80 --address 203.0.113.4"),
    (FAILED, 'denied by rule "not at night"',
     "--user a@EX --group staff --group x --to 203.0.113.4:443 --when 2026-11-21T12:00Z"),
    (OK, 'allowed by rule "web"', "--user a@EX --group staff --to 203.0.113.4:443 --when 2026-11-18T12:00Z"),
    (OK, 'allowed by rule "partners"',
     "--user a@EX --method gssapi --protection confidentiality --to 198.51.100.9:25"),
    (FAILED, "denied: no rule", "--user a@EX --method gssapi --protection none --to 198.51.100.9:25"),
    (OK, 'allowed by rule "loopback"', "--method none --to 127.0.0.1:80"),
    (FAILED, "denied: no rule", "--method none --to 127.0.0.1:80 --command udp"),
    (FAILED, "denied: no rule", "--method none --to [::1]:80"),
    (OK, 'allowed by rule "anybody\'s"', "--method none --to 0.0.0.0:0 --command bind"),
]


@pytest.mark.sanitizers
def test_explain(gateway, policy):
    for status, verdict, question in EXPLAINED:
        done = gateway.ctl("explain", "-c", policy, "--client", "192.0.2.7", *question.split(), socket="")
        assert (done.returncode, done.stdout.splitlines()[0], done.stderr) == (status, done.stdout.splitlines()[0], ""), done
        assert done.stdout.startswith(verdict), (question, done.stdout)
    done = gateway.ctl("explain", "-c", policy, "--client", "192.0.2.7", "--user", "a@EX", "--to", "203.0.113.4:443")
    assert done.stdout.splitlines() == [
        'allowed by rule "web"', '    1  "not at night": group does not match', '    2  "no ten": destination does not match',
        '    3  "partners": protection does not match', '    4  "web": matches']
    for text, question in [("--client and --to are needed", ["--to", "a:1"]), ("is no address", ["--client", "x", "--to", "a:1"]),
                           ("is not HOST:PORT", ["--client", "::1", "--to", "a"]), ("is no port", ["--client", "::1", "--to", "a:x"]),
                           ("in brackets", ["--client", "::1", "--to", "::1:80"]),
                           ("is none that is offered", ["--client", "::1", "--to", "a:1", "--method", "x"]),
                           ("allowed are", ["--client", "::1", "--to", "a:1", "--protection", "x"]),
                           ("allowed are", ["--client", "::1", "--to", "a:1", "--command", "x"]),
                           ("is no time", ["--client", "::1", "--to", "a:1", "--when", "noon"]),
                           ("say user, too", ["--client", "::1", "--to", "a:1", "--group", "x"])]:
        fails(gateway, USAGE, text, "explain", "-c", policy, *question)
    fails(gateway, USAGE, "No such file", "explain", "-c", "/nonexistent.conf", "--client", "::1", "--to", "a:1")


def test_explain_knows_what_is_refused_unresolved(start, base):
    """No address could change it, so none is asked for: the rule that the audit has is told, too."""
    rules = gw.rule("ten", action="deny", destination=["10.0.0.0/8"]) \
        + gw.rule("tests", action="deny", destination=["*.test"]) + gw.ALLOW
    gateway = start(control="", rules=rules)
    done = gateway.ctl("explain", "--client", "127.0.0.1", "--to", "a.test:80", "--address", "10.1.1.1")
    assert done.stdout.startswith('denied by rule "ten"\n')
    assert done.stdout.endswith('its audit says: denied by rule "tests"\n')
    with Client(gateway) as client:
        assert client.greet().ask("a.test", 80).code == 2
    record, = wait_until(lambda: [r for r in gateway.events() if r["event"] == "request.denied"])
    assert record["rule"] == "tests"
    for address in "192.0.2.1", "127.0.0.1":
        done = gateway.ctl("explain", "--client", "127.0.0.1", "--to", "a.test:80", "--address", address)
        assert "audit" not in done.stdout


def test_explain_resolves(gateway, policy):
    done = gateway.ctl("explain", "-c", policy, "--client", "192.0.2.7", "--to", "localhost:80", "--resolve")
    assert done.returncode == OK
    assert 'localhost at 127.0.0.1: allowed by rule "loopback"' in done.stdout
    done = gateway.ctl("explain", "-c", policy, "--client", "192.0.2.7", "--to", "localhost:80")
    assert done.returncode == FAILED and "--resolve" in done.stdout
    # A name that does not resolve is no verdict.
    done = fails(gateway, UNJUDGED, "nowhere.invalid: ", "explain", "-c", policy, "--client", "192.0.2.7", "--to",
                 "nowhere.invalid:80", "--resolve", env={"RES_OPTIONS": "timeout:1 attempts:1"})


def test_what_could_not_be_judged_is_no_verdict(gateway, policy, base):
    """0 and 1 are verdicts, whatever else goes wrong has another status."""
    table = base / "one"
    table.write_text("client=127.0.0.1 user=carol to=127.0.0.1:1 expect=deny\n")
    explain = ["explain", "--client", "127.0.0.1", "--user", "carol", "--to", "127.0.0.1:1"]
    for args in explain, ["test", table]:
        fails(gateway, UNJUDGED, "No such file", *args, socket="/nonexistent")
        if gw.ROOT:
            fails(gateway, UNJUDGED, "not allowed: root", *args, uid=23099)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([gateway.programs.folder / "sallyportctl", "-s", gateway.socket, *args], stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        assert done.returncode == UNJUDGED and b"takes no more" in done.stderr
    assert gateway.ctl(*explain).returncode == FAILED
    said(gateway, "test", table)


def test_explain_asks_the_gateway(gateway, echo):
    text = said(gateway, "explain", "--client", "127.0.0.1", "--user", "bob", "--to", "127.0.0.1:80")
    assert text.splitlines() == ['allowed by rule "bob\'s"', '    1  "alice\'s": user does not match',
                                 '    2  "bob\'s": matches']
    done = gateway.ctl("explain", "--client", "127.0.0.1", "--user", "carol", "--to", "127.0.0.1:80")
    assert done.returncode == FAILED and done.stdout.startswith("denied: no rule matches")


TABLE = """# what our policy promises
client=192.0.2.7 user=a@EX to=www.example.com:443 address=203.0.113.1 expect=allow rule="web"
client=192.0.2.7 user=a@EX group=staff to=203.0.113.1:443 when=2026-11-21T12:00Z expect=deny rule="not at night"

client=192.0.2.7 to=www.example.com:443 expect=deny rule="" # nobody we know
"""


@pytest.mark.sanitizers
def test_a_table_of_expectations(gateway, policy, base):
    table = base / "table"
    table.write_text(TABLE)
    args = ["test", "-c", policy, table]
    assert said(gateway, *args) == "3 passed, 0 failed\n"
    table.write_text(TABLE + 'client=192.0.2.7 to=10.0.0.1:80 expect=allow\n'
                     'client=192.0.2.7 to=10.0.0.1:80 expect=deny rule="web"\n')
    done = gateway.ctl(*args)
    assert done.returncode == FAILED and done.stdout.splitlines() == [
        f'{table}:6: FAILED: expected is allow; it is denied by rule "no ten"',
        f'{table}:7: FAILED: expected is deny by rule "web"; it is denied by rule "no ten"', "3 passed, 2 failed"]
    bad = {"client=x to=a:1 expect=deny": "is no address", "client=::1 to=a:1": "are needed", "nonsense": "is not KEY=VALUE",
           "client=::1 to=a:1 expect=maybe": "allowed are", "client=::1 client=::1 to=a:1 expect=deny": "comes twice",
           "client=::1 to=a:1 expect=deny colour=red": "unknown key", 'client=::1 to=a:1 expect=deny rule="x': "does not end"}
    table.write_text(TABLE + "\n".join(bad) + "\n")
    done = gateway.ctl(*args)
    assert done.returncode == USAGE and "3 passed, 0 failed, 7 not understood" in done.stdout
    for n, (line, text) in enumerate(zip(done.stderr.splitlines(), bad.values())):
        assert line.startswith(f"{table}:{n + 6}: ") and text in line
    table.write_text("# nothing\n")
    fails(gateway, USAGE, "no expectation in it", *args)
    fails(gateway, USAGE, "No such file", "test", "-c", policy, "/nonexistent")
    table.write_text("client=127.0.0.1 user=bob to=127.0.0.1:1 expect=allow rule=bob's\n")
    assert said(gateway, "test", table) == "1 passed, 0 failed\n"


# --- on a terminal ---


class Terminal:
    """A program on a real terminal, of tmux."""

    def __init__(self, folder, command, columns=80, rows=24):
        (folder / "tmux.conf").write_text("set -g remain-on-exit on\n")
        self.server = ["tmux", "-S", str(folder / "tmux.sock"), "-f", str(folder / "tmux.conf")]
        env = {k: v for k, v in os.environ.items() if k not in ("TMUX", "TMUX_PANE")}
        subprocess.run([*self.server, "new-session", "-d", "-x", str(columns), "-y", str(rows),
                        "env", "LC_ALL=C.UTF-8", *map(str, command)], check=True, env=env)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        subprocess.run([*self.server, "kill-server"], check=False)

    def screen(self):
        return subprocess.run([*self.server, "capture-pane", "-p"], check=True, stdout=subprocess.PIPE).stdout.decode()

    def keys(self, *keys):
        subprocess.run([*self.server, "send-keys", *keys], check=True)

    def ended(self):
        dead = subprocess.run([*self.server, "display-message", "-p", "#{pane_dead}"], check=True, stdout=subprocess.PIPE)
        return dead.stdout.strip() == b"1"

    def resize(self, columns, rows):
        subprocess.run([*self.server, "resize-window", "-x", str(columns), "-y", str(rows)], check=True)

    def shows(self, text, seconds=10):
        def look():
            screen = self.screen()
            return screen if re.search(text, screen, re.M) else None
        try:
            return wait_until(look, seconds)
        except AssertionError:
            raise AssertionError(f"{text} is not on the screen:\n{self.screen()}") from None


def test_top(gateway, echo, tmp_path):
    clients = [Client(gateway).connect(echo.address, "alice"), Client(gateway).connect(echo.address, "bob", "builder")]
    for client in clients:
        client.echo()
    with Terminal(tmp_path, [gateway.programs.folder / "sallyportctl", "-s", gateway.socket, "top"]) as t:
        screen = t.shows("^[0-9a-f]+ +alice +127")
        lines = screen.splitlines()
        assert lines[0].startswith("sallyport ") and lines[0].endswith("by rate") and len(lines) == 24
        assert re.match(r"sessions 2 of \d+ +relay 2", lines[2]) and lines[3].startswith("rate ")
        assert lines[4].split() == ["ID", "USER", "CLIENT", "DESTINATION", "UP/s", "DN/s", "BYTES", "AGE"]
        assert lines[23].startswith("q quit")
        clients[1].echo(b"x" * 300000)
        screen = t.shows(r"bob .* [1-9]\d*k +[1-9]\d*k +58\dk")  # 300,000 octets each way within two seconds or so
        assert screen.index("bob") < screen.index("alice")
        t.keys("s")
        t.shows("by bytes$")
        t.keys("s")
        t.shows("by age$")
        t.keys("p")
        t.shows("by age, PAUSED$")
        t.keys("p", "Home", "k")
        t.shows(r"^end session \w+ of alice to 127\.0\.0\.1:\d+\? \(y/n\)")
        t.keys("n")
        t.shows("^q quit")
        clients[0].echo()
        t.keys("Down", "k")
        t.shows("of bob to")
        t.keys("y")
        clients[1].ends_or_resets()
        t.shows("^sessions 1 of")
        t.resize(110, 10)
        screen = t.shows("AGE RULE")
        assert len(screen.splitlines()) == 10 and "alice's" in screen
        t.resize(30, 3)
        t.resize(80, 24)
        t.shows("^[0-9a-f]+ +alice +127")
        t.keys("q")
        wait_until(t.ended, 10, f"it ends; the screen is {t.screen()}")
    for client in clients:
        client.close()
    fails(gateway, USAGE, "top wants a terminal", "top")


@pytest.mark.parametrize("term,text", [("dumb", "cannot move its cursor"), ("nonsense", "is not known")])
def test_top_on_another_terminal(gateway, tmp_path, term, text):
    top = f"TERM={term} {gateway.programs.folder}/sallyportctl -s {gateway.socket} top; echo status $?; read line"
    with Terminal(tmp_path, ["sh", "-c", top], 120) as t:
        assert text in t.shows("^status 2")


def test_a_listing_on_a_terminal(gateway, echo, tmp_path):
    with Client(gateway).connect(echo.address, "alice") as client:
        client.echo()
        command = f"{gateway.programs.folder}/sallyportctl -s {gateway.socket} sessions; exec cat"
        with Terminal(tmp_path, ["sh", "-c", command]) as t:
            screen = t.shows("relay +alice's$")
    lines = [line for line in screen.splitlines() if line]
    assert lines[0].startswith("SESSION USER") and re.search(r"alice +127\.0\.0\.1 .* relay +alice's$", lines[1])


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


@pytest.mark.skipif(not gw.ROOT, reason="another user is needed")
def test_a_folder_that_somebody_keeps_locked(start):
    """Who can read a folder can lock it: no reason to do without."""
    gateway = start(control="", start=False)
    held = os.open(gateway.folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        gateway.start()
        assert "going on without the lock" in gateway.stderr()
        said(gateway, "status")
    finally:
        os.close(held)


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
    keys = {"socket": "", "uid": gateway.uid or 0, "env": {"XDG_RUNTIME_DIR": str(run)}}
    assert f"process {gateway.pid}," in said(gateway, "status", **keys)
    gateway.stop()
    assert list(run.iterdir()) == []


@pytest.mark.skipif(not gw.ROOT, reason="a user without anything else there is needed")
def test_the_place_without_a_run_folder(start):
    gateway = start(start=False)
    gateway.configure(re.sub(r"control \{.*\}\n", "", gateway.config_path.read_text()))
    gateway.start()
    folder = f"/tmp/sallyport-{gateway.uid}"
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert f"process {gateway.pid}," in said(gateway, "status", socket="", uid=gateway.uid)
    gateway.stop()
    assert not os.path.exists(folder)
    # What somebody else put there is neither used nor asked, and the gateway goes on without.
    os.mkdir(folder)
    try:
        os.chmod(folder, 0o755)
        os.chown(folder, gateway.uid + 1, gateway.uid + 1)
        gateway.stderr_path.unlink()
        gateway.log.unlink()
        gateway.start()
        assert "this gateway has no control socket" in gateway.stderr()
        gateway.stop()
    finally:
        os.rmdir(folder)


# --- clients that are none ---


@pytest.mark.sanitizers
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


@pytest.mark.sanitizers
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
                       (["status", "--wrong"], "knows no --wrong"), (["sessions", "-xw"], "knows no -x"),
                       (["sessions", "--user"], "--user wants a value"),
                       (["sessions", "--user", "a", "--user", "b"], "given twice"), (["kill"], "which sessions?")]:
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
