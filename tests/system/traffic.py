# SPDX-License-Identifier: ISC
"""Sessions that keep echoing in the background while a test breaks something."""
import threading

from socks import Client


class Steady:
    """One session that echoes until stop(); .failed says what went wrong, .rounds how far it came."""

    def __init__(self, gateway, target, user=None):
        self.client = Client(gateway).connect(target, user)
        self.name = self.client.name
        self.failed, self.rounds = None, 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        data = bytes(range(256)) * 4
        try:
            last = False
            while not last:  # once more when it is to end: it lives to that moment
                last = self.ending.wait(0.005)
                self.client.echo(data)
                self.rounds += 1
        except (OSError, AssertionError) as problem:
            self.failed = problem

    def stop(self):
        self.ending.set()
        self.thread.join(15)
        assert not self.thread.is_alive(), "it hangs"
        self.client.close()
        return self


def worker_of(gateway, client):
    """Label of the worker that has the session."""
    return gateway.wait_event("session.start", client=client.name)["worker"]


def pid_of(gateway, label):
    """The process that now writes records under this label."""
    found = [r for r in gateway.events() if r["event"] == "worker.start" and label.endswith(r["number"])
             and r["role"] == "worker"]
    return int(found[-1]["pid"])
