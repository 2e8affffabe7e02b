# SPDX-License-Identifier: ISC
"""Ten thousand relayed sessions at the same time, across the workers."""
import collections
import json
import pathlib
import resource
import subprocess
import sys

import pytest

import gateway as gw
import records
from waiting import stays, wait_until

COUNT = 10_000
WORKERS = 4
MANY = pathlib.Path(__file__).with_name("many.py")


class Helper:
    """A process of many.py, and lines to and from it."""

    def __init__(self, *args):
        self.process = subprocess.Popen([sys.executable, str(MANY), *map(str, args)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def line(self):
        text = self.process.stdout.readline()
        assert text, f"many.py ended with status {self.process.wait(5)}"
        return text.strip()

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


def cpu_of(gateway, seconds=0):
    """All workers' seconds of CPU, so much later."""
    stays(lambda: True, seconds)
    return sum(gw.cpu_seconds(pid) for pid in gateway.children("worker"))


def limit_says_no():
    """What stands against it: each worker needs two descriptors a session, each helper one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = max(COUNT + 100, 2 * COUNT // WORKERS + 400)
    if hard != resource.RLIM_INFINITY and hard < needed:
        return f"RLIMIT_NOFILE (hard {hard}) is below the {needed} that a process needs"
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    if high - low < COUNT + 1000:
        return f"net.ipv4.ip_local_port_range has only {high - low} ports"
    return None


def test_ten_thousand_sessions(start):
    reason = limit_says_no()
    if reason:
        pytest.skip(reason)
    helpers = [server := Helper("server")]
    try:
        port = int(server.line())
        gateway = start(workers=WORKERS, timeouts="stop = 10", control="")
        idle = {pid: gw.memory_kb(pid) for pid in gateway.pids()}
        helpers += [Helper("clients", gateway.port, port, COUNT // 4) for _ in range(4)]
        crowd = helpers[1:]
        assert [c.line() for c in crowd] == [f"open {COUNT // 4}"] * 4
        for _ in range(3):
            for client in crowd:
                client.say("echo")
            assert [c.line() for c in crowd] == [f"echoed {COUNT // 4}"] * 4
        begun = lambda: [r for r in gateway.events() if r["event"] == "session.start"]
        wait_until(lambda: len(begun()) == COUNT, 30)
        spread = collections.Counter(r["worker"] for r in begun())
        assert len(spread) == WORKERS and max(spread.values()) - min(spread.values()) <= COUNT // 20, spread
        grown = sum(gw.memory_kb(pid) - idle[pid] for pid in gateway.pids())
        print(f"{grown * 1024 / COUNT:.0f} bytes of resident memory for each idle session")
        # A listing reads what workers keep anyway: it costs them nothing.
        wait_until(lambda: cpu_of(gateway) == cpu_of(gateway, 0.2), 10, "the workers are idle")
        before = cpu_of(gateway)
        done = gateway.ctl("sessions", "--json")
        assert done.returncode == 0 and len(json.loads(done.stdout)) == COUNT
        assert cpu_of(gateway) - before < 0.05
        for client in crowd:
            client.end()
        ended = lambda: sum(r["event"] in records.CLOSING for r in gateway.events())
        wait_until(lambda: ended() == COUNT, 60, "all closing records")
    finally:
        for helper in helpers:
            if helper.process.poll() is None:
                helper.process.kill()
                helper.process.wait(10)
