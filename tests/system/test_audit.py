# SPDX-License-Identifier: ISC
"""The audit: one closing record for each connection, no hole in seq, no line or field that a client
can forge, and targets that come and go."""
import codecs
import json
import os
import random
import signal

import pytest

import gateway as gw
import records
import servers
import socks
from gateway import rule
from socks import Client, hello, login, request
from waiting import wait_until


def closings(gateway):
    return [r for r in gateway.events() if r["event"] in records.CLOSING]


@pytest.mark.parametrize("format", ["keyvalue", "json"])
def test_a_session(start, echo, format):
    gateway = start(methods=["userpass"], format=format)
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo(b"12345").shut().ends()
    end = gateway.closing(client)
    begin = gateway.wait_event("session.start", client=client.name)
    common = {"client": client.name, "protocol": "socks5", "method": "userpass", "user": "alice",
              "command": "connect", "destination": f"127.0.0.1:{echo.port}", "rule": "loopback", "reply": "0",
              "address": f"127.0.0.1:{echo.port}", "listener": "127.0.0.1:0", "session": end["session"]}
    for record in (begin, end):
        assert common.items() <= record.items()
        assert record["egress"].startswith("127.0.0.1:")
    assert {"bytes_up": "5", "bytes_down": "5", "reason": "closed", "event": "session.end"}.items() <= end.items()
    assert begin["time"] <= end["time"] and float(end["duration"]) > 0
    assert "bytes_up" not in begin and "reason" not in begin


def test_gateway_and_children_are_recorded(start):
    gateway = start(methods=["userpass"])
    begin = gateway.wait_event("gateway.start")
    assert begin["pid"] == str(gateway.pid) and begin["config"] == str(gateway.config_path)
    starts = {(r["role"], int(r["pid"])) for r in gateway.events() if r["event"] == "worker.start"}
    assert starts == {(gw.role_of(pid), pid) for pid in gateway.children()}
    gateway.stop()
    assert gateway.events()[-1]["event"] in ("gateway.stop", "worker.exit")
    assert gateway.wait_event("gateway.stop")["reason"] == "SIGTERM"


@pytest.mark.parametrize("format", ["keyvalue", "json"])
@pytest.mark.sanitizers
def test_exactly_one_closing_record_over_a_mixed_load(start, echo, format):
    """Sessions that end in every way, interleaved; the fixture's end checks seq and closings of all."""
    gateway = start(methods=["userpass"], format=format, workers=3, userpass="processes = 2",
                    timeouts="negotiate = 2 connect = 2 stop = 2")
    holder, port = servers.dead_port()
    alice = hello(2) + login("alice", "wonderland")
    expected = {
        "session.end": [alice + request(*echo.address) + b"x" * 1000],
        "request.denied": [alice + request("192.0.2.1", 80)],
        "request.failed": [alice + request("127.0.0.1", port), alice + request("127.1", 80),
                           alice + request("127.0.0.1", 80, command=9)],
        "auth.failure": [hello(2) + login("alice", "wrong"), hello(2) + login("x", "")],
        "protocol.error": [b"GET /", hello(0), hello(2) + b"\x01", b"\x05", alice + b"\x04\x01"],
    }
    rng, waiting = random.Random(11), []
    with holder:
        for _ in range(300):
            event = rng.choice(list(expected))
            client = Client(gateway).send(rng.choice(expected[event]))
            waiting.append((client, event))
            if len(waiting) > 50:
                finish(gateway, *waiting.pop(rng.randrange(len(waiting))))
        for client, event in waiting:
            finish(gateway, client, event)
    assert len(closings(gateway)) == 300


def finish(gateway, client, event):
    client.shut().rest_or_reset()
    client.close()
    assert gateway.closing(client)["event"] == event


FORGERIES = [b"alice\nv=1 time=x event=session.end user=root", b'alice" user="root', b"alice user=root",
             b"alice\\", b'\\"', b"alice\r\n<14>sallyport: v=1", b"\x1b]0;title\x07", b"a=b c=d", b"\x00\x01\x02",
             b"\xc3\xa9\xff\xfe", b"'; DROP", b"{}\"}", b"@cee: {}", b"%s%n%d", b" leading", b"trailing ",
             bytes(range(1, 256))[:255]]


codecs.register_error("single", lambda e: ("".join(map(chr, e.object[e.start:e.end])), e.end))


def shown(data, format):
    """json reads valid UTF-8 as text and any other byte as the character of its number."""
    return data.decode("utf-8", "single") if format == "json" else data.decode("latin-1")


@pytest.mark.parametrize("format", ["keyvalue", "json"])
def test_user_names_cannot_forge(start, format):
    gateway = start(methods=["userpass"], format=format)
    before = len(gateway.log.read_bytes().split(b"\n"))
    for user in FORGERIES:
        with Client(gateway) as client:
            assert client.log_in(user, "x") == 1
        record = gateway.closing(client)
        assert record["claimed"] == shown(user, format), user
        assert record["event"] == "auth.failure" and "user" not in record
    data = gateway.log.read_bytes()
    assert len(data.split(b"\n")) == before + len(FORGERIES), "one line for each record"
    assert not any(byte < 0x20 and byte != 0x0A or byte == 0x7F for byte in data), "no control character"


@pytest.mark.parametrize("format", ["keyvalue", "json"])
def test_host_names_cannot_forge(start, format):
    gateway = start(format=format, extra='resolver { servers = { "127.0.0.1:9" } timeout = 1 attempts = 1 }')
    names = FORGERIES + [b"example.test\" rule=\"staff", b"a rule=loopback"]
    clients = [Client(gateway).greet().send(request(name, 80)) for name in names]
    for client in clients:
        assert client.reply().code in (1, 2, 4)
        client.close()
        record = gateway.closing(client)
        assert record["event"] in ("request.failed", "request.denied")
        assert record.get("rule") in (None, "loopback")
    data = gateway.log.read_bytes()
    assert not any(byte < 0x20 and byte != 0x0A or byte == 0x7F for byte in data)


def test_names_of_rules_and_users_with_odd_characters(start, echo):
    """What the administrator writes is escaped like everything else."""
    title, user = 'the "best" \\ rule = é', "o'neill = \"x\""
    gateway = start(methods=["userpass"], users=gw.user_line(user, "pw"),
                    rules=f'rule "{title.encode().decode("latin-1")}" {{ action = "allow" destination = {{ "127.0.0.0/8" }} }}\n'
                    .replace('"best" \\', '\\"best\\" \\\\'))
    with Client(gateway) as client:
        client.connect(echo.address, user, "pw").echo()
    record = gateway.closing(client)
    assert record["user"] == user and record["rule"].encode("latin-1").decode() == title


def test_stderr_target(start, echo):
    gateway = start(target="stderr")
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    assert gateway.closing(client)["reason"] == "closed"
    gateway.stop()
    records.check(gateway.events())


def test_file_is_reopened_on_sighup(start, echo):
    """As logrotate does it: rename, SIGHUP; nothing is lost and nothing goes to the old file."""
    gateway = start()
    old = gateway.folder / "audit.log.1"

    def session():
        with Client(gateway) as client:
            client.connect(echo.address).echo()
        return client.name
    first = session()
    gateway.closing(first)
    gateway.log.rename(old)
    gateway.signal(signal.SIGHUP)
    wait_until(gateway.log.exists, 5, "a new log file")
    names = [session() for _ in range(50)]
    for name in names:
        gateway.closing(name)
    in_old = {r.get("client") for r in gateway.events(old)}
    assert first in in_old and not in_old & set(names)
    gateway.stop(check=False)
    records.check(gateway.events(old) + gateway.events())


def test_sighup_under_traffic_loses_nothing(start, echo):
    gateway = start()
    parts, names = [], []
    for turn in range(10):
        for _ in range(20):
            with Client(gateway) as client:
                client.connect(echo.address).echo()
            names.append(client.name)
        part = gateway.folder / f"part{turn}"
        gateway.log.rename(part)
        parts.append(part)
        gateway.signal(signal.SIGHUP)
        wait_until(gateway.log.exists, 5, "a new log file")
    gateway.stop(check=False)
    everything = [r for path in parts + [gateway.log] for r in gateway.events(path)]
    records.check(everything)
    ended = {r["client"] for r in everything if r["event"] == "session.end"}
    assert ended == set(names)


def test_a_line_that_was_cut_off(start, echo):
    """By a logger that was killed, or before the gateway started: it stays, and no record is glued to it."""
    gateway = start(start=False)
    gateway.log.write_bytes(b"cut off")
    gateway.log.chmod(0o640)
    if gateway.uid is not None:
        os.chown(gateway.log, gateway.uid, gateway.uid)
    gateway.start()
    gateway.wait_event("gateway.start")
    with open(gateway.log, "ab") as file:
        file.write(b"again")
    gw.kill(gateway.children("logger")[0], signal.SIGKILL)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    gateway.closing(client)
    gateway.stop()
    lines = gateway.log.read_bytes().splitlines()
    assert [line for line in lines if not line.startswith(b"v=1 ")] == [b"cut off", b"again"]


def test_log_file_is_not_for_others_to_read(start):
    gateway = start()
    assert gateway.log.stat().st_mode & 0o007 == 0


def test_a_log_folder_that_does_not_exist(start):
    gateway = start(target="file:/nonexistent/audit.log", start=False)
    done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and "/nonexistent/audit.log" in done.stderr


def test_json_is_json(start, echo):
    gateway = start(format="json")
    with Client(gateway) as client:
        client.connect(echo.address).echo(b"abc")
    gateway.closing(client)
    for line in gateway.log.read_text().splitlines():
        record = json.loads(line)
        for key in ("seq", "bytes_up", "bytes_down", "reply", "duration", "pid"):
            assert not isinstance(record.get(key), str), (key, record)
        assert record["v"] == 1
