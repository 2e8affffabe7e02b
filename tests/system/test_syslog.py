# SPDX-License-Identifier: ISC
"""The audit through a real rsyslogd: what arrives, and what happens when it stops, dies, returns."""
import os
import re

import pytest

import gateway as gw
import records
import rsyslog
from socks import Client
from waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not gw.ROOT, reason="a /dev/log of the test's own needs a mount namespace, thus root"),
    pytest.mark.skipif(not rsyslog.PROGRAM, reason="rsyslogd is not installed")]

LINE = re.compile(rb"^(\w+)\.(\w+) (\S+?): ?(@cee: )?(.*)$")


@pytest.fixture
def logged(start, base):
    """(gateway, rsyslogd) that speak through /dev/log."""
    made = []

    def begin(change=lambda text: text, **keys):
        daemon = rsyslog.Rsyslog(base / f"rsyslog{os.getpid()}-{len(os.listdir(base))}").start()
        gateway = start(target="syslog", outer=gw.syslog_at(daemon.socket), lossy=True, start=False, **keys)
        made.append((gateway, daemon))
        gateway.configure(change(gateway.config_path.read_text()))
        return gateway.start(), daemon
    yield begin
    for gateway, daemon in made:
        gateway.stop()
        daemon.stop()


def lines(daemon):
    return [LINE.match(line) for line in daemon.data().split(b"\n")[:-1]]


def events(daemon):
    return records.parse(b"".join(m[5] + b"\n" for m in lines(daemon)))


def session(gateway, echo):
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    return client.name


def ended(daemon):
    return {r["client"] for r in events(daemon) if r["event"] == "session.end"}


def test_what_arrives(logged, echo):
    gateway, daemon = logged()
    name = session(gateway, echo)
    wait_until(lambda: name in ended(daemon), 10)
    for line in lines(daemon):
        assert line and (line[1], line[3]) == (b"local0", b"sallyport") and line[4] is None, line
    severities = {r["event"]: m[2] for r, m in zip(events(daemon), lines(daemon))}
    assert severities["session.end"] == b"info" and severities["gateway.start"] == b"notice"
    gateway.stop()
    wait_until(lambda: any(r["event"] == "gateway.stop" for r in events(daemon)), 5)
    records.check(events(daemon))


def test_json_has_the_cookie(logged, echo):
    gateway, daemon = logged(format="json")
    name = session(gateway, echo)
    wait_until(lambda: name in ended(daemon), 10)
    assert all(line[4] == b"@cee: " for line in lines(daemon))
    records.check(events(daemon))


def test_facility(logged, echo):
    gateway, daemon = logged(lambda text: text.replace("log { ", 'log { facility = "authpriv" '))
    name = session(gateway, echo)
    wait_until(lambda: name in ended(daemon), 10)
    assert lines(daemon)[-1][1] == b"authpriv"


def test_rsyslog_restarts(logged, echo):
    """While it is away the rings keep the records; when it is back all of them arrive."""
    gateway, daemon = logged()
    names = [session(gateway, echo) for _ in range(5)]
    wait_until(lambda: set(names) <= ended(daemon), 10)
    daemon.stop()
    names += [session(gateway, echo) for _ in range(50)]
    daemon.start()
    names += [session(gateway, echo) for _ in range(5)]
    wait_until(lambda: set(names) <= ended(daemon), 20, lambda: set(names) - ended(daemon))
    gateway.stop()
    records.check(events(daemon), repeats=True)


def test_rsyslog_is_killed_under_traffic(logged, echo):
    """Not even what lay unread in its socket is lost."""
    gateway, daemon = logged()
    names = []
    for _ in range(4):
        names += [session(gateway, echo) for _ in range(25)]
        daemon.process.kill()
        daemon.process.wait(10)
        names += [session(gateway, echo) for _ in range(5)]
        daemon.start()
    wait_until(lambda: set(names) <= ended(daemon), 30, lambda: set(names) - ended(daemon))
    gateway.stop()
    records.check_closing(events(daemon), repeats=True)


def test_a_stopped_rsyslog_blocks_nobody(logged, echo):
    """Its socket takes a few messages and then nothing: sessions do not notice, memory does not grow,
    and all records arrive once it goes on."""
    gateway, daemon = logged()
    session(gateway, echo)
    daemon.pause()
    names = [session(gateway, echo) for _ in range(200)]
    logger = gateway.children("logger")[0]
    used = gw.cpu_seconds(logger)
    gw.stays(lambda: gateway.children("logger") == [logger], 1.0)
    assert gw.cpu_seconds(logger) - used < 0.3, "it spins"
    daemon.resume()
    wait_until(lambda: set(names) <= ended(daemon), 30)
    gateway.stop()
    records.check(events(daemon), repeats=True)


def test_no_rsyslog_at_the_start(start, base, echo):
    """The gateway serves; the records wait."""
    daemon = rsyslog.Rsyslog(base / f"late{os.getpid()}")
    gateway = start(target="syslog", outer=gw.syslog_at(daemon.socket), lossy=True)
    names = [session(gateway, echo) for _ in range(10)]
    try:
        daemon.start()
        wait_until(lambda: set(names) <= ended(daemon), 20)
    finally:
        gateway.stop()
        daemon.stop()
