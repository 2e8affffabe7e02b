# SPDX-License-Identifier: ISC
"""The samples in etc/: a real rsyslog takes them and files the records as their comments say."""
import datetime
import json
import os
import re
import shutil
import subprocess

import pytest

import gateway as gw
import records
import rsyslog
import udp
from socks import Client
from waiting import wait_until

SAMPLES = gw.HERE.parents[1] / "etc"
DENY = [gw.rule("no", "deny", destination=["*.denied.test"]), gw.ALLOW]

pytestmark = pytest.mark.skipif(not rsyslog.PROGRAM, reason="rsyslogd is not installed")


class Filed(rsyslog.Rsyslog):
    """rsyslogd with the sample as it stands, but for its folder and its files' owner."""

    def __init__(self, folder, sample):
        super().__init__(folder)
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        text = (SAMPLES / sample).read_text().replace("/var/log/", f"{self.logs}/")
        assert str(self.logs) in text
        text = re.sub(r'file(Owner|Group)="\w+"', "", text)
        head = self.config.read_text().split("template(")[0]
        self.config.write_text(head + text)

    def lines(self, name):
        path = self.logs / name
        return path.read_bytes() if path.exists() else b""


@pytest.fixture
def filed(start, base):
    made = []

    def begin(sample, **keys):
        daemon = Filed(base / f"sample{os.getpid()}-{len(os.listdir(base))}", sample).start()
        gateway = start(target=f"syslog:{daemon.socket}", lossy=True, rules=DENY, **keys)
        made.append((gateway, daemon))
        return gateway, daemon
    yield begin
    for gateway, daemon in made:
        gateway.stop()
        daemon.stop()


def traffic(gateway, echo):
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    with Client(gateway) as refused:
        assert refused.greet().ask("www.denied.test", 80).code == 2
    return client.name, refused.name


@pytest.mark.parametrize("sample", ["rsyslog-sallyport.conf", "rsyslog-sallyport-json.conf"])
def test_rsyslog_finds_no_fault(tmp_path, sample):
    daemon = Filed(tmp_path / "rsyslog", sample)
    done = subprocess.run([rsyslog.PROGRAM, "-N1", "-f", daemon.config], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode == 0 and "error" not in done.stdout, done.stdout


def test_keyvalue(filed, echo):
    gateway, daemon = filed("rsyslog-sallyport.conf")
    names = set(traffic(gateway, echo))

    def filed_now():
        return records.parse(daemon.lines("sallyport.log"))
    wait_until(lambda: names <= {r.get("client") for r in filed_now() if r["event"] in records.CLOSING}, 10)
    gateway.stop()
    wait_until(lambda: any(r["event"] == "gateway.stop" for r in filed_now()), 10)
    records.check(filed_now())
    assert daemon.lines("sallyport.log").count(b"\n") == len(filed_now()), "nothing else is in it"
    # Who talked to that address on that day, how much and by which rule: as README asks for it.
    readme = (SAMPLES.parent / "README.md").read_text()
    command, = re.findall(r"^    (grep -F ' address=.*)$", readme, re.M)
    served = next(r for r in filed_now() if r["event"] == "session.end")
    command = command.replace("203.0.113.7:", "127.0.0.1:").replace("2026-11-17", served["time"][:10])
    done = subprocess.run(["sh", "-c", command.replace("/var/log/sallyport.log", str(daemon.logs / "sallyport.log"))],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=20)
    assert records.parse(done.stdout) == [served]
    assert (served["bytes_up"], served["rule"]) == ("4", "loopback")


def test_json(filed, echo):
    gateway, daemon = filed("rsyslog-sallyport-json.conf", format="json")
    served, refused = traffic(gateway, echo)

    def days():
        return [p.name for p in sorted((daemon.logs / "sallyport").glob("????-??-??.json"))]

    def filed_now():
        return [r for day in days() for r in records.parse(daemon.lines(f"sallyport/{day}"))]
    wait_until(lambda: {served, refused} <= {r.get("client") for r in filed_now()
                                             if r["event"] in records.CLOSING}, 10)
    gateway.stop()
    wait_until(lambda: any(r["event"] == "gateway.stop" for r in filed_now()), 10)
    records.check(filed_now())
    for day in days():  # two of them around midnight
        assert all(r["time"].startswith(day[:10]) for r in records.parse(daemon.lines(f"sallyport/{day}")))
    wrong = records.parse(daemon.lines("sallyport/refused.json"))
    assert [(r["event"], r["client"]) for r in wrong] == [("request.denied", refused)]
    assert daemon.lines("sallyport/other.log") == b""


def who(day, to, *files):
    """What etc/sallyport-who.jq says: a row of texts for each session."""
    done = subprocess.run(["jq", "-nrf", SAMPLES / "sallyport-who.jq", "--arg", "to", to, "--arg", "day", str(day), *files],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = done.stdout.splitlines()
    return [dict(zip(head.split("\t"), row.split("\t"))) for row in rows]


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is missing")
def test_who_talked_to_that_address(filed, echo, tmp_path):
    gateway, daemon = filed("rsyslog-sallyport-json.conf", format="json", methods=("userpass", "none"))
    with Client(gateway) as alice, udp.Peer("127.0.0.9") as nine, udp.Peer() as one:
        alice.connect(echo.address, "alice").echo(b"x" * 5000)
        with udp.Association(gateway) as a:
            a.echo(nine.address, b"12345").echo(one.address, b"678")
    traffic(gateway, echo)
    gateway.stop()

    def lines():
        return [json.loads(line) for path in sorted((daemon.logs / "sallyport").glob("????-??-??.json"))
                for line in path.read_text().split("\n")[:-1]]  # rsyslogd may be in the middle of one
    wait_until(lambda: any(r["event"] == "gateway.stop" for r in lines()), 10)
    # As of last Tuesday, but alice's session began on the evening before and lasts a minute.
    tuesday = datetime.date(2026, 11, 17)
    files = {day: tmp_path / f"{day}.json" for day in (tuesday - datetime.timedelta(1), tuesday)}
    for record in lines():
        day = tuesday
        if record.get("user") == "alice":
            record["duration"] = 60.5
            day = min(files) if record["event"] == "session.start" else tuesday
        record["time"] = f"{day}T{'23:59:30' if day != tuesday else '00:00:30'}.000000Z"
        with files[day].open("a") as out:
            out.write(json.dumps(record) + "\n")
    found = who(tuesday, "127.0.0.1", *files.values())
    assert {(r["USER"], r["CLIENT"], r["ADDRESS"], r["RULE"], r["UP"], r["DOWN"], r["OF"]) for r in found} >= {
        ("alice", alice.name, f"127.0.0.1:{echo.port}", "loopback", "5000", "5000", "1"),
        ("-", a.name, f"127.0.0.1:{one.port}", "loopback", "8", "8", "2")} and len(found) == 3
    assert [r["CLIENT"] for r in who(tuesday, "127.0.0.9", *files.values())] == [a.name]
    monday = who(min(files), "127.0.0.1", *files.values())
    assert [(r["USER"], r["FIRST"], r["LAST"]) for r in monday] == [
        ("alice", "2026-11-16T23:59:30Z", "2026-11-17T00:00:30Z")]
    assert who(tuesday, "www.denied.test", *files.values()) == []
    # Its end is not there yet.
    monday, = who(min(files), "127.0.0.1", files[min(files)])
    assert (monday["LAST"], monday["UP"]) == ("?", "?")
