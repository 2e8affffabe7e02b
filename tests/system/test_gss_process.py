# SPDX-License-Identifier: ISC
"""Which process has what while Kerberos sessions run: libraries it maps, files it holds, keys it
keeps."""
import os
import pathlib
import pwd
import re
import signal
import subprocess

import gssapi
import gssapi.raw
import pytest

import gateway as gw
from gssapi_client import FLAGS, Flag, GssClient, INTEGRITY
from memory import contents, holders
from realm import keys_of

KERBEROS = re.compile(r"/lib(gssapi|krb5|k5crypto)[^/]*\.so")
OPENSSL = re.compile(r"/lib(ssl|crypto)[^/]*\.so")


def mapped(pid):
    return {line.split(None, 5)[5] for line in gw.read_proc(pid, "maps").decode().splitlines()
            if line.count("/")}


def libraries(pid, pattern):
    return {path for path in mapped(pid) if pattern.search(path)}


def lines_of(pid):
    return len(gw.read_proc(pid, "maps").splitlines())


@pytest.fixture
def busy(start, realm, alice, echo):
    """A gateway with sessions under way."""
    gateway = start(realm=realm)
    clients = [GssClient(gateway, alice).connect(echo.address, 1 + i % 2).echo() for i in range(8)]
    yield gateway
    for client in clients:
        client.echo().close()


@pytest.mark.skipif(not gw.ROOT, reason="needs root: maps of other users' processes")
def test_what_each_process_maps(busy):
    assert len(busy.children("worker")) == 2 and len(busy.children("auth")) == 2
    for pid in busy.children("worker"):
        assert lines_of(pid) > 10 and not libraries(pid, KERBEROS)
        assert libraries(pid, OPENSSL), "it seals with libcrypto"
    for pid in busy.children("auth"):
        assert libraries(pid, KERBEROS)
    for pid in [busy.pid, *busy.children("logger")]:
        assert lines_of(pid) > 10
        assert not libraries(pid, KERBEROS) and not libraries(pid, OPENSSL)


@pytest.mark.skipif(not gw.ROOT, reason="needs root: descriptors of other users' processes")
def test_a_worker_has_no_file_open(busy):
    for pid in busy.children("worker"):
        for what in gw.descriptors(pid).values():
            known = what.startswith(("socket:", "anon_inode:", "pipe:", "/memfd:"))
            assert known or what in ("/dev/null",) or what == str(busy.stderr_path), what


@pytest.mark.skipif(not gw.ROOT, reason="needs root: descriptors of other users' processes")
def test_an_auth_process_has_no_socket_of_a_client(busy):
    """Its sockets are those of its siblings: none is of TCP."""
    inodes = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        rows = gw.read_proc(busy.pid, f"net/{name}").decode().splitlines()[1:]
        inodes |= {row.split()[9] for row in rows}
    held = [what[8:-1] for pid in busy.children("worker") for what in gw.descriptors(pid).values()]
    assert len(inodes & set(held)) >= 16, "both ends of eight sessions"
    for pid in busy.children("auth"):
        for what in gw.descriptors(pid).values():
            assert not what.startswith("socket:") or what[8:-1] not in inodes, what


@pytest.mark.skipif(not gw.ROOT, reason="needs root: memory of other processes")
def test_no_worker_has_a_key_of_the_keytab(busy, realm):
    keys = {key.key for key in keys_of(realm.usual_keytab)}
    auth = b"".join(contents(pid) for pid in busy.children("auth"))
    assert len(auth) > 100_000
    for pid in busy.children("worker"):
        memory = contents(pid)
        assert len(memory) > 100_000
        assert not any(key in memory for key in keys)


SESSION_KEY = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2.5.5")  # GSS_C_INQ_SSPI_SESSION_KEY


@pytest.mark.skipif(not gw.ROOT, reason="needs root: memory of other processes")
@pytest.mark.parametrize("mutual", (True, False), ids=["acceptor's subkey", "initiator's"])
def test_a_sessions_key_is_left_nowhere(start, realm, alice, echo, mutual):
    """The exported context is zeroed on both sides as soon as the worker has derived its keys."""
    gateway = start(realm=realm)
    flags = [flag for flag in FLAGS if mutual or flag != Flag.mutual_authentication]
    with GssClient(gateway, alice, flags=flags) as client:
        client.connect(echo.address).echo()
        key = gssapi.raw.inquire_sec_context_by_oid(client.context.gss, SESSION_KEY)[0]
        assert len(key) == 32 and key in contents(os.getpid()), "here it is"
        pids = gateway.pids()
        assert holders(pids, key) == []
    gateway.closing(client)
    assert holders(pids, key) == []


@pytest.mark.skipif(not gw.ROOT, reason="needs root: the gateway's three users")
def test_as_root_with_its_three_users(start, realm, alice, echo):
    """The keytab is root's alone, the replay cache auth-user's; a worker's chroot is empty."""
    users = 'user = "games"\nauth-user = "nobody"\nlog-user = "daemon"\n'
    gateway = start(realm=realm, as_root=True, extra=users)
    assert gateway.keytab.stat().st_uid == 0
    with GssClient(gateway, alice) as client:
        client.connect(echo.address, INTEGRITY).echo()
        for role, name in (("worker", "games"), ("auth", "nobody"), ("logger", "daemon")):
            for pid in gateway.children(role):
                uid = str(pwd.getpwnam(name).pw_uid)
                assert gw.status_of(pid)["Uid"].split() == [uid] * 4
    assert gateway.closing(client)["user"] == "alice@SALLYPORT.TEST"
    assert (gateway.folder / "rcache").stat().st_uid == pwd.getpwnam("nobody").pw_uid


def unit_capabilities():
    """setpriv's list of what packaging/sallyport.service leaves to root."""
    unit = (gw.HERE.parents[1] / "packaging" / "sallyport.service").read_text()
    names = re.search(r"^CapabilityBoundingSet=(.+)$", unit, re.M).group(1).split()
    return ",".join(["-all"] + ["+" + name.removeprefix("CAP_").lower() for name in names])


@pytest.mark.skipif(not gw.ROOT, reason="needs root: it gives capabilities away")
def test_with_the_capabilities_of_its_unit(start, realm, alice, echo):
    """As systemd starts it; twice, for the second finds a folder that is auth-user's."""
    users = 'user = "games"\nauth-user = "nobody"\nlog-user = "daemon"\n'
    bounds = unit_capabilities()
    gateway = start(realm=realm, as_root=True, extra=users, start=False,
                    wrap=["setpriv", f"--bounding-set={bounds}", "--no-new-privs"])
    for _ in range(2):
        done = gateway.run("-t", "-c", "FILE")
        assert done.returncode == 0, done.stderr
        gateway.start()
        with GssClient(gateway, alice) as client:
            client.connect(echo.address).echo()
        gateway.closing(client)
        new, both = realm.keytab("rcmd/localhost"), len(gateway.events())
        gateway.write_keytab(new + b"\xff\xff\xff\xfc" + bytes(4))  # and a hole
        os.kill(gateway.pid, signal.SIGHUP)
        gw.wait_until(lambda: "gateway.reload" in [r["event"] for r in gateway.events()[both:]], 10)
        gateway.stop()
        gateway.stderr_path.unlink()
        gateway.log.unlink()
        (gateway.folder / "rcache").chmod(0o755)  # put right at the next start


def test_the_programs_themselves():
    """Whatever is linked, not only what is mapped at the moment."""
    def needed(name):
        program = gw.BUILD / name
        real = pathlib.Path(gw.BUILD / ".libs" / name)
        done = subprocess.run(["readelf", "-d", real if real.exists() else program],
                              capture_output=True, text=True, check=True)
        found = re.findall(r"NEEDED.*\[(.+)\]", done.stdout)
        assert [n for n in found if n.startswith("libc.so")], done.stdout
        return found
    for name in ("sallyportd", "sallyport-worker", "sallyport-logger"):
        assert not [n for n in needed(name) if re.match("lib(gssapi|krb5)", n)], name
    assert not [n for n in needed("sallyportd") if re.match("lib(crypto|ssl)", n)]
