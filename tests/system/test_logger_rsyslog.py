# SPDX-License-Identifier: ISC
"""The logger alone against a real rsyslogd, at rates a gateway has only under load: logger_driver.c
plays the master."""
import os
import subprocess

import pytest

import gateway as gw
import records
import rsyslog
from waiting import wait_until

DRIVER = gw.BUILD / "tests/system/logger-driver"

pytestmark = [
    pytest.mark.skipif(not DRIVER.exists(), reason=f"{DRIVER} is not built (make check builds it)"),
    pytest.mark.skipif(not rsyslog.PROGRAM, reason="rsyslogd is not installed")]


class Driver:
    def __init__(self, socket, form):
        self.process = subprocess.Popen(
            [DRIVER, socket, form], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "top_builddir": str(gw.BUILD)})

    def send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "the driver has ended"
        return [int(word) for word in line.split() if word.isdigit()]

    def ask(self, command):
        self.send(command)
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def logged(tmp_path):
    made = []

    def begin(form="keyvalue"):
        daemon = rsyslog.Rsyslog(tmp_path / "rsyslog").start()
        driver = Driver(daemon.socket, form)
        made.extend((driver.end, daemon.stop))
        driver.ask("start")
        return driver, daemon
    yield begin
    for end in made:
        end()


def events(daemon):
    return records.parse(b"".join(line.partition(b"sallyport: ")[2].removeprefix(b"@cee: ") + b"\n"
                                  for line in daemon.data().split(b"\n")[:-1]))


def arrived(daemon, last):
    """Whether every record of every ring up to its last came."""
    seen = {}
    for record in events(daemon):
        seen.setdefault(record["worker"], set()).add(int(record["seq"]))
    return all(set(range(1, n + 1)) <= seen.get(str(i), set()) for i, n in enumerate(last, 1))


@pytest.mark.parametrize("form", ["keyvalue", "json"])
def test_everything_arrives_once(logged, form):
    driver, daemon = logged(form)
    last = driver.ask("write 9000 10000")
    wait_until(lambda: arrived(daemon, last), 20)
    assert driver.ask("stop 10") == [0]
    records.check_seq(events(daemon))


def test_rsyslog_restarts_under_traffic(logged):
    driver, daemon = logged()
    driver.send("write 9000 3000")
    for _ in range(3):
        size = len(daemon.data())
        wait_until(lambda: len(daemon.data()) > size + 100000, 10)
        daemon.stop()
        daemon.start()
    last = driver.answer()
    wait_until(lambda: arrived(daemon, last), 20)
    assert driver.ask("stop 10") == [0]
    records.check_seq(events(daemon), repeats=True)


def test_rsyslog_stands_still(logged):
    """What fits the rings waits there; nothing comes twice."""
    driver, daemon = logged()
    driver.ask("write 300 3000")
    daemon.pause()
    last = driver.ask("write 6000 6000")
    daemon.resume()
    wait_until(lambda: arrived(daemon, last), 20)
    assert driver.ask("stop 10") == [0]
    records.check_seq(events(daemon))


def test_the_logger_is_killed_under_traffic(logged):
    driver, daemon = logged()
    for _ in range(5):
        driver.ask("write 1500 100000")
        driver.ask("kill")
        last = driver.ask("write 300 100000")
        driver.ask("start")
    wait_until(lambda: arrived(daemon, last), 20)
    assert driver.ask("stop 10") == [0]
    records.check_seq(events(daemon), repeats=True)


def test_the_logger_stops_with_everything_written(logged):
    driver, daemon = logged()
    last = driver.ask("write 6000 200000")
    assert driver.ask("stop 20") == [0]
    wait_until(lambda: arrived(daemon, last), 5)
    records.check_seq(events(daemon))
