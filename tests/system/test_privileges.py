# SPDX-License-Identifier: ISC
"""Started as root: what each process may still do. Looked up from outside, in /proc."""
import os
import pwd
import subprocess

import pytest

import gateway as gw
from memory import holders
from socks import Client

pytestmark = pytest.mark.skipif(not gw.ROOT, reason="dropping privileges needs root")

USERS = dict(zip(("worker", "auth", "logger"), gw.USERS))


@pytest.fixture(scope="module")
def users():
    """The three of the default configuration."""
    gw.make_users()
    return {role: pwd.getpwnam(name) for role, name in USERS.items()}


@pytest.fixture(scope="module")
def gateway(users, start_shared):
    return start_shared(as_root=True, methods=["userpass"], workers=2)


def everyone(gateway):
    return [(role, pid) for role in USERS for pid in gateway.children(role)]


def test_it_serves(gateway, echo):
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo(b"x" * 1_000_000)
    assert gateway.closing(client)["bytes_up"] == "1000000"


def test_ids(gateway, users):
    assert {role for role, _ in everyone(gateway)} == set(USERS)
    for role, pid in everyone(gateway):
        status = gw.status_of(pid)
        assert status["Uid"].split() == [str(users[role].pw_uid)] * 4, role
        assert status["Gid"].split() == [str(users[role].pw_gid)] * 4, role
        assert status["Groups"] in ("", str(users[role].pw_gid)), (role, status["Groups"])
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[name], 16) == 0, (role, name)
        assert status["NoNewPrivs"] == "1", role


def test_seccomp_of_workers(gateway):
    if gw.status_of(gateway.children("worker")[0])["Seccomp"] == "0" and built_without_sandbox():
        pytest.skip("built with --disable-sandbox")
    for pid in gateway.children("worker"):
        assert gw.status_of(pid)["Seccomp"] == "2"


def built_without_sandbox():
    config = gw.BUILD / "config.log"
    return config.exists() and "--disable-sandbox" in config.read_text(errors="replace").split("##", 1)[0]


def test_root_of_workers_is_empty(gateway):
    for pid in gateway.children("worker"):
        assert os.readlink(f"/proc/{pid}/root") != "/"
        assert os.listdir(f"/proc/{pid}/root/") == []
        root = os.stat(f"/proc/{pid}/root/")
        assert root.st_uid == 0 and root.st_mode & 0o022 == 0, "it may not write there"
        assert os.stat(f"/proc/{pid}/cwd/").st_ino == root.st_ino


def test_not_dumpable(gateway):
    """Others of the same user may not attach: /proc/PID belongs to root."""
    for role, pid in everyone(gateway):
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0, role
        limits = gw.read_proc(pid, "limits").decode()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert core.split()[4] == "0", role


LIBRARIES = {"worker": ["libconfuse", "libkrb5", "libgssapi", "libcrypt.so"],
             "logger": ["libconfuse", "libkrb5", "libgssapi", "libcrypt.so", "libcrypto", "libcares"],
             "auth": ["libconfuse", "libcares"]}


def test_libraries(gateway):
    for role, pid in everyone(gateway):
        maps = gw.read_proc(pid, "maps").decode()
        assert "libc.so" in maps
        for library in LIBRARIES[role]:
            assert library not in maps, (role, library)
    master = gw.read_proc(gateway.pid, "maps").decode()
    for library in ("libkrb5", "libgssapi", "libcrypto"):
        assert library not in master


def test_no_page_is_writable_and_executable(gateway):
    for pid in gateway.pids():
        maps = gw.read_proc(pid, "maps").decode().splitlines()
        assert any("r-x" in line for line in maps), "the program itself"
        for line in maps:
            assert "wx" not in line.split()[1], line


def test_descriptors(gateway, echo):
    """No child holds a configured file, another's socket or a folder; a worker holds sockets, pipes,
    epoll and memfds, and nothing with a path."""
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo()
        for role, pid in everyone(gateway):
            targets = list(gw.descriptors(pid).values())
            names = [t for t in targets if t.startswith("/") and not t.startswith("/memfd:")]
            allowed = {"/dev/null", str(gateway.stderr_path)} | ({str(gateway.log)} if role == "logger" else set())
            assert set(names) <= allowed, (role, names)
            assert not any(str(gateway.users) in t or "sallyport.conf" in t for t in targets)
    tcp = socket_inodes(gateway.children("worker")[0])
    for role in ("auth", "logger"):
        for pid in gateway.children(role):
            held = {t for t in gw.descriptors(pid).values() if t.startswith("socket:")}
            assert not held & tcp, f"{role} holds an internet socket"


def socket_inodes(pid):
    found = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for line in gw.read_proc(pid, f"net/{name}").decode().splitlines()[1:]:
            found.add(f"socket:[{line.split()[9]}]")
    return found


def test_environment_is_not_passed_on(users, start):
    """What the administrator's shell had is nobody else's business."""
    gateway = start(as_root=True, methods=["userpass"], env={"SALLYPORT_TEST_SECRET": "hush"})
    assert {role for role, _ in everyone(gateway)} == set(USERS)
    assert holders(gateway.pids(), b"SALLYPORT_TEST_SECRET") == [gateway.pid], "the master's alone"


def test_equal_users_are_refused(users, start):
    gateway = start(as_root=True, start=False)
    for a, b in (("user", "auth-user"), ("user", "log-user"), ("auth-user", "log-user")):
        gateway.configure(f'{a} = "{USERS["worker"]}"\n{b} = "{USERS["worker"]}"\n' + gateway.config_text())
        done = gateway.run("-c", "FILE")
        assert done.returncode == 1, done.stderr
        assert f": {b}: the same user as {a}; the three must differ" in done.stderr, done.stderr


def test_a_user_that_does_not_exist_is_refused(users, start):
    gateway = start(as_root=True, start=False)
    gateway.configure('auth-user = "nobody-of-that-name"\n' + gateway.config_text())
    done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and "nobody-of-that-name" in done.stderr


def test_root_as_a_user_is_refused(users, start):
    gateway = start(as_root=True, start=False)
    gateway.configure('user = "root"\n' + gateway.config_text())
    done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and "root" in done.stderr


def test_port_below_1024(users, start, echo):
    """The master binds it; the worker relays it."""
    name = f"low{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        gateway = start(as_root=True, netns=name, listen=["127.0.0.1:108"])
        assert gateway.port == 108
        gateway.stop()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)
