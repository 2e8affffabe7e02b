# SPDX-License-Identifier: ISC
"""The master at its edges: sockets from outside, descriptors under way, ends that hang, deaths in the
middle of everything."""
import collections
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import gateway as gw
import records
import socks
from memory import holders
from socks import Client
from test_privileges import users  # noqa: F401 (a fixture)
from waiting import stays, wait_until

USERS = [pytest.param(False, id="user"),
         pytest.param(True, id="root", marks=pytest.mark.skipif(not gw.ROOT, reason="takes root"))]


@pytest.fixture(autouse=True)
def the_three_users(request):
    if gw.ROOT:
        request.getfixturevalue("users")


def works(gateway, echo, seconds=3):
    try:
        with Client(gateway, deadline=seconds) as client:
            client.connect(echo.address).echo()
        return True
    except (OSError, AssertionError):
        return False


def listener(family=socket.AF_INET, address="127.0.0.1"):
    sock = socket.socket(family)
    sock.bind((address, 0))
    sock.listen(16)
    return sock


# --- sockets from outside ---

@pytest.mark.parametrize("as_root", USERS)
def test_sockets_of_an_earlier_master(start, echo, as_root):
    """SALLYPORT_INHERIT: what is configured is used, the rest is bound here or closed and told."""
    with listener() as kept, listener() as unwanted, open("/dev/null") as unfit:
        port, fd = kept.getsockname()[1], kept.fileno()
        gateway = start(
            listen=[f"127.0.0.1:{port}", "127.0.0.1:0"], as_root=as_root,
            pass_fds=[fd, unwanted.fileno(), unfit.fileno()],
            env={"SALLYPORT_INHERIT": f"{fd},{unwanted.fileno()},{unfit.fileno()},{fd}"})
        assert gateway.port == port and len(gateway.listening) == 2
        for address in gateway.listening:
            with Client(address) as client:
                client.connect(echo.address).echo()
        assert f"descriptor {unfit.fileno()} that was passed to us is no listening" in gateway.stderr()
        assert f"127.0.0.1:{unwanted.getsockname()[1]} that was passed to us is not configured" in gateway.stderr()
        inode = os.readlink(f"/proc/self/fd/{fd}")
        if gw.ROOT:
            assert inode in gw.descriptors(gateway.pid).values(), "the very socket"
            for pid in gateway.children():
                assert inode not in gw.descriptors(pid).values(), "the master's alone"
        gateway.stop()
        with socket.create_connection(("127.0.0.1", port), 2):
            pass  # ours still listens


@pytest.mark.parametrize("as_root", USERS)
def test_sockets_of_the_service_manager(start, echo, as_root):
    """LISTEN_FDS with two sockets; children see neither them nor the variables."""
    with listener() as one, listener() as two:
        ports = [s.getsockname()[1] for s in (one, two)]
        shell = ('export LISTEN_PID=$$ LISTEN_FDS=2; a=$1; b=$2; shift 2; '
                 'eval "exec 90<&$a 91<&$b"; exec 3<&90 4<&91 90<&- 91<&-; exec "$@"')
        gateway = start(listen=[f"127.0.0.1:{port}" for port in ports], as_root=as_root,
                        pass_fds=[one.fileno(), two.fileno()],
                        wrap=["bash", "-c", shell, "bash", str(one.fileno()), str(two.fileno())])
        assert [port for _, port in gateway.listening] == ports
        for address in gateway.listening:
            with Client(address) as client:
                client.connect(echo.address).echo()
        if gw.ROOT:
            assert set(holders(gateway.pids(), b"LISTEN_PID=")) <= {gateway.pid}, "not its children"


@pytest.mark.parametrize("as_root", USERS)
def test_readiness_to_an_abstract_socket(start, echo, as_root):
    name = f"sallyport-{os.getpid()}-{as_root}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.settimeout(15)
        notify.bind("\0" + name)
        gateway = start(start=False, as_root=as_root, env={"NOTIFY_SOCKET": "@" + name})
        gateway.spawn()
        assert notify.recv(4096) == b"READY=1"
        assert works(gateway, echo), "ready means it serves"
        gateway.signal(signal.SIGTERM)
        assert notify.recv(4096) == b"STOPPING=1"
        assert gateway.process.wait(10) == 0


@pytest.mark.parametrize("as_root", USERS)
def test_a_limit_of_64(start, echo, as_root):
    """ulimit -n 64: it starts, says what it can serve, and serves that."""
    gateway = start(nofile=64, workers=1, as_root=as_root)
    assert "a descriptor limit of 64 serves few" in gateway.stderr()
    clients = [Client(gateway).connect(echo.address) for _ in range(4)]
    for client in clients:
        client.echo().close()


# --- diagnostics ---

def test_diagnostics_stand_on_standard_error_once(start, echo):
    """The audit is there too, and would repeat them."""
    gateway = start(target="stderr", workers=2)
    wait_until(lambda: any(r["event"] == "gateway.start" for r in gateway.events()), 5)
    victim = gateway.children("worker")[0]
    gw.kill(victim, signal.SIGKILL)
    gateway.wait_event("worker.exit", pid=str(victim))
    wait_until(lambda: works(gateway, echo), 10)
    gateway.stop()
    assert not [r for r in gateway.events() if r["event"] == "gateway.message"]
    for text in ("listening on", "sallyportd: ready", f"process {victim}) ended", "sallyportd: stopped"):
        assert gateway.stderr().count(text) == 1, gateway.stderr()


def test_diagnostics_stand_in_another_log_too(start):
    gateway = start()
    gateway.wait_event("gateway.message", text="ready")
    assert gateway.stderr().count("sallyportd: ready") == 1


# --- descriptors under way ---

PARK = """
import os, resource, socket, sys
pairs = []
def park():
    while True:
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        pairs.append((a, b))
        for _ in range(8):
            try:
                socket.send_fds(a, [b"x"], [0] * 200)
            except OSError as problem:
                if problem.errno == 109:
                    return
                break
park()
print("parked", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not gw.ROOT, reason="gives the gateway a user of its own, so that no other is hurt")
def test_too_many_descriptors_under_way(start, echo):
    """ETOOMANYREFS: another process of the same user has parked all that may be under way. Clients wait,
    nobody spins, no session that runs is hurt, and when there is room all are served."""
    gateway = start(workers=2, nofile=1024)
    steady = Client(gateway).connect(echo.address).echo()
    parking = subprocess.Popen(
        ["setpriv", f"--reuid={gateway.uid}", f"--regid={gateway.uid}", "--clear-groups",
         "prlimit", "--nofile=4096:4096", sys.executable, "-c", PARK],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert parking.stdout.readline() == b"parked\n"
        crowd = [Client(gateway, deadline=20).send(socks.hello(0)) for _ in range(40)]
        before = {pid: gw.cpu_seconds(pid) for pid in gateway.pids()}
        stays(lambda: gateway.process.poll() is None, 1.5)
        used = {pid: gw.cpu_seconds(pid) - before[pid] for pid in before}
        assert max(used.values()) < 0.4, f"somebody spins: {used}"
        steady.echo()
        waiting = [c for c in crowd if not got(c)]
        assert waiting, "the limit was not felt: the test proves nothing"
    finally:
        parking.stdin.close()
        parking.wait(10)
    for client in crowd:
        if client in waiting:
            assert client.recv(2) == b"\x05\x00"
        assert client.ask(*echo.address).code == 0
        client.echo().close()
    steady.echo().close()
    assert not [r for r in gateway.events() if r["event"] == "worker.exit"]


def got(client):
    client.sock.settimeout(0.01)
    try:
        return client.recv(2) == b"\x05\x00"
    except TimeoutError:
        return False
    finally:
        client.sock.settimeout(20)


@pytest.mark.skipif(not gw.ROOT, reason="another process's descriptors are for root to see")
def test_no_descriptors_for_a_successor(start, echo):
    """A worker dies while the master has none left: it tries again with pauses, leaks nothing, and the
    place is filled when there is room."""
    gateway = start(workers=2)
    assert works(gateway, echo)
    wait_until(lambda: len(gateway.children("worker")) == 2, 5)
    settled = lambda: len(gw.descriptors(gateway.pid))
    before = settled()
    hard = soft_limit(gateway, 10)
    victim = gateway.children("worker")[0]
    gw.kill(victim, signal.SIGKILL)
    wait_until(lambda: gateway.stderr().count("starting worker") >= 3, 10, "it tries")
    used = gw.cpu_seconds(gateway.pid)
    stays(lambda: gateway.process.poll() is None and victim not in gateway.children(), 1)
    assert gw.cpu_seconds(gateway.pid) - used < 0.2
    assert settled() <= before, "what a failed start made is closed"
    soft_limit(gateway, hard)
    wait_until(lambda: len(gateway.children("worker")) == 2 and works(gateway, echo), 35, "it is replaced")
    wait_until(lambda: settled() == before, 10, "as many descriptors as before")


def soft_limit(gateway, number):
    """Sets the master's, as its own user, and tells what it was."""
    line = next(l for l in gw.read_proc(gateway.pid, "limits").decode().splitlines() if "open files" in l)
    subprocess.run(["setpriv", f"--reuid={gateway.uid}", f"--regid={gateway.uid}", "--clear-groups",
                    "prlimit", f"--pid={gateway.pid}", f"--nofile={number}:"], check=True)
    return line.split()[3]


# --- the end ---

def exits(gateway, role="worker"):
    return [r for r in gateway.events() if r["event"] == "worker.exit" and r["role"] == role]


@pytest.mark.parametrize("as_root", USERS)
def test_who_ends_in_order_was_stopping(start, echo, as_root):
    for _ in range(5):
        gateway = start(workers=3, methods=["userpass"], timeouts="stop = 1", as_root=as_root)
        clients = [Client(gateway).connect(echo.address, "alice") for _ in range(6)]
        gateway.stop()
        for client in clients:
            client.close()
        ended = exits(gateway) + exits(gateway, "auth")
        assert len(ended) == 4, ended
        assert {(r["reason"], r["status"]) for r in ended} == {("stopping", "exit 0")}, ended


@pytest.mark.parametrize("role", ["worker", "auth", "logger"])
def test_a_stopped_child_does_not_hold_up_the_end(start, echo, role):
    """SIGSTOP and SIGTERM: each wait has a bound, and every session its closing record."""
    gateway = start(workers=2, methods=["userpass"], timeouts="stop = 1", repeats=True)
    clients = [Client(gateway).connect(echo.address, "alice") for _ in range(4)]
    for client in clients:
        gateway.wait_event("session.start", client=client.name)
    gw.halt(gateway.children(role)[0])
    children = gateway.children()
    began = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(30) == 0
    assert time.monotonic() - began < 16
    assert not any(gw.alive(pid) for pid in children)
    reasons = [gateway.closing(client)["reason"] for client in clients]
    assert set(reasons) <= {"shutdown", "worker-lost"}
    assert ("worker-lost" in reasons) == (role == "worker")
    gateway.wait_event("gateway.stop")


@pytest.mark.parametrize("as_root", USERS)
def test_signals_during_the_start(start, as_root):
    """SIGTERM at any moment ends it soon, and nobody is left behind."""
    for i in range(24):
        gateway = start(start=False, methods=["userpass"], workers=2, lossy=True, as_root=as_root)
        gateway.spawn()
        stays(lambda: True, i * 0.006)
        if i % 3 == 2 and gateway.children():
            gateway.signal(signal.SIGHUP)
        children = gateway.children()
        gateway.signal(signal.SIGTERM)
        assert gateway.process.wait(15) in (0, -signal.SIGTERM), gateway.stderr()
        wait_until(lambda: not any(gw.alive(pid) for pid in children), 5, "its children end")
        assert not gw.BROKEN.search(gateway.stderr_path.read_bytes()), gateway.stderr()
        gateway.stopped = True


# --- deaths in the middle of everything ---

@pytest.mark.parametrize("as_root", [  # leaks cannot be looked for from inside an empty chroot
    pytest.param(False, id="user", marks=pytest.mark.sanitizers), USERS[1]])
def test_workers_die_among_short_sessions(start, echo, as_root):
    """Workers are killed while sessions come and go as fast as they can: exactly one closing record
    for each that was accepted, no number twice, none missing (looked at when the gateway stops)."""
    gateway = start(workers=2, as_root=as_root)
    served, ending = [], threading.Event()

    def churn():
        while not ending.is_set():
            try:
                with Client(gateway, deadline=5) as client:
                    client.send(socks.hello(0), socks.request(*echo.address), b"x")
                    client.recv(2)
                    client.reply()
                    client.recv(1)
                    served.append(client.name)
            except (OSError, AssertionError):
                pass  # its worker died
    threads = [threading.Thread(target=churn, daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    dice = random.Random(4711)
    for _ in range(8):
        stays(lambda: gateway.process.poll() is None, 0.1 + dice.random() / 3)
        workers = gateway.children("worker")
        if workers:
            gw.kill(dice.choice(workers), signal.SIGKILL)
    ending.set()
    for thread in threads:
        thread.join(20)
    wait_until(lambda: works(gateway, echo, 5), 40)
    gateway.stop()
    assert len(served) > 100
    closings = [r for r in gateway.events() if r["event"] in records.CLOSING]
    assert not collections.Counter(served) - collections.Counter(r.get("client") for r in closings)
    lost = sum(r["reason"] == "worker-lost" for r in closings)
    assert lost, "no session was cut: the test proves nothing"
    killed = [r for r in exits(gateway) if r["status"] == "signal 9"]
    assert 0 < len(killed) <= 8
    assert lost <= sum(int(r["sessions"]) for r in killed), (lost, killed)
