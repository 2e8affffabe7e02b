# SPDX-License-Identifier: ISC
"""Start and end as service managers and people see them."""
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import gateway as gw
import records
import servers
from socks import Client
from waiting import stays, wait_until


def refuses(address):
    try:
        with socket.create_connection(address, 2):
            return False
    except OSError:
        return True


def test_sigterm_lets_sessions_end(start, echo):
    """New connections are refused at once, running ones go on; when they end, so does the gateway."""
    gateway = start(timeouts="stop = 20")
    clients = [Client(gateway).connect(echo.address).echo() for _ in range(5)]
    gateway.signal(signal.SIGTERM)
    wait_until(lambda: refuses(gateway.address), 5, "the listener is closed")
    for client in clients:
        client.echo(b"still here").shut().ends()
    assert gateway.process.wait(10) == 0
    for client in clients:
        assert gateway.closing(client)["reason"] == "closed"


def test_sigterm_ends_what_is_left(start, echo):
    gateway = start(timeouts="stop = 1")
    clients = [Client(gateway).connect(echo.address).echo() for _ in range(5)]
    began = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(10) == 0
    assert 0.8 < time.monotonic() - began < 8
    for client in clients:
        client.rest_or_reset()
        record = gateway.closing(client)
        assert (record["event"], record["reason"]) == ("session.end", "shutdown")


def test_second_sigterm_ends_at_once(start, echo):
    gateway = start(timeouts="stop = 60")
    client = Client(gateway).connect(echo.address).echo()
    gateway.signal(signal.SIGTERM)
    wait_until(lambda: refuses(gateway.address), 5)
    assert gateway.process.poll() is None
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(20) == 0, "not after 60"
    assert gateway.closing(client)["reason"] == "shutdown"


def test_sigint_is_like_sigterm(start):
    gateway = start()
    gateway.signal(signal.SIGINT)
    assert gateway.process.wait(10) == 0
    assert gateway.wait_event("gateway.stop")["reason"] == "SIGINT"


def test_sigterm_with_clients_in_mid_login(start):
    gateway = start(methods=["userpass"], timeouts="stop = 1")
    clients = [Client(gateway).greet(2) for _ in range(5)]
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(10) == 0
    for client in clients:
        assert gateway.closing(client)["reason"] in ("shutdown", "client-timeout")


def test_children_ignore_the_terminals_signals(start, echo):
    """Ctrl-C reaches the whole group: the children leave it to the master."""
    gateway = start()
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        children = gateway.children()
        for pid in children:
            gw.kill(pid, signal.SIGINT)
            gw.kill(pid, signal.SIGHUP)
        stays(lambda: gateway.children() == children, 0.3, "children live")
        client.echo()


def test_detach_and_pid_file(start, echo):
    """-d comes back when the gateway serves; the pid file names it and goes with it."""
    gateway = start(start=False)
    pid_file = gateway.folder / "pid"
    gateway.configure(f'pid-file = "{pid_file}"\n' + gateway.config_path.read_text())
    done = gateway.run("-d", "-c", "FILE")
    assert done.returncode == 0, done.stderr
    pid = int(pid_file.read_text())
    try:
        assert gw.alive(pid) and gw.status_of(pid)["PPid"] != str(os.getpid())
        address, port = re.search(r"listening on (\S+):(\d+)", done.stderr).groups()
        with Client((address, int(port))) as client:
            client.connect(echo.address).echo()
        if gw.ROOT:  # else /proc/PID/cwd of a process that is not dumpable cannot be read
            assert os.readlink(f"/proc/{pid}/cwd") == "/"
        session = gw.stat_fields(pid)[1][3]
        assert session != gw.stat_fields(os.getpid())[1][3], "a session of its own"
    finally:
        gw.kill(pid, signal.SIGTERM)
        wait_until(lambda: not gw.alive(pid), 10)
    assert not pid_file.exists()
    records.check(gateway.events())


def test_detach_tells_of_a_failed_start(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        gateway = start(listen=[f"127.0.0.1:{taken.getsockname()[1]}"], start=False)
        done = gateway.run("-d", "-c", "FILE")
    assert done.returncode == 1 and "listen" in done.stderr


def test_readiness_is_notified(start, base):
    """READY=1 comes when connections are served, RELOADING=1 with the time, STOPPING=1 at the end."""
    path = base / f"notify{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        path.chmod(0o777)
        notify.settimeout(10)
        gateway = start(env={"NOTIFY_SOCKET": str(path)}, start=False)
        gateway.spawn()
        text = notify.recv(4096).decode()
        while "READY=1" not in text:
            text = notify.recv(4096).decode()
        with Client(gateway) as client:
            client.greet()
        gateway.signal(signal.SIGHUP)
        reloading, _, when = notify.recv(4096).decode().partition("\nMONOTONIC_USEC=")
        assert reloading == "RELOADING=1" and 0 <= time.monotonic() - int(when) / 1e6 < 10
        assert notify.recv(4096).decode() == "READY=1"
        gateway.signal(signal.SIGTERM)
        while "STOPPING=1" not in text:
            text = notify.recv(4096).decode()
        assert gateway.process.wait(10) == 0


def test_a_manager_that_is_not_there(start):
    gateway = start(env={"NOTIFY_SOCKET": "/nonexistent/notify"})
    with Client(gateway) as client:
        client.greet()


def test_socket_activation(start, echo):
    """LISTEN_FDS: the socket that came with us is used, and stays open for the manager."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        port, fd = listener.getsockname()[1], listener.fileno()
        gateway = start(listen=[f"127.0.0.1:{port}"], pass_fds=[fd], env={"LISTEN_FDS": "1"},
                        wrap=["bash", "-c", f'export LISTEN_PID=$$; exec "$@" 3<&{fd} {fd}<&-' if fd != 3 else
                              'export LISTEN_PID=$$; exec "$@"', "bash"])
        assert gateway.port == port
        with Client(gateway) as client:
            client.connect(echo.address).echo()
        assert os.readlink(f"/proc/self/fd/{fd}") in [
            target for target in gw.descriptors(gateway.pid).values()] if gw.ROOT else True
        gateway.stop()
        with socket.create_connection(("127.0.0.1", port), 2):
            pass  # ours is still listening


def test_titles_in_ps(start, echo):
    """Role, number and sessions."""
    gateway = start(methods=["userpass"], workers=2)

    def titles():
        done = subprocess.run(["ps", "-o", "args=", "-p", ",".join(map(str, gateway.pids()))],
                              capture_output=True, text=True, check=True)
        return done.stdout
    wanted = ("sallyport-worker: worker 1, 0 sessions", "sallyport-worker: worker 2, 0 sessions",
              "sallyport-auth: .*userpass", "sallyport-logger: ", "sallyportd: master")
    wait_until(lambda: all(re.search(f"^{one}", titles(), re.M) for one in wanted), 10, titles)
    clients = [Client(gateway).connect(echo.address, "alice") for _ in range(4)]
    wait_until(lambda: titles().count("worker 1, 2 sessions") + titles().count("worker 2, 2 sessions") == 2, 5,
               titles)
    for client in clients:
        client.close()
    wait_until(lambda: titles().count(", 0 sessions") >= 2, 5)


def test_sessions_are_spread_evenly(start, echo):
    gateway = start(workers=4)
    clients = [Client(gateway).connect(echo.address) for _ in range(40)]
    for client in clients:
        gateway.wait_event("session.start", client=client.name)
    by_worker = {}
    for record in gateway.events():
        if record["event"] == "session.start":
            by_worker[record["worker"]] = by_worker.get(record["worker"], 0) + 1
    assert sorted(by_worker.values()) == [10, 10, 10, 10]
    for client in clients:
        client.close()


def test_a_second_gateway_says_why_it_cannot_start(start):
    gateway = start()
    text = gateway.config_path.read_text().replace("127.0.0.1:0", f"127.0.0.1:{gateway.port}")
    other = start(config=text, start=False, uid=gateway.uid)
    done = other.run("-c", "FILE")
    assert done.returncode == 1 and str(gateway.port) in done.stderr


def test_as_an_ordinary_user_it_says_so_once(start):
    gateway = start()
    lines = [line for line in gateway.stderr().splitlines() if "ordinary user" in line]
    assert len(lines) == 1, gateway.stderr()
    me = gw.status_of(gateway.pid)["Uid"].split()[0]
    for pid in gateway.children():
        assert gw.status_of(pid)["Uid"].split() == [me] * 4
        assert gw.status_of(pid)["NoNewPrivs"] == "1"
