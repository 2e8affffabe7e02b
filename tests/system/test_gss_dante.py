# SPDX-License-Identifier: ISC
"""Dante's socksify in front of curl: a client with GSS-API that many have, at every level."""
import hashlib
import os

import pytest

import gateway as gw
import servers
from test_clients import HERE, needs, run

LIBRARY = next((path for path in (gw.BUILD / "dante/libdsocks.so", HERE.parents[1] / "build/dante/libdsocks.so")
                if path.exists()), None)
pytestmark = [needs("curl"), pytest.mark.skipif(
    LIBRARY is None, reason="build/dante/libdsocks.so is missing; bootstrap check builds it")]
SIZE, SEED = 5_000_000, 9
newline = "\n    "


def page(connection, server):
    """Answers any request with a page."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    servers.source(SIZE, SEED)(connection, server)


def socksified(gateway, ticket, target, folder, *more):
    """The environment in which every program goes out through the gateway."""
    config, log = folder / "socks.conf", folder / "dante.log"
    config.write_text(f"""
logoutput: {log}
route {{
    from: 0.0.0.0/0 to: {target[0]}/32 port = {target[1]} via: 127.0.0.1 port = {gateway.port}
    proxyprotocol: socks_v5
    method: gssapi
    {newline.join(more)}
}}
""")
    return {"PATH": os.environ["PATH"], "SOCKS_AUTOADD_LANROUTES": "no", "SOCKS_CONF": str(config), "LD_PRELOAD": str(LIBRARY),
            "KRB5_CONFIG": ticket.config, "KRB5CCNAME": f"FILE:{ticket.path}"}


def fetched(gateway, ticket, server, folder, *more):
    env = socksified(gateway, ticket, server.address, folder, *more)
    done = run(["curl", "-sS", "--max-time", "30", f"http://127.0.0.1:{server.port}/"], env=env)
    log = folder / "dante.log"
    assert done.returncode == 0, done.stderr.decode() + (log.read_text() if log.exists() else "")
    return done.stdout


WANTS = {  # what its configuration says: what the gateway allows, what comes out
    "by default": ("", '"confidentiality", "integrity"', "confidentiality"),
    "by default, integrity offered": ("", '"integrity"', "integrity"),
    "confidentiality": ("gssapi.enctype: confidentiality", '"confidentiality"', "confidentiality"),
    "integrity": ("gssapi.enctype: integrity", '"confidentiality", "integrity"', "integrity"),
    "clear": ("gssapi.enctype: clear", '"none"', "none"),
    "confidentiality, none offered": ("gssapi.enctype: confidentiality", '"none"', "confidentiality"),
}


@pytest.mark.parametrize("what", WANTS)
@pytest.mark.parametrize("nec", (False, True), ids=("wrapped", "nec"))
def test_every_level(start, realm, alice, tmp_path, what, nec):
    wants, allowed, agreed = WANTS[what]
    gateway = start(realm=realm, gssapi=f"nec = {str(nec).lower()} protection = {{ {allowed} }}")
    options = [wants] + ["clientcompatibility: necgssapi"] * nec
    with servers.Server(page) as server:
        body = fetched(gateway, alice, server, tmp_path, *options)
    assert hashlib.sha256(body).hexdigest() == servers.digest_of(SIZE, SEED)
    record = gateway.wait_event("session.end")
    assert (record["user"], record["protection"]) == ("alice@SALLYPORT.TEST", agreed)


def test_the_other_service_name(start, realm, alice, tmp_path):
    gateway = start(realm=realm, gssapi='service = { "socks" }')
    with servers.Server(page) as server:
        assert len(fetched(gateway, alice, server, tmp_path, "gssapi.servicename: socks")) == SIZE


def test_an_upload(start, realm, alice, tmp_path):
    gateway = start(realm=realm)
    data = os.urandom(3_000_000)

    def take(connection, server):
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = got.split(b"\r\n\r\n", 1)[1]
        while len(body) < len(data):
            body += connection.recv(65536)
        server.note(body)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.close()
    (tmp_path / "data").write_bytes(data)
    with servers.Server(take) as server:
        env = socksified(gateway, alice, server.address, tmp_path)
        done = run(["curl", "-sS", "--max-time", "30", "-T", tmp_path / "data",
                    f"http://127.0.0.1:{server.port}/"], env=env)
        assert done.returncode == 0, done.stderr
        assert server.wait_note() == data
