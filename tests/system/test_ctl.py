# SPDX-License-Identifier: ISC
"""sallyportctl against a gateway that is none: answers of any size and content, readers that rest, and what its
manual says of it."""
import json
import os
import re
import socket
import subprocess
import sys
import threading

import pytest

import gateway as gw
from test_control import FAILED, OK, UNREACHABLE, USAGE, Terminal
from waiting import wait_until

CTL = gw.BUILD / "sallyportctl"
MANUAL = gw.HERE.parents[1] / "doc" / "sallyportctl.8"
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


class Impostor:
    """Listens where a gateway would; answers by command, with bytes."""

    def __init__(self, folder, answers):
        self.path, self.answers = folder / "control.sock", answers
        self.requests, self.sent = [], 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen(10)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                s.settimeout(10)
                request = s.makefile("rb").readline().decode("utf-8", "surrogateescape").rstrip("\n")
                self.requests.append(request)
                try:
                    s.sendall(self.answers[request.split("\t")[0]])
                    self.sent += 1
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(20)

    def command(self, *args):
        return [str(CTL), "-s", str(self.path), *map(str, args)]

    def run(self, *args, env=None, **keys):
        return subprocess.run(self.command(*args), env={**ENVIRONMENT, **(env or {})}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, **keys)


def line(**fields):
    return "\t".join(f"{name}={value}" for name, value in fields.items()).encode() + b"\n"


MANY = {
    "metrics": (line(text="x_total 1 " + "y" * 80) * 60000, b"x_total 1 y"),
    "sessions": (line(session="0123456700000001", user="alice", client="192.0.2.1:7", age="1.0") * 60000, b"alice"),
    "sessions --json": (line(session="0123456700000001", user="alice", client="192.0.2.1:7") * 60000, b'"alice"'),
    "workers": (line(role="worker", number="1", pid="77", state="running") * 60000, b" 77 "),
    "penalties --json": (line(client="192.0.2.0/24", left="7", seconds="60", failures="3") * 60000, b'"failures":3'),
    "status": (line(section="listener", name="127.0.0.1:1080", address="127.0.0.1:1080") * 60000, b"127.0.0.1:1080"),
}


@pytest.mark.parametrize("command", MANY)
def test_a_reader_that_rests(tmp_path, command):
    """All of an answer is taken, though nobody reads what is printed, as with a pager."""
    lines, part = MANY[command]
    with Impostor(tmp_path, {command.split()[0]: lines + b".ok\n"}) as gateway:
        with subprocess.Popen(gateway.command(*command.split()), env=ENVIRONMENT, stdout=subprocess.PIPE) as process:
            wait_until(lambda: gateway.sent == 1, 20, "all of it is taken")
            assert process.poll() is None
            text = process.stdout.read()
            assert process.wait(10) == 0
    assert text.count(part) == 60000


def test_many_complaints(tmp_path):
    """They are not lost where the reload fails, nor cut when nobody reads them for a while."""
    for end, status, out, last in [(b"summary=reloaded: 2\n.ok\n", OK, b"reloaded: 2\n", b"complaint 59999"),
                                   (b".error\tnot reloaded: complaint 7\n", FAILED, b"", b"sallyportctl: not reloaded"),
                                   (b".error\tnot reloaded: else\n", FAILED, b"", b"sallyportctl: not reloaded: else")]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        text = b"".join(line(text=f"complaint {n}") for n in range(60000))
        with Impostor(folder, {"reload": text + end}) as gateway:
            with subprocess.Popen(gateway.command("reload"), env=ENVIRONMENT, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as process:
                wait_until(lambda: gateway.sent == 1, 20, "all of it is taken")
                told = process.communicate(timeout=20)
        assert (process.returncode, told[0]) == (status, out)
        rows = told[1].splitlines()
        assert rows[:60000] == [b"complaint %d" % n for n in range(60000)] and rows[-1] == last


@pytest.mark.sanitizers
@pytest.mark.parametrize("command", MANY)
def test_an_answer_that_fails(tmp_path, command):
    """Half of an answer is none: nothing is printed."""
    half = MANY[command][0][:100000].rpartition(b"\n")[0] + b"\n"
    for end, status, text in [(b".error\tno\\x1b[2J more\n", FAILED, b"no\\x1b[2J more\n"), (b"", UNREACHABLE, b"in the middle"),
                              (b"sess", UNREACHABLE, b"in the middle"), (b"a=b\tc\n", UNREACHABLE, b"an answer that is none"),
                              (b"a=\\q\n.ok\n", UNREACHABLE, b"an answer that is none")]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        with Impostor(folder, {command.split()[0]: half + end}) as gateway:
            done = gateway.run(*command.split())
        assert (done.returncode, done.stdout) == (status, b"") and text in done.stderr, (end, done.stderr)


EVIL = "a\\x1b[31m\\x9b\\x07\\n\\t\\\\\\x7f\"'{}\u202e\u200b\u2028\u0301 \u4e2d\\xff\\xc2\\xed\\xa0\\x80\\x80"
EVIL_BYTES = EVIL.encode()


def evil(section, *names):
    fields = "".join(f"\t{name}={EVIL}" for name in names)
    return (f"section={section}" + fields).encode() + b"\n"


ANSWERS = {
    "status": evil("gateway", "version", "pid", "state", "started", "config", "generation", "rules", "uptime")
    + evil("listener", "name", "address", "sessions") + evil("listener", "name")
    + evil("workers", "running", "configured", "restarts", "descriptors_lost")
    + evil("sessions", "now", "limit", "waiting", "accepting") + evil("phase", "name", "sessions")
    + evil("limits", "one", "two", "three") + evil(EVIL, "one", "name")
    + evil("audit", "target", "path", "state", "stuck_since", "waiting", "lost") + evil("reload", "result", "text"),
    "sessions": b"\t".join(f"{name}={EVIL}".encode() for name in (
        "session", "worker", "listener", "client", "protocol", "method", "user", "destination", "address", "rule", "bytes_up",
        "age", "phase")) + b"\n" + f"session=00000001000000ff\tclaimed={EVIL}\tage=7.0\tbytes_up=1\n".encode(),
    "workers": f"role={EVIL}\tnumber={EVIL}\tpid={EVIL}\tstate={EVIL}\tage={EVIL}\n".encode(),
    "penalties": f"client={EVIL}\tuser={EVIL}\tleft={EVIL}\tfailures={EVIL}\n".encode(),
    "penalties-clear": f"cleared={EVIL}\n".encode(),
    "kill": f"killed={EVIL}\n".encode(),
    "reload": f"text={EVIL}\nsummary={EVIL}\n".encode(),
    "drain": b"", "replace": b"",
}


@pytest.mark.sanitizers
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_no_name_speaks_to_the_terminal(tmp_path, locale):
    with Impostor(tmp_path, {name: text + b".ok\n" for name, text in ANSWERS.items()}) as gateway:
        for args in (["status"], ["sessions"], ["sessions", "--wide"], ["workers"], ["penalties"], ["penalties", "clear"],
                     ["kill", "--user", "x"], ["reload"], ["drain"], ["workers", "replace", "\x1b[2J"]):
            done = gateway.run(*args, env={"LC_ALL": locale})
            assert done.returncode == OK, done
            text = (done.stdout + done.stderr).decode("ascii" if locale == "C" else "utf-8")
            bad = [c for c in text if not (c.isprintable() or c == "\n")]
            assert text and not bad, (args, bad, text)


@pytest.mark.sanitizers
@pytest.mark.parametrize("command", ["status", "sessions", "workers", "penalties"])
def test_json(tmp_path, command):
    """Whatever came, another program can read it; and what may be many is a list."""
    for lines in (ANSWERS[command], b""):
        folder = tmp_path / str(len(lines))
        folder.mkdir()
        with Impostor(folder, {command: lines + b".ok\n"}) as gateway:
            done = gateway.run(command, "--json", env={"LC_ALL": "C"})
        assert (done.returncode, done.stderr) == (OK, b"")
        tool = subprocess.run([sys.executable, "-m", "json.tool"], input=done.stdout, stdout=subprocess.PIPE, check=True)
        value = json.loads(done.stdout)
        assert value == json.loads(tool.stdout)
        if command == "status":
            assert len(value["listener"]) == (2 if lines else 0) and len(value["phase"]) == (1 if lines else 0)
        else:
            assert len(value) == lines.count(b"\n")
    assert all(c >= 0x20 or c == 0x0a for c in done.stdout)


@pytest.mark.sanitizers
def test_the_order_of_sessions(tmp_path):
    ids = ["0000000100000010", "000000010000002a", "?", "0000000100000009", "00000001000000ff", "000000010000000a"]
    lines = b"".join(line(session=i, worker="1") for i in ids)
    with Impostor(tmp_path, {"sessions": lines + b".ok\n"}) as gateway:
        for args in [], ["--wide"]:
            rows = gateway.run("sessions", *args).stdout.decode().splitlines()[1:]
            shown = [row.split()[0] for row in rows]
            assert len(shown) == 6 and [i.lstrip("0")[-2:].lstrip("0") for i in shown if i != "?"] \
                == ["9", "a", "10", "2a", "ff"], rows
        gateway.answers["sessions"] = b".ok\n"
        assert gateway.run("sessions").stdout == b"no sessions\n"


def test_columns_of_wide_letters(tmp_path):
    lines = b"".join(line(session="1", user=user, client="192.0.2.1:1", rule="r") for user in (
        "a", "\u4e2d\u4e2d", "\u00e9\u00e9", "\u4e2d" * 60, "x" * 100, "\u0301x"))
    with Impostor(tmp_path, {"sessions": lines + b".ok\n"}) as gateway:
        for args in [], ["--wide"]:
            rows = gateway.run("sessions", *args).stdout.decode().splitlines()
            places = {wide(row[:row.index("CLIENT" if n == 0 else "192.0.2.1")]) for n, row in enumerate(rows)}
            assert len(places) == 1 and len(rows) == 7, rows
            assert args or max(map(wide, rows)) <= 80


def test_a_logger_that_is_down(tmp_path):
    audit = {"section": "audit", "target": "syslog", "state": "stuck", "waiting": 3, "lost": 0}
    with Impostor(tmp_path, {"status": line(**audit, logger="down") + b".ok\n"}) as gateway:
        assert gateway.run("status").stdout == b"audit       syslog\n  stuck, no logger runs, 3 waiting, 0 lost\n"


def wide(text):
    return len(text) + text.count("\u4e2d")


def test_a_status_fits(tmp_path):
    """Fields go to the next line where they do not fit, whatever is in them."""
    for width in range(1, 40):
        folder = tmp_path / str(width)
        folder.mkdir()
        fields = {f"name{n}": "\u4e2d" * (width % 7) + "v" * width for n in range(12)}
        with Impostor(folder, {"status": line(section="limits", **fields) + b".ok\n"}) as gateway:
            lines = gateway.run("status").stdout.decode().splitlines()
        columns = [wide(text) for text in lines]
        assert max(columns) <= 80 and len(re.findall(r"\bname\d+ ", "".join(lines))) == 12, lines
        assert all(text.startswith(" " * 12) for text in lines[1:])
        for n in range(len(lines) - 1):  # what begins a line had no room in the one before
            assert columns[n] + 1 + wide(lines[n + 1].strip().rstrip(",").split(", ")[0] + ",") > 80, lines


LONG = {
    "status": line(section="gateway", version="0.1.0", state="serving", uptime="3.0")
    + line(section="sessions", now=1, limit=100) + b".ok\n",
    "sessions": line(session="00000001000000ff", user="u" * 60 + "@EXAMPLE.COM", client="192.0.2.1:7", phase="relay",
                     destination="d" * 200 + ".example.com:65535", bytes_up=1, bytes_down=1, age="3.0", rule="r" * 60) + b".ok\n",
    "kill": b"killed=1\n.ok\n",
}


def test_top_asks_visibly(tmp_path):
    """However long the names are, and however narrow the screen."""
    with Impostor(tmp_path, LONG) as gateway, Terminal(tmp_path, gateway.command("top")) as t:
        t.shows("^ff +uuu")
        t.keys("k")
        screen = t.shows(r"^end session ff of u+~ to d+~:65535\? \(y/n\)$")
        assert len(screen.splitlines()[-1]) <= 80
        t.resize(60, 24)
        t.shows(r"^end session ff of u+~ to d+~:65535\? \(y/n\)$")
        t.keys("y")
        wait_until(lambda: "kill\tsession=00000001000000ff" in gateway.requests)
        t.shows("^sessions ended: 1")
        t.keys("q")
        wait_until(t.ended)


def test_top_shows_no_escapes(tmp_path):
    answers = {**LONG, "sessions": ANSWERS["sessions"] + b".ok\n", "status": ANSWERS["status"] + b".ok\n"}
    with Impostor(tmp_path, answers) as gateway, Terminal(tmp_path, gateway.command("top")) as t:
        screen = t.shows(r"^ff +\(a\\x1b")
        assert "sallyport a\\x1b[31m\\x9b" in screen
        t.keys("k")
        t.shows(r"^end session ")
        t.keys("n", "q")
        wait_until(t.ended)


# --- the command line ---


def usage_of(text):
    """{command: set of its options and operands}, of the text of -h."""
    found, name = {}, None
    for row in text.splitlines():
        start = re.match(r"  ([a-z]+(?: [a-z]+)?)(?: +(.*))?$", row)
        if start:
            name = start.group(1)
            found[name] = start.group(2) or ""
        elif name and re.match(r" {12}[-\[]", row):
            found[name] += " " + row
    return {name: set(re.findall(r"-[-a-z]+|\b[A-Z][A-Z:]+\b", words)) for name, words in found.items()}


def manual_of(text):
    """The same of the manual."""
    found = {}
    text = re.sub(r"\.It Xo (Cm .*?)\.Xc", lambda m: ".It " + m.group(1).replace("\n.", " ").replace("\n", " "), text,
                  flags=re.S)
    for row in re.findall(r"^\.It Cm (.*)$", text, re.M):
        words = row.split()
        name = " ".join(w for n, w in enumerate(words) if w.islower() and (n == 0 or (n == 1 and words[0] in ("workers", "penalties"))))
        flags = {"--" + w for w in re.findall(r"Fl Fl (\w+)", row)} | {"-" + w for w in re.findall(r"(?<!Fl )Fl (?!Fl)(\w+)", row)}
        found[name] = flags
    return found


def test_the_manual_and_the_help_agree():
    text = subprocess.run([CTL, "-h"], check=True, stdout=subprocess.PIPE).stdout.decode()
    assert all(len(row) < 80 for row in text.splitlines())
    told, written = usage_of(text), manual_of(MANUAL.read_text())
    options = {name: {w for w in words if w[0] == "-"} for name, words in told.items()}
    assert len(options) == 13
    assert {name: words for name, words in written.items() if name in options} == options


@pytest.mark.sanitizers
def test_help_of_a_command(tmp_path):
    text = subprocess.run([CTL, "-h"], check=True, stdout=subprocess.PIPE).stdout.decode()
    for name in usage_of(text):
        for option in ("-h", "--help"):
            done = subprocess.run([CTL, *name.split(), option], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            assert (done.returncode, done.stderr) == (OK, b"")
            assert done.stdout.decode().startswith(f"usage: sallyportctl [-s SOCKET] {name}"), done


@pytest.mark.sanitizers
@pytest.mark.parametrize("args,text", [
    ("-x", "there is no option -x"), ("--nonsense", "there is no option --nonsense"), ("-s", "-s wants a value"),
    ("help", 'no command "help"'), ("sessions --wide --json", "--wide and --json exclude each other"),
    ("explain --client ::1 --to a:1 --address ::1 --resolve", "--address and --resolve exclude each other"),
    ("explain --client ::1", "explain: --client and --to are needed"), ("status --json=yes", "--json takes no value"),
    ("workers replace", "workers replace: NUMBER is needed"), ("workers replace 1 2", 'unexpected argument "2"'),
    ("workers shoot 1", 'workers: unexpected argument "shoot"'), ("penalties --client ::1", "penalties knows no --client"),
    ("test", "test: TABLE is needed"), ("kill --rule=", "kill: --rule is empty"),
    ("penalties clear --user=", "penalties clear: --user is empty"), ("sessions -u x", "sessions knows no -u")])
def test_wrong_usage(args, text):
    done = subprocess.run([CTL, *args.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (USAGE, b"") and text in done.stderr.decode(), done
