# SPDX-License-Identifier: ISC
"""Processes that die, hang or go mad under traffic: what they held is lost and recorded, nobody else
notices, and a successor takes their place."""
import datetime
import os
import signal

import pytest

import gateway as gw
import socks
from socks import Client
from traffic import Steady, pid_of, worker_of
from waiting import stays, wait_until


@pytest.fixture
def busy(start, echo):
    """A gateway with steady sessions on every worker: (gateway, sessions)."""
    made = []

    def begin(sessions=8, **keys):
        keys.setdefault("methods", ["userpass"])
        gateway = start(**{"timeouts": "stop = 3 orphan = 5", **keys})
        user = "alice" if "userpass" in keys["methods"] else None
        made.extend(Steady(gateway, echo.address, user) for _ in range(sessions))
        return gateway, list(made)
    yield begin
    for session in made:
        session.stop()


def replaced(gateway, before, role, seconds):
    """As many processes of the role as before, all ready, at least one of them new."""
    def ready():
        now = set(gateway.children(role))
        started = {int(r["pid"]) for r in gateway.events() if r["event"] == "worker.start"}
        return len(now) == len(before) and now != before and now <= started
    wait_until(ready, seconds, f"a new {role}")


def log_in_works(gateway, echo, seconds=socks.DEADLINE):
    with Client(gateway, deadline=seconds) as client:
        client.connect(echo.address, "alice").echo()
    return client


def test_kill_a_worker(busy, echo):
    gateway, sessions = busy(workers=3, sessions=12)
    label = worker_of(gateway, sessions[0])
    victim = pid_of(gateway, label)
    lost = {s.name for s in sessions if worker_of(gateway, s) == label}
    assert 0 < len(lost) < len(sessions)
    before = set(gateway.children("worker"))
    gw.kill(victim, signal.SIGKILL)
    replaced(gateway, before, "worker", 5)
    for session in sessions:
        if session.name in lost:
            wait_until(lambda: session.failed, 5, "its client sees the end")
            record = gateway.closing(session.name)
            assert (record["event"], record["reason"]) == ("session.end", "worker-lost")
            assert record["user"] == "alice" and record["destination"] == f"127.0.0.1:{echo.port}"
    rounds = {s: s.rounds for s in sessions if s.name not in lost}
    wait_until(lambda: all(s.rounds > rounds[s] + 20 for s in rounds), 10, "the others go on")
    assert not any(s.failed for s in rounds)
    log_in_works(gateway, echo)
    exit_record = gateway.wait_event("worker.exit", pid=str(victim))
    assert exit_record["role"] == "worker" and exit_record["status"] == "signal 9", exit_record
    assert exit_record["sessions"] == str(len(lost))
    starts = [r for r in gateway.events() if r["event"] == "worker.start" and r["time"] > exit_record["time"]]
    took = when(starts[0]) - when(exit_record)
    assert took < 2, "replaced within a second"


def when(record):
    return datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00")).timestamp()


def test_kill_a_worker_with_sessions_in_every_phase(start, echo, dns):
    gateway = start(methods=["userpass"], workers=1,
                    extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} timeout = 30 }}')
    dns.set("silent.example.test", silent=("A", "AAAA"))
    clients = [Client(gateway).send(data) for data in (
        b"\x05", socks.hello(2), socks.hello(2) + b"\x01\x05al",
        socks.hello(2) + socks.login("alice", "wonderland") + b"\x05\x01",
        socks.hello(2) + socks.login("alice", "wonderland") + socks.request("silent.example.test", 80),
        socks.hello(2) + socks.login("alice", "wonderland") + socks.request(*echo.address))]
    clients[-1].recv(4)
    assert clients[-1].reply().code == 0
    clients[3].recv(4)
    wait_until(lambda: dns.count("silent.example.test"), 5)
    victim = gateway.children("worker")[0]
    gw.kill(victim, signal.SIGKILL)
    for client in clients:
        record = gateway.closing(client)
        assert record["reason"] == "worker-lost", record
        assert (record["event"] == "session.end") == (client is clients[-1]), record
        client.close()
    log_in_works(gateway, echo)


def test_kill_workers_again_and_again(busy, echo):
    """Back-off may slow the replacement; it never gives up and the audit stays whole."""
    gateway, _ = busy(workers=2, sessions=0)
    for _ in range(4):
        clients = [Client(gateway).connect(echo.address, "alice") for _ in range(4)]
        for client in clients:
            worker_of(gateway, client)
        for pid in gateway.children("worker"):
            gw.kill(pid, signal.SIGKILL)
        for client in clients:
            assert gateway.closing(client)["reason"] == "worker-lost"
            client.close()
        wait_until(lambda: len(gateway.children("worker")) == 2, 10)
        wait_until(lambda: works(gateway, echo), 10)


def works(gateway, echo):
    try:
        log_in_works(gateway, echo, seconds=2)
        return True
    except (OSError, AssertionError):
        return False


def test_stop_a_worker(busy, echo):
    """SIGSTOP: new connections go elsewhere within 2 s; the process is replaced within 10."""
    gateway, sessions = busy(workers=2, sessions=8)
    label = worker_of(gateway, sessions[0])
    victim = pid_of(gateway, label)
    others = [s for s in sessions if worker_of(gateway, s) != label]
    before = set(gateway.children("worker"))
    gw.halt(victim)
    bypassed = lambda: all(works(gateway, echo) for _ in range(4))
    wait_until(bypassed, 10, "new sessions pass it by")
    assert gw.alive(victim), "so it was not for its end"
    replaced(gateway, before, "worker", 15)
    for session in sessions:
        if session not in others:
            assert gateway.closing(session.name)["reason"] == "worker-lost"
    assert not any(s.failed for s in others)
    log_in_works(gateway, echo)


def test_a_worker_stopped_for_a_moment_goes_on(busy, echo):
    gateway, sessions = busy(workers=2, sessions=4)
    victim = pid_of(gateway, worker_of(gateway, sessions[0]))
    gw.halt(victim)
    stays(lambda: gw.alive(victim), 0.7)
    gw.kill(victim, signal.SIGCONT)
    rounds = [s.rounds for s in sessions]
    wait_until(lambda: all(s.rounds > r + 10 for s, r in zip(sessions, rounds)), 10)
    assert not any(s.failed for s in sessions) and victim in gateway.children("worker")


def test_kill_an_auth_process(busy, echo):
    gateway, sessions = busy(userpass="processes = 1")
    victim = gateway.children("auth")[0]
    before = set(gateway.children("auth"))
    gw.kill(victim, signal.SIGKILL)
    log_in_works(gateway, echo)  # may wait for the successor
    replaced(gateway, before, "auth", 5)
    assert not any(s.failed for s in sessions)


def test_logins_queued_behind_a_dead_auth_process_survive(start, echo):
    """The queue's other end is the master's too: a successor takes what waits in it."""
    gateway = start(methods=["userpass"], userpass="processes = 1")
    victim = gateway.children("auth")[0]
    gw.halt(victim)
    clients = [Client(gateway, deadline=15).greet(2).send(socks.login("alice", "wonderland")) for _ in range(20)]
    stays(lambda: True, 0.2)
    gw.kill(victim, signal.SIGKILL)
    statuses = [client.recv(2) for client in clients]
    assert statuses.count(b"\x01\x00") >= 19, "only a step that ran may fail"
    for client in clients:
        client.close()


def test_stop_an_auth_process(busy, echo):
    """The other process of the pool takes the logins; the stopped one is replaced."""
    gateway, sessions = busy(userpass="processes = 2")
    victim = gateway.children("auth")[0]
    before = set(gateway.children("auth"))
    gw.halt(victim)
    for _ in range(5):
        log_in_works(gateway, echo)
    assert gw.alive(victim), "they did not wait for its end"
    replaced(gateway, before, "auth", 20)
    assert not any(s.failed for s in sessions)
    log_in_works(gateway, echo)


def test_kill_the_logger(busy, echo):
    """Every record reaches the file, by the successor if need be."""
    gateway, sessions = busy(repeats=True)
    for _ in range(3):
        victim = gateway.children("logger")[0]
        names = [log_in_works(gateway, echo).name for _ in range(10)]
        gw.kill(victim, signal.SIGKILL)
        names += [log_in_works(gateway, echo).name for _ in range(10)]
        wait_until(lambda: gateway.children("logger") not in ([], [victim]), 10)
        for name in names:
            assert gateway.closing(name)["reason"] == "closed"
    assert not any(s.failed for s in sessions)


def test_stop_the_logger(busy, echo):
    """It blocks nobody; its successor writes what waited."""
    gateway, sessions = busy(repeats=True)
    victim = gateway.children("logger")[0]
    gw.halt(victim)
    names = [log_in_works(gateway, echo).name for _ in range(50)]
    rounds = [s.rounds for s in sessions]
    wait_until(lambda: all(s.rounds > r for s, r in zip(sessions, rounds)), 10)
    wait_until(lambda: gateway.children("logger") not in ([], [victim]), 15, "a new logger")
    for name in names:
        assert gateway.closing(name)["reason"] == "closed"
    assert not any(s.failed for s in sessions)


def test_kill_worker_auth_and_logger_at_once(busy, echo):
    gateway, sessions = busy(workers=2, repeats=True)
    label = worker_of(gateway, sessions[0])
    lost = [s for s in sessions if worker_of(gateway, s) == label]
    for pid in [pid_of(gateway, label)] + gateway.children("auth") + gateway.children("logger"):
        gw.kill(pid, signal.SIGKILL)
    for session in lost:
        assert gateway.closing(session.name, 15)["reason"] == "worker-lost"
    wait_until(lambda: works(gateway, echo), 10)
    assert not any(s.failed for s in sessions if s not in lost)


def test_kill_the_master(busy, echo):
    """Relays go on, new connections are refused, and the end of every session is still recorded."""
    gateway, sessions = busy(workers=2)
    children = gateway.children()
    gw.kill(gateway.pid, signal.SIGKILL)
    gateway.process.wait(5)
    rounds = [s.rounds for s in sessions]
    wait_until(lambda: all(s.rounds > r + 20 for s, r in zip(sessions, rounds)), 10, "relays go on")
    with pytest.raises(OSError):
        Client(gateway)
    half = len(sessions) // 2
    for session in sessions[:half]:
        session.stop()
    for session in sessions[:half]:
        assert gateway.closing(session.name)["reason"] == "closed"
    # The others are ended by timeouts.orphan (5 s), and then nobody is left.
    try:
        wait_until(lambda: not any(gw.alive(pid) for pid in children), 15, "all end")
    finally:
        for pid in children:
            if gw.alive(pid) and gw.role_of(pid):
                gw.kill(pid, signal.SIGKILL)
    gateway.stopped = True
    for session in sessions[half:]:
        assert gateway.closing(session.name)["reason"] == "gateway-lost"
    gateway.check()


NOISE = """#!/usr/bin/python3
import os, select, signal, socket, struct
channel = socket.socket(fileno=3)
channel.setblocking(False)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
open({mark!r}, "a").write("x")
def noise():
    return os.urandom(1 + os.urandom(1)[0] * 20)
def shaped():
    # READY, then types and lengths that are right more often than not, the rest random.
    if not shaped.ready:
        shaped.ready = True
        return struct.pack("=II", 1, 0)
    kind, = struct.unpack("B", os.urandom(1))
    size = [0, 4, 4, 8, 9, 11, 19, 64][kind >> 5]
    return struct.pack("=II", kind % 18, size) + os.urandom(size)
shaped.ready = False
while True:
    select.select([], [channel], [], 10)
    try:
        if {shaped} and os.urandom(1)[0] < 64:
            socket.send_fds(channel, [shaped()], [0, 1, 2])
        else:
            channel.send(shaped() if {shaped} else noise())
    except BlockingIOError:
        pass
"""


@pytest.mark.parametrize("role", ["worker", "auth", "logger"])
@pytest.mark.parametrize("how,seconds", [("noise", 10), ("shaped", 3)], ids=["noise", "shaped"])
def test_a_child_that_sends_random_bytes(base, start, echo, role, how, seconds):
    """The master refuses, replaces, lives. The program is swapped for a mad one once all runs, and
    swapped back later. Noise goes on for ten seconds from a worker, less from the others."""
    programs = gw.Programs(base / f"mad-{role}-{how}-{os.getpid()}")
    gateway = start(programs=programs, methods=["userpass"], workers=2, userpass="processes = 1",
                    repeats=role == "logger")
    program = programs.folder / f"sallyport-{role}"
    real, mark = program.with_suffix(".real"), gateway.folder / "mark"
    held = len(gw.descriptors(gateway.pid)) if gw.ROOT else None
    program.rename(real)
    program.write_text(NOISE.format(mark=str(mark), shaped=how == "shaped"))
    program.chmod(0o755)
    gw.kill(gateway.children(role)[0], signal.SIGKILL)
    wait_until(lambda: mark.exists() and len(mark.read_text()) >= 2, 10, "it was started again")
    used = gw.cpu_seconds(gateway.pid)
    stays(lambda: gateway.process.poll() is None, seconds if role == "worker" else 2, "the master lives")
    assert gw.cpu_seconds(gateway.pid) - used < 1.5, "mad children are started with pauses"
    if role == "worker":
        wait_until(lambda: works(gateway, echo), 5, "the other worker serves")
    program.unlink()
    real.rename(program)
    wait_until(lambda: len(gateway.children(role)) == (2 if role == "worker" else 1)
               and works(gateway, echo), 35, "the real one is back")
    reasons = {r.get("reason") for r in gateway.events() if r["event"] == "worker.exit"}
    assert "violation" in reasons, reasons
    if held:
        wait_until(lambda: len(gw.descriptors(gateway.pid)) <= held, 15, "what came with it is closed")


def test_a_program_that_ends_at_once(base, start):
    """At the first start that is fatal, and said."""
    programs = gw.Programs(base / f"failing-{os.getpid()}")
    (programs.folder / "sallyport-worker").write_text("#!/bin/sh\nexit 3\n")
    gateway = start(programs=programs, start=False)
    done = gateway.run("-c", "FILE", seconds=30)
    assert done.returncode == 1 and "worker" in done.stderr
