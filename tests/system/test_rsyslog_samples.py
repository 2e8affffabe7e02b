# SPDX-License-Identifier: ISC
"""The samples in etc/: a real rsyslog takes them and files the records as their comments say."""
import os
import re
import subprocess

import pytest

import gateway as gw
import records
import rsyslog
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
