# SPDX-License-Identifier: ISC
"""A real rsyslogd of the tests' own: its socket, its file, nothing of the system's."""
import os
import pathlib
import shutil
import signal
import subprocess

from waiting import halt, wait_until

PROGRAM = shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Rsyslog:
    """with Rsyslog(folder) as rsyslog: ... rsyslog.socket, rsyslog.data(). start, stop, pause."""

    def __init__(self, folder, template="%msg%"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o755, parents=True)
        self.socket, self.output = self.folder / "log", self.folder / "out"
        self.config = self.folder / "rsyslog.conf"
        self.process = None
        # What arrives is written as it came: no octal escapes, no rate limit, no file cached.
        self.config.write_text(f'''
global(workDirectory="{self.folder}" parser.escapeControlCharactersOnReceive="off" maxMessageSize="64k")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{self.socket}" CreatePath="off" RateLimit.Interval="0" UseSpecialParser="on")
template(name="plain" type="string" string="%syslogfacility-text%.%syslogseverity-text% %programname%:{template}\\n")
action(type="omfile" file="{self.output}" template="plain" flushOnTXEnd="on" asyncWriting="off")
''')

    def start(self):
        with open(self.folder / "stderr", "ab") as out:
            self.process = subprocess.Popen(
                [PROGRAM, "-n", "-f", str(self.config), "-i", str(self.folder / "pid")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(self._listens, 10, lambda: (self.folder / "stderr").read_text())
        return self

    def _listens(self):
        import socket
        assert self.process.poll() is None, (self.folder / "stderr").read_text()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            try:
                s.connect(str(self.socket))
            except OSError:
                return False
        self.socket.chmod(0o666)
        return True

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(10)

    def pause(self):
        halt(self.process.pid)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def data(self):
        return self.output.read_bytes() if self.output.exists() else b""

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop()
