# SPDX-License-Identifier: ISC
"""Reload: all of a new configuration in all processes, or nothing of it anywhere."""
import os
import signal
import socket
import threading
import time

import pytest

import gateway as gw
import socks
from gateway import stays, wait_until
from gssapi_client import CONFIDENTIALITY, GssClient
from ports import free_port
from socks import Client
from test_gss_keytab import logs_in
from traffic import Steady, worker_of

ELSEWHERE = gw.rule("elsewhere", destination=["192.0.2.0/24"])  # what the tests use is refused


def reply_of(gateway, target):
    with Client(gateway) as client:
        return client.greet().ask(*target).code


def works(gateway, echo):
    with Client(gateway) as client:
        client.connect(echo.address).echo()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def generation(record):
    assert record["event"] == "gateway.reload", record
    return int(record["generation"])


@pytest.mark.parametrize("as_root", [False, pytest.param(True, marks=pytest.mark.skipif(
    not gw.ROOT, reason="only root can start it as root"))])
def test_a_rule_takes_effect(start, echo, as_root):
    gateway = start(as_root=as_root)
    allowed = gateway.config_path.read_text()
    works(gateway, echo)
    first = generation(gateway.reload(allowed.replace(gw.ALLOW, ELSEWHERE)))
    assert first == 2
    assert reply_of(gateway, echo.address) == 2
    assert generation(gateway.reload(allowed)) == 3
    works(gateway, echo)


@pytest.mark.sanitizers
def test_listeners_come_and_go(start, echo):
    """Sessions of those that stay, and of those that go, are not touched."""
    gateway = start(listen=("127.0.0.1:0", f"127.0.0.2:{free_port()}"))
    text = gateway.config_path.read_text()
    stay, go = Steady(gateway, echo.address), Steady(gateway.listening[1], echo.address)
    port = free_port()
    generation(gateway.reload(text.replace(gateway.listening[1][0], "127.0.0.3")
                              + f'listen "127.0.0.1:{port}" {{ }}\n'))
    new = Steady(("127.0.0.1", port), echo.address)
    with pytest.raises(OSError):
        socket.create_connection(gateway.listening[1], 2)
    rounds = [s.rounds for s in (stay, go, new)]
    wait_until(lambda: all(s.rounds > n + 5 for s, n in zip((stay, go, new), rounds)), 5)
    generation(gateway.reload(text))
    works(gateway, echo)
    assert not accepts(port)
    for steady in (stay, go, new):
        assert steady.stop().failed is None
    names = {gateway.closing(s.name)["listener"] for s in (stay, go, new)}
    assert names == {"127.0.0.1:0", f"127.0.0.2:{gateway.listening[1][1]}", f"127.0.0.1:{port}"}


BAD = {
    "a syntax error": (lambda text: text + "rule {", "config"),
    "an unknown key": (lambda text: text + "bogus = 1\n", "config"),
    "a key that needs a restart": (lambda text: text.replace("workers = 2", "workers = 3"), "restart-needed"),
    "a listener that cannot be had": (lambda text: text + 'listen "192.0.2.1:1" { }\n', "listen"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_changes_nothing(start, echo, what):
    gateway = start()
    spoil, reason = BAD[what]
    text = gateway.config_path.read_text()
    children = gateway.children()
    port = free_port()
    steady = Steady(gateway, echo.address)
    bad = spoil(text.replace(gw.ALLOW, ELSEWHERE) + f'listen "127.0.0.1:{port}" {{ }}\n')
    record = gateway.reload(bad)
    assert (record["event"], record["reason"]) == ("gateway.reload-failed", reason), record
    assert record["generation"] == "1"
    if reason == "restart-needed":
        assert record["detail"].startswith("workers"), record
    assert not accepts(port), "a listener of a configuration that was refused"
    works(gateway, echo)
    assert gateway.children() == children
    assert steady.stop().failed is None
    assert generation(gateway.reload(text + ELSEWHERE)) > 1


def test_the_reason_of_a_refusal_is_no_warning(start):
    gateway = start()
    folder = gateway.config_path.parent
    (folder / "empty").write_text("")
    record = gateway.reload(gateway.config_path.read_text()
                            + gw.rule("first", destination=[f"@{folder}/empty"])
                            + gw.rule("second", destination=[f"@{folder}/missing"]))
    assert record["event"] == "gateway.reload-failed"
    assert "missing" in record["detail"] and "warning" not in record["detail"], record


@pytest.mark.sanitizers
def test_a_respawn_key_replaces_the_workers(start, echo):
    gateway = start()
    text = gateway.config_path.read_text()
    old = gateway.children("worker")
    steady = [Steady(gateway, echo.address) for _ in range(4)]
    generation(gateway.reload(text + "resolver { timeout = 7 }\n"))
    wait_until(lambda: len([r for r in gateway.events() if r["event"] == "worker.start"]) == 5, 10)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        assert worker_of(gateway, client).endswith(".2")
    rounds = [s.rounds for s in steady]
    wait_until(lambda: all(s.rounds > n + 5 for s, n in zip(steady, rounds)), 5, "old sessions go on")
    assert set(old) <= set(gateway.children("worker"))
    # What is in force holds for the sessions of the old ones, too.
    generation(gateway.reload(text.replace(gw.ALLOW, ELSEWHERE) + "resolver { timeout = 7 }\n"))
    for s in steady:
        assert gateway.closing(s.name)["reason"] == "policy"
        s.stop()
    wait_until(lambda: not set(old) & set(gateway.children("worker")), 10, "the old workers end")
    exits = wait_until(lambda: [r for r in gateway.events() if r["event"] == "worker.exit"][1:], 5)
    assert {r["reason"] for r in exits} == {"replaced"}


def test_a_respawn_key_of_a_pool_replaces_it(start, echo):
    """Nobody else: not the workers, not another pool; and logins go on all the time."""
    gateway = start(methods=["userpass"], userpass="processes = 2")
    text = gateway.config_path.read_text()
    old, others = gateway.children("auth"), gateway.children("worker") + gateway.children("logger")
    steady = Steady(gateway, echo.address, "alice")
    generation(gateway.reload(text.replace("processes = 2", "processes = 2 remember = 7")))
    wait_until(lambda: log_in_works(gateway, echo) and not set(old) & set(gateway.children("auth")), 10)
    assert len(gateway.children("auth")) == 2 and log_in_works(gateway, echo)
    assert gateway.children("worker") + gateway.children("logger") == others
    assert steady.stop().failed is None
    exits = wait_until(lambda: [r for r in gateway.events() if r["event"] == "worker.exit"][1:], 5)
    assert {(r["role"], r["reason"]) for r in exits} == {("auth", "replaced")}


def log_in_works(gateway, echo):
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo()
    return True


def test_a_worker_dies_while_everybody_is_asked(start, echo):
    """It counts neither as yes nor as no; its successor works with what came into force."""
    gateway = start(workers=2)
    text = gateway.config_path.read_text()
    victim = gateway.children("worker")[0]
    asked_and_killed(gateway, victim, text.replace(gw.ALLOW, ELSEWHERE))
    assert generation(wait_until(gateway.reloads, 5)[0]) == 2
    wait_until(lambda: len(gateway.children("worker")) == 2, 10)
    assert all(reply_of(gateway, echo.address) == 2 for _ in range(8))


def asked_and_killed(gateway, victim, text):
    gw.halt(victim)
    gateway.configure(text)
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: "reading the configuration again" in gateway.stderr(), 5)
    stays(lambda: not gateway.reloads(), 0.3, "it waits for the answer")
    gw.kill(victim, signal.SIGKILL)


def test_the_only_worker_dies_while_it_is_asked(start, echo):
    """Nobody of its kind said yes: what killed it might kill its successors."""
    gateway = start(workers=1)
    text = gateway.config_path.read_text()
    asked_and_killed(gateway, gateway.children("worker")[0], text.replace(gw.ALLOW, ELSEWHERE))
    record = wait_until(gateway.reloads, 5)[0]
    assert (record["event"], record["reason"]) == ("gateway.reload-failed", "refused"), record
    wait_until(lambda: len(gateway.children("worker")) == 1, 10)
    works(gateway, echo)
    assert generation(gateway.reload()) > 2


def test_ten_at_once(start, echo):
    """One runs, one waits, and nobody is forgotten: the last change is in force at the end."""
    gateway = start()
    text = gateway.config_path.read_text()
    for i in range(10):
        gateway.configure(text if i < 9 else text.replace(gw.ALLOW, ELSEWHERE))
        gateway.signal(signal.SIGHUP)
    wait_until(lambda: reply_of(gateway, echo.address) == 2, 5)
    done = len(gateway.reloads())
    assert 1 <= done <= 10
    assert all(r["event"] == "gateway.reload" for r in gateway.reloads())


def test_a_list_file_is_looked_at(start, echo):
    gateway = start(start=False)
    partners = gateway.folder / "partners"
    partners.write_text("192.0.2.0/24\n")
    gateway._own(partners)
    rule = gw.rule("list", destination=[f"@{partners}"])
    gateway.configure(gateway.config_path.read_text().replace(gw.ALLOW, rule))
    gateway.start()
    assert reply_of(gateway, echo.address) == 2
    partners.write_text("127.0.0.0/8\n")
    wait_until(lambda: gateway.reloads(), 15, "the list is looked at every 5 s")
    works(gateway, echo)


def test_the_pools_files_are_part_of_it(start, echo):
    gateway = start(methods=["userpass"], userpass="processes = 2")
    text = gateway.config_path.read_text()
    other = gateway.folder / "others"
    other.write_text(gw.user_line("bob", "builder"))
    other.chmod(0o644)
    gateway._own(other)
    record = gateway.reload(text.replace(str(gateway.users), str(other)))
    assert (record["event"], record["reason"]) == ("gateway.reload-failed", "file-refused"), record
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo()
    other.chmod(0o600)
    generation(gateway.reload(text.replace(str(gateway.users), str(other))))
    for _ in range(4):
        with Client(gateway) as client:
            client.connect(echo.address, "bob", "builder").echo()


def test_a_broken_keytab_refuses_all_of_it(start, realm, alice, echo):
    """Rules that came with it are not in force either; both are once the keytab is good."""
    gateway = start(realm=realm, rules=gw.REALM_USERS)
    changed = gateway.config_path.read_text().replace(gw.REALM_USERS, ELSEWHERE)
    gateway.write_keytab(b"\x05\x02")
    record = gateway.reload(changed)
    assert (record["event"], record["reason"]) == ("gateway.reload-failed", "config"), record
    assert str(gateway.keytab) in record["detail"], record
    with GssClient(gateway, alice) as client:
        client.connect(echo.address).echo()
    gateway.write_keytab(realm.usual_keytab)
    generation(gateway.reload(changed))
    with GssClient(gateway, alice) as client:
        client.log_in().propose(CONFIDENTIALITY)
        assert client.ask(*echo.address).code == 2


def looks_of(gateway):
    """Descriptors and memory of its own of every process; rings fill up first, whoever reloads."""
    return {pid: (len(os.listdir(f"/proc/{pid}/fd")) if gw.ROOT else 0, int(gw.status_of(pid)["RssAnon"].split()[0]))
            for pid in gateway.pids()}


def test_a_reload_every_100_ms_under_load(start, echo):
    """No session is lost that both files allow; nothing grows in any process."""
    gateway = start(workers=2)
    text = gateway.config_path.read_text()
    files = [text, text + gw.rule("more", port=["1-2"], destination=["192.0.2.0/24"])]
    steady = [Steady(gateway, echo.address) for _ in range(20)]
    ending, failed, done = threading.Event(), [], []

    def short():
        while not ending.is_set():
            try:
                works(gateway, echo)
                done.append(1)
            except (OSError, AssertionError) as problem:
                failed.append(problem)

    threads = [threading.Thread(target=short) for _ in range(4)]
    for thread in threads:
        thread.start()

    def reloads(count):
        at = time.monotonic()
        for i in range(count):
            gateway.configure(files[i % 2])
            gateway.signal(signal.SIGHUP)
            at += 0.1
            wait_until(lambda: time.monotonic() >= at, 1)

    try:
        reloads(8)
        before = looks_of(gateway)
        reloads(20)
        after = looks_of(gateway)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert not failed and len(done) > 50, (failed[:3], len(done))
    for s in steady:
        assert s.stop().failed is None
    assert set(before) == set(after), "no process ended"
    for pid, (descriptors, memory) in before.items():
        assert after[pid][0] <= descriptors + 8, (gw.title_of(pid), before[pid], after[pid])
        assert after[pid][1] <= memory + 1024, (gw.title_of(pid), before[pid], after[pid])
    assert len(gateway.reloads()) >= 10, "of 28, and what comes while one runs is one"
    assert all(r["event"] == "gateway.reload" for r in gateway.reloads())


def test_limits_of_sessions(start, echo):
    """Fewer are allowed at once; more, as far as the workers' tables go."""
    gateway = start(workers=1)
    text = gateway.config_path.read_text()
    clients = [Client(gateway).connect(echo.address) for _ in range(3)]
    generation(gateway.reload(text.replace("limits {", "limits { sessions = 3")))
    with Client(gateway, deadline=0.5) as waiting:
        with pytest.raises(OSError):
            waiting.greet()
        waiting.sock.settimeout(5)
        generation(gateway.reload(text.replace("limits {", "limits { sessions = 4")))
        assert waiting.recv(2) == b"\x05\0"
    for client in clients:
        client.echo().close()


def test_a_reload_while_it_starts(start, echo):
    gateway = start(start=False)
    gateway.spawn()
    wait_until(lambda: "listening on" in gateway.stderr(), 5)
    gateway.signal(signal.SIGHUP)
    wait_until(gateway.reloads, 10)
    works(gateway, echo)


def test_drained_workers_have_their_time(start, echo):
    gateway = start(workers=1, timeouts="stop = 2 drain = 1")
    text = gateway.config_path.read_text()
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        began = time.monotonic()
        generation(gateway.reload(text + "resolver { timeout = 7 }\n"))
        assert gateway.closing(client)["reason"] == "shutdown"
        assert 0.9 < time.monotonic() - began < 8
    works(gateway, echo)
    gateway.wait_event("worker.exit", reason="replaced", status="exit 0")


def test_replaced_again_and_again(start, echo):
    """A place has two predecessors at most; no session is lost, whichever of them has it."""
    gateway = start(workers=1)
    text = gateway.config_path.read_text()
    steady = []
    for i in range(5):
        steady.append(Steady(gateway, echo.address))
        generation(gateway.reload(text + f"resolver {{ timeout = {7 + i} }}\n"))
        assert len(gateway.children("worker")) <= 4
    rounds = [s.rounds for s in steady]
    wait_until(lambda: all(s.rounds > n + 5 for s, n in zip(steady, rounds)), 5)
    assert [s.stop().failed for s in steady] == [None] * 5
    wait_until(lambda: len(gateway.children("worker")) == 1, 5)
    works(gateway, echo)


def test_what_a_pool_accepts_changes_live(start, realm):
    """The module is opened with its new options, a listener's own included: in force with the answer."""
    gateway = start(realm=realm, gssapi='service = { "rcmd" }', listen=(
        "127.0.0.1:0", ("127.0.0.2:0", 'service = { "rcmd" }')))
    text = gateway.config_path.read_text()
    rcmd, socks_ticket = (realm.service_ticket(f"{name}/localhost") for name in ("rcmd", "socks"))
    other = gateway.listening[1]
    assert logs_in(gateway, rcmd, "rcmd/localhost") and not logs_in(gateway, socks_ticket, "socks/localhost")
    generation(gateway.reload(text.replace(
        '    service = { "rcmd" }', '    service = { "socks" }')))
    assert logs_in(gateway, socks_ticket, "socks/localhost") and not logs_in(gateway, rcmd, "rcmd/localhost")
    assert logs_in(other, rcmd, "rcmd/localhost") and not logs_in(other, socks_ticket, "socks/localhost")
    generation(gateway.reload(text.replace('{ service = { "rcmd" } }', '{ service = { "socks" } }')))
    assert logs_in(gateway, rcmd, "rcmd/localhost")
    assert logs_in(other, socks_ticket, "socks/localhost") and not logs_in(other, rcmd, "rcmd/localhost")
