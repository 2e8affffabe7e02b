# SPDX-License-Identifier: ISC
"""log.required: no success reply before the log target has accepted the record of it; and what the
target does to sessions where it is not required."""
import json
import os
import pathlib
import re
import time

import pytest

import bind
import gateway as gw
import records
import rsyslog
import socks
import udp
from socks import Client
from waiting import wait_until

pytestmark = pytest.mark.skipif(not rsyslog.PROGRAM, reason="rsyslogd is not installed")


@pytest.fixture
def logged(start, base):
    """(gateway, rsyslogd): log.required unless told otherwise."""
    made = []

    def begin(timeouts="stop = 2", required="true", losses=False, **keys):
        daemon = rsyslog.Rsyslog(base / f"required{os.getpid()}-{len(os.listdir(base))}").start()
        gateway = start(target=f"syslog:{daemon.socket}", lossy=True, timeouts=timeouts, start=False,
                        **keys)
        text = gateway.config_path.read_text()
        gateway.configure(text.replace("log { ", f"log {{ required = {required} "))
        made.append((gateway, daemon, losses))
        return gateway.start(), daemon
    yield begin
    for gateway, daemon, losses in made:
        daemon.resume()
        gateway.stop()
        daemon.stop()
        if not losses:
            records.check(events(daemon), repeats=True)


def events(daemon):
    return records.parse(b"".join(line.partition(b"sallyport: ")[2].removeprefix(b"@cee: ") + b"\n"
                                  for line in daemon.data().split(b"\n")[:-1]))


def record(daemon, client, event):
    return next((r for r in events(daemon) if r["event"] == event and r.get("client") == client.name), None)


def closed(daemon, client, **fields):
    found = wait_until(lambda: next((r for r in events(daemon) if r["event"] in records.CLOSING
                                     and r.get("client") == client.name), None), 10)
    assert {key: found.get(key) for key in fields} == fields, found
    return found


def stuck(gateway, daemon):
    """The daemon stands still, and its socket takes nothing more."""
    daemon.pause()
    for _ in range(30):
        Client(gateway).send(b"\x07").close()


def no_answer(client, seconds=0.3):
    client.sock.settimeout(seconds)
    with pytest.raises(TimeoutError):
        client.sock.recv(1)
    client.sock.settimeout(socks.DEADLINE)


def test_the_record_comes_first(logged, echo):
    """Nobody waits for long where the daemon works, though nothing else comes to be logged."""
    gateway, daemon = logged()
    begin = time.monotonic()
    for _ in range(5):
        with Client(gateway) as client:
            client.connect(echo.address)
            start = wait_until(lambda: record(daemon, client, "session.start"), 5)
            assert start["reply"] == "0" and start["address"].endswith(f":{echo.address[1]}")
            client.echo()
        closed(daemon, client, event="session.end", reason="closed")
    assert time.monotonic() - begin < 4, "a second of quiet is not waited for"


def test_many_wait_for_one_advance(logged, echo):
    """What clients send ahead stays in order; all go on when the daemon does."""
    gateway, daemon = logged()
    stuck(gateway, daemon)
    clients = [Client(gateway).greet().send(socks.request(*echo.address), b"ahead") for _ in range(40)]
    no_answer(clients[0])
    with clients.pop() as gone:  # one that does not wait
        gone.reset()
    daemon.resume()
    for client in clients:
        assert client.reply().code == 0
        assert client.recv(5) == b"ahead"
        client.close()
    for client in clients:
        closed(daemon, client, event="session.end", reason="closed", bytes_up="5")
    closed(daemon, gone, event="session.end", reason="client-gone")


def test_refused_in_time(logged, echo):
    """New sessions alone: those that live notice nothing."""
    gateway, daemon = logged("stop = 2 connect = 1")
    with Client(gateway).connect(echo.address) as lives, Client(gateway) as client, Client(gateway) as associate:
        lives.echo()
        stuck(gateway, daemon)
        client.greet().send(socks.request(*echo.address))
        associate.greet().send(socks.request("0.0.0.0", 0, socks.ASSOCIATE))
        assert client.reply().code == 1 and associate.reply().code == 1
        client.ends()
        associate.ends()
        lives.echo(b"x" * 100_000)
    daemon.resume()
    closed(daemon, lives, event="session.end", reason="closed")
    closed(daemon, client, event="session.end", reason="audit-unavailable", reply="1")
    closed(daemon, associate, event="session.end", reason="audit-unavailable", reply="1")


def test_associations_and_binds_wait(logged, echo):
    gateway, daemon = logged()
    stuck(gateway, daemon)
    with Client(gateway) as tcp, Client(gateway) as binding, udp.Peer() as peer:
        tcp.greet()
        binding.greet().send(socks.request("127.0.0.1", 0, socks.BIND))
        no_answer(binding)
        daemon.resume()
        with udp.Association(gateway, tcp=tcp) as a:
            a.echo(peer.address)
        reply = binding.reply()
        assert reply.code == 0
        # What the daemon has read it writes a little later.
        wait_until(lambda: record(daemon, binding, "session.start"), 5)
        # Who connects is recorded before the second reply.
        daemon.pause()
        with bind.peer((reply.address, reply.port)) as other:
            no_answer(binding)
            daemon.resume()
            assert binding.reply().code == 0
            update = wait_until(lambda: record(daemon, binding, "session.update"), 5)
            assert update["address"] == socks.name_of(other.getsockname())
            bind.both_ways(binding, other)
    closed(daemon, binding, event="session.end", reason="closed")
    closed(daemon, tcp, event="session.end", reason="closed")


def test_the_logger_is_replaced_meanwhile(logged, echo):
    """Its successor tells those that waited."""
    gateway, daemon = logged()
    stuck(gateway, daemon)
    with Client(gateway) as client:
        client.greet().send(socks.request(*echo.address))
        no_answer(client)
        logger = gateway.children("logger")[0]
        gw.kill(logger, 9)
        wait_until(lambda: gateway.children("logger") not in ([], [logger]), 10)
        daemon.resume()
        assert client.reply().code == 0
        client.echo()


# A SOCKS 4A request that a rule refuses with a long record of it.
LONG = b"\x04\x01\0\x50\0\0\0\1" + b"u" * 255 + b"\0" + b"n." * 120 + b"denied\0"


def audit(gateway):
    """What sallyportctl says of it."""
    return json.loads(gateway.ctl("status", "--json").stdout)["audit"]


def lost_in_metrics(gateway):
    return int(re.search(r"^sallyport_audit_records_lost_total (\d+)", gateway.ctl("metrics").stdout, re.M)[1])


def lost_in_records(daemon):
    return sum(int(r["count"]) for r in events(daemon) if r["event"] == "audit.lost")


def test_a_full_ring_refuses(logged, echo):
    """Where no record fits no session starts; what was lost is counted to the last one."""
    gateway, daemon = logged(losses=True, workers=1, control="",
                             rules=[gw.rule("no", "deny", destination=["*.denied"]), gw.ALLOW])
    daemon.pause()
    for _ in range(2600):  # of 600 octets, in a ring of 1 MiB
        Client(gateway).send(LONG).close()
    with Client(gateway) as client:
        assert client.greet().ask(*echo.address).code == 1
        client.ends()
    wait_until(lambda: audit(gateway)["state"] == "stuck" and int(audit(gateway)["lost"]) > 100, 5,
               lambda: audit(gateway))
    assert int(audit(gateway)["waiting"]) > 1000
    daemon.resume()
    wait_until(lambda: Client(gateway).greet().ask(*echo.address).code == 0, 10)
    wait_until(lambda: int(audit(gateway)["lost"]) == lost_in_metrics(gateway) == lost_in_records(daemon), 10,
               lambda: (audit(gateway), lost_in_metrics(gateway), lost_in_records(daemon)))
    wait_until(lambda: audit(gateway)["state"] == "connected", 10)
    gateway.stop()
    counted = lost_in_records(daemon)
    numbers = {int(r["seq"]) for r in events(daemon) if r["worker"] == "1"}
    assert counted > 100 and max(numbers) - len(numbers) == counted, counted


# --- a file system without room ---

SMALL = """mkdir -p "$0" && mount -t tmpfs -o size=256k,mode=777 none "$0" && exec "$@" """


@pytest.mark.skipif(not gw.ROOT, reason="a small file system needs a mount namespace, thus root")
@pytest.mark.parametrize("required", ["false", "true"])
def test_a_full_disk(start, base, echo, required):
    """It keeps nobody from working, unless required says so; when there is room again all is written."""
    disk = base / f"disk{os.getpid()}-{len(os.listdir(base))}"
    gateway = start(target=f"file:{disk}/audit", lossy=True, start=False, timeouts="stop = 5 connect = 1",
                    outer=["unshare", "-m", "--propagation", "private", "sh", "-c", SMALL, str(disk)])
    text = gateway.config_path.read_text()
    gateway.configure(text.replace("log { ", f"log {{ required = {required} "))
    gateway.start()
    inside = pathlib.Path(f"/proc/{gateway.pid}/root{disk}")
    filler = inside / "filler"
    with open(filler, "wb", buffering=0) as out, pytest.raises(OSError):
        while True:
            out.write(b"x" * 4096)
    names = []
    # More from each worker than the rest of a page takes.
    for _ in range(80):
        with Client(gateway) as client:
            client.send(b"\x07")
            client.ends_or_resets()
        names.append(client.name)

    def written():
        return records.parse((inside / "audit").read_bytes())

    def answer():
        """Where it is required, who is served is in the file: the rest of a page may take one more."""
        with Client(gateway) as client:
            code = client.greet().ask(*echo.address).code
            names.append(client.name)
            assert code == 1 or required == "false" or client.name in {r.get("client") for r in written()}
        return code
    if required == "true":
        wait_until(lambda: answer() == 1, 10)
    else:
        assert answer() == 0
    filler.unlink()
    wait_until(lambda: set(names) <= {r.get("client") for r in written() if r["event"] in records.CLOSING}, 10)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    wait_until(lambda: any(r.get("client") == client.name and r["event"] == "session.end" for r in written()))
    records.check(written())
