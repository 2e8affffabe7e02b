# SPDX-License-Identifier: ISC
"""The configuration as an administrator meets it: -t, -T, --try, mistakes with file and line,
includes, the default path."""
import os
import re
import socket
import subprocess

import pytest

import gateway as gw
import socks
from gateway import rule
from socks import Client
from waiting import wait_until


@pytest.fixture
def check(start):
    """check(text) writes it and runs -t: (exit status, what it said)."""
    def run(text, *args, **keys):
        gateway = start(config=text, start=False, **keys)
        done = gateway.run(*(args or ("-t",)), "-c", "FILE")
        return done.returncode, done.stdout + done.stderr, gateway
    return run


SMALLEST = 'methods = { "none" }\nlisten "127.0.0.1:0" { }\nrule "all" { action = "allow" }\n'


def test_check_accepts(check):
    status, said, _ = check(SMALLEST)
    assert status == 0, said


def test_check_opens_no_listener(start):
    """-t beside a running gateway: the port is taken and nobody minds."""
    gateway = start()
    text = gateway.config_path.read_text().replace("127.0.0.1:0", f"127.0.0.1:{gateway.port}")
    other = start(config=text, start=False)
    done = other.run("-t", "-c", "FILE")
    assert done.returncode == 0, done.stderr


# what is wrong, the line it is in, words the message must have
MISTAKES = {
    "unknown key": (SMALLEST + "colour = 3\n", 4, ["colour"]),
    "unknown key in section": ('timeouts {\n  idle = 5\n  idler = 5\n}\n' + SMALLEST, 3, ["timeouts", "idler"]),
    "unknown section": (SMALLEST + 'colours { }\n', 4, ["colours"]),
    "repeated scalar": ("workers = 1\nworkers = 2\n" + SMALLEST, 2, ["workers"]),
    "repeated in section": ("timeouts {\n idle = 5\n idle = 6\n}\n" + SMALLEST, 3, ["timeouts", "idle"]),
    "repeated title": (SMALLEST + 'rule "all" { action = "deny" }\n', 4, ["all"]),
    "repeated listener": (SMALLEST + 'listen "127.0.0.1:0" { }\n', 4, ["127.0.0.1:0"]),
    "number out of range": ("workers = 5000\n" + SMALLEST, 1, ["workers", "1024"]),
    "negative": ("timeouts { idle = -1 }\n" + SMALLEST, 1, ["timeouts", "idle"]),
    "octal": ("workers = 010\n" + SMALLEST, 1, ["workers"]),
    "no number": ('workers = "many"\n' + SMALLEST, 1, ["workers"]),
    "action missing": (SMALLEST + 'rule "x" {\n port = { "80" }\n}\n', None, ["x", "action"]),
    "action unknown": (SMALLEST + 'rule "x" { action = "permit" }\n', 4, ["x", "action", "allow", "deny"]),
    "empty list": (SMALLEST + 'rule "x" { action = "allow" port = { } }\n', 4, ["x", "port"]),
    "bad prefix": (SMALLEST + 'rule "x" { action = "allow" client = { "10.0.0.0/33" } }\n', 4, ["x", "client"]),
    "host bits": (SMALLEST + 'rule "x" { action = "allow" client = { "10.0.0.1/8" } }\n', 4, ["x", "client"]),
    "bad port": (SMALLEST + 'rule "x" { action = "allow" port = { "70000" } }\n', 4, ["x", "port"]),
    "port range backwards": (SMALLEST + 'rule "x" { action = "allow" port = { "90-80" } }\n', 4, ["x", "port"]),
    "bad listener": ('listen "localhost" { }\n' + SMALLEST, 1, ["localhost"]),
    "unterminated string": (SMALLEST + 'pid-file = "/tmp/x\n', 4, []),
    "unterminated comment": (SMALLEST + "/* never ends\n", 4, []),
    "unclosed section": (SMALLEST + "timeouts {\n idle = 5\n", None, []),
    "nul": (SMALLEST + "# \0\n", 4, []),
    "unknown method": ('methods = { "password" }\n' + SMALLEST.split("\n", 1)[1], 1, ["methods", "password"]),
    "bad address": ('egress { ipv4 = "here" }\n' + SMALLEST, 1, ["egress", "ipv4"]),
    "not available yet": ('listen "127.0.0.2:0" {\n proxy-protocol = { "192.0.2.0/24" }\n}\n' + SMALLEST, 2,
                          ["127.0.0.2:0", "proxy-protocol", "not available yet"]),
    "time window": (SMALLEST + 'rule "x" { action = "allow" time = { "Mon-Fri 07:00-25:00" } }\n', 4,
                    ["x", "time", "25:00"]),
    "protection for nobody": ('methods = { "none" }\nlisten "127.0.0.1:0" {\n protection = { "integrity" }\n}\n', 3,
                              ["127.0.0.1:0", "protection", "no method offered here"]),
    "service for nobody": ('methods = { "none" }\nlisten "127.0.0.1:0" {\n service = { "rcmd" }\n}\n', 3,
                           ["127.0.0.1:0", "service", "no method offered here"]),
    "protection unknown": (SMALLEST + 'rule "x" { action = "allow" protection = "selective" }\n', 4,
                           ["x", "protection", "none", "integrity", "confidentiality"]),
    "environment is not expanded": ('pid-file = "${HOME}"\n' + SMALLEST, 1, ["pid-file"]),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_told_with_file_and_line(check, what):
    text, line, words = MISTAKES[what]
    status, said, gateway = check(text)
    assert status == 1, said
    place = re.search(re.escape(str(gateway.config_path)) + r":(\d+): ", said)
    assert place, said
    if line is not None:
        assert int(place[1]) == line, said
    for word in words:
        assert word in said, (word, said)
    assert gateway.run("-c", "FILE").returncode == 1, "it does not start either"


def test_all_mistakes_at_once(check):
    """An administrator mends them in one round."""
    status, said, _ = check("workers = 5000\n" + SMALLEST + 'rule "x" { action = "permit" }\n')
    assert status == 1 and "workers" in said and '"x"' in said


def test_deep_nesting_and_size_are_bounded(check):
    assert check(SMALLEST + "timeouts " + "{" * 100_000 + "\n")[0] == 1
    assert check(SMALLEST + "#" + "x" * (17 << 20) + "\n")[0] == 1


@pytest.mark.parametrize("data", [b"\xff\xfe" * 100, b"\0" * 100, b"{" * 100, b"}" * 100, b'"' * 101, b"=" * 100])
def test_garbage_is_an_error_not_a_crash(check, data):
    status, said, _ = check(data.decode("latin-1"))
    assert status == 1 and said


def test_missing_and_unreadable_file(start):
    gateway = start(start=False)
    done = gateway.run("-t", "-c", str(gateway.folder / "absent.conf"))
    assert done.returncode == 1 and "absent.conf" in done.stderr


FULL = '''# all of what may be said today
workers = 3
methods = { "userpass", "none" }
listen "127.0.0.1:0" { }
listen "[::1]:0" { methods = { "none" } }
userpass { file = "USERS" remember = 30 processes = 2 }
resolver { servers = { "127.0.0.1:5353", "[::1]:53" } timeout = 3 attempts = 4 prefer = "ipv6" hosts = false }
egress { ipv4 = "127.0.0.1" ipv6 = "::1" }
timeouts { negotiate = 11 connect = 12 idle = 13 half-closed = 14 stop = 15 orphan = 16 }
limits { sessions = 1234 }
log { target = "stderr" facility = "local3" format = "json" events = "all" }
rule "a \\"quoted\\" title" { action = "deny" client = { "10.0.0.0/8", "fd00::/8" } user = { "*@EXAMPLE.COM", "b\\\\ob" }
    method = { "userpass" } command = { "connect" } destination = { "*.example.com", "203.0.113.0/24" }
    port = { "443", "8000-8999" } }
rule "rest" { action = "allow" }
'''


def test_print_round_trip(start):
    """-T prints what is in force, in the language itself: printed again it is the same."""
    gateway = start(start=False)
    gateway.configure(FULL.replace("USERS", str(gateway.users)))
    first = gateway.run("-T", "-c", "FILE")
    assert first.returncode == 0, first.stderr
    for word in ("workers = 3", "127.0.0.1:5353", "8000-8999", "fd00::/8", "*@EXAMPLE.COM", "half-closed"):
        assert word in first.stdout, word
    gateway.configure(first.stdout)
    second = gateway.run("-T", "-c", "FILE")
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout
    assert gateway.run("-t", "-c", "FILE").returncode == 0


COVERED = SMALLEST + """rule "web" {
    action = "allow"
    port   = { "443" }
}
"""


def test_a_rule_that_never_matches_is_told(start):
    """At -t, and when it starts: both rules and their lines, and it starts all the same."""
    gateway = start(config=COVERED, start=False)
    done = gateway.run("-t", "-c", "FILE")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    path = re.escape(str(gateway.config_path))
    assert re.search(rf'{path}:4: rule "web": warning: it never matches: rule "all" \({path}:3\)', said), said
    done = gateway.run("-T", "-c", "FILE")
    assert re.search(r'^# 1\nrule "all".*^# 2\nrule "web"', done.stdout, re.M | re.S), done.stdout


def test_print_shows_defaults(check):
    status, said, _ = check(SMALLEST, "-T")
    assert status == 0
    for word in ("negotiate = 30", "idle = 7200", 'format = "keyvalue"'):
        assert word in said, said


def test_includes(start, echo):
    gateway = start(start=False)
    text = gateway.config_path.read_text()
    head, tail = text[:text.index("rule ")], text[text.index("rule "):]
    (gateway.folder / "rules.conf").write_text(tail)
    gateway.configure(head + 'include("rules.conf")\n')
    gateway._own(gateway.folder / "rules.conf")
    gateway.start()
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    assert gateway.closing(client)["rule"] == "loopback"


def test_a_mistake_in_an_include_names_that_file(start):
    gateway = start(config='include("more.conf")\n' + SMALLEST, start=False)
    (gateway.folder / "more.conf").write_text("\n\nworkers = 5000\n")
    done = gateway.run("-t", "-c", "FILE")
    assert done.returncode == 1 and f"more.conf:3:" in done.stderr + done.stdout


@pytest.mark.parametrize("target", ["absent.conf", "sallyport.conf"], ids=["missing", "itself"])
def test_includes_that_cannot_be(start, target):
    gateway = start(config=SMALLEST + f'include("{target}")\n', start=False)
    done = gateway.run("-t", "-c", "FILE")
    assert done.returncode == 1 and target in done.stderr + done.stdout


def test_check_looks_into_the_password_file(start):
    gateway = start(methods=["userpass"], users="alice:plain\n", start=False)
    done = gateway.run("-t", "-c", "FILE")
    assert done.returncode == 1 and f"{gateway.users}:1:" in done.stderr + done.stdout


def test_a_missing_password_file(start):
    gateway = start(methods=["userpass"], start=False)
    gateway.users.unlink()
    for done in (gateway.run("-t", "-c", "FILE"), gateway.run("-c", "FILE")):
        assert done.returncode == 1 and str(gateway.users) in done.stderr + done.stdout


def test_a_port_that_is_taken(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        gateway = start(listen=[f"127.0.0.1:{taken.getsockname()[1]}"], start=False)
        done = gateway.run("-c", "FILE")
    assert done.returncode == 1 and "listen" in done.stderr and "in use" in done.stderr


def test_usage_and_version(start):
    gateway = start(start=False)
    assert gateway.run("-V").stdout.startswith("sallyportd ")
    assert "usage:" in gateway.run("-h").stdout
    for args in (("--colour",), ("extra",), ("--try", "-c", "FILE")):
        done = gateway.run(*args)
        assert done.returncode not in (0, None) and "usage:" in done.stderr


def port_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture
def quiet_namespace():
    """A network namespace where port 1080 of loopback is nobody else's."""
    if not gw.ROOT:
        if not port_free(1080):
            pytest.skip("port 1080, which --try uses, is taken, and a namespace needs root")
        yield None
        return
    name = f"try{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def fetch(namespace, port):
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    script = ('python3 -u -m http.server --bind 127.0.0.1 0 > "$1" 2>&1 & server=$!; '
              'until p=$(sed -n "s/.* port \\([0-9]*\\) .*/\\1/p" "$1") && [ -n "$p" ]; do read -t 0.05 <> <(:); done; '
              'curl -sS -o /dev/null -w "%{http_code}" --max-time 10 -x socks5h://127.0.0.1:' + str(port) +
              ' http://127.0.0.1:$p/; s=$?; kill $server; exit $s')
    return script, prefix


@pytest.mark.parametrize("args", [("--try",), ()], ids=["--try", "no file"])
def test_without_a_configuration(start, base, quiet_namespace, args):
    """The built-in one: loopback only, anybody on loopback, anywhere."""
    if not args and os.path.exists("/etc/sallyport/sallyport.conf"):
        pytest.skip("this host has /etc/sallyport/sallyport.conf")
    gateway = start(args=args, netns=quiet_namespace, start=False)
    gateway.configure('listen "x"\n')  # not read; it tells start() how many listeners to wait for
    gateway.start()
    assert all(address in ("127.0.0.1", "::1") and port == 1080 for address, port in gateway.listening)
    script, prefix = fetch(quiet_namespace, 1080)
    output = base / f"www{os.getpid()}{len(args)}"
    done = subprocess.run(prefix + ["bash", "-c", script, "bash", str(output)], capture_output=True, text=True,
                          timeout=30, cwd=base)
    assert done.stdout == "200", done.stderr
    gateway.wait_event("session.end", seconds=5)


@pytest.mark.skipif(not gw.ROOT, reason="root's own behaviour")
def test_root_without_a_file_does_not_start(start):
    if os.path.exists("/etc/sallyport/sallyport.conf"):
        pytest.skip("this host has /etc/sallyport/sallyport.conf")
    gateway = start(as_root=True, start=False)
    done = gateway.run()
    assert done.returncode == 1 and "sallyport.conf" in done.stderr and "--try" in done.stderr


def test_a_service_without_a_file_does_not_start(start):
    if os.path.exists("/etc/sallyport/sallyport.conf"):
        pytest.skip("this host has /etc/sallyport/sallyport.conf")
    gateway = start(env={"INVOCATION_ID": "0123456789abcdef"}, start=False)
    done = gateway.run()
    assert done.returncode == 1 and "sallyport.conf" in done.stderr


def test_ten_thousand_rules(start, echo):
    """Compiled once in a child; the last rule decides."""
    rules = "".join(f'rule "r{i}" {{ action = "deny" destination = {{ "198.51.100.{i % 256}/32" }} '
                    f'port = {{ "{1 + i % 60000}" }} }}\n' for i in range(10_000))
    gateway = start(rules=rules + gw.ALLOW)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
    assert gateway.closing(client)["rule"] == "loopback"
