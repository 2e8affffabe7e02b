# SPDX-License-Identifier: ISC
"""Metrics over HTTP: the numbers are what happened, none goes back, and whoever asks badly disturbs
nobody."""
import collections
import contextlib
import http.client
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import gateway as gw
from memory import holders
import socks4
import udp
from servers import dead_port
from socks import Client
from test_many import Helper
from test_privileges import users  # noqa: F401 (a fixture)
from waiting import wait_until

SAMPLES = gw.HERE.parents[1] / "etc"
OPENMETRICS = "application/openmetrics-text"
RULES = [gw.rule("no mail", "deny", port=["25"]),
         gw.rule('the \\"second\\" \\\\ rule', "deny", port=["26", "27"]),
         gw.ALLOW.replace("{ action", '{ user = { "alice" } action').replace('"loopback"', '"alice may"'),
         gw.rule("wide", user=["alice"]),
         gw.rule("anybody", method=["none"], port=["1024-65535"], destination=["127.0.0.0/8"])]
KEYS = {"methods": ("userpass", "none"), "rules": RULES, "extra": 'metrics { listen = "127.0.0.1:0" }\n'}
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def address(gateway):
    return re.search(r"metrics on (\S+?):(\d+)$", gateway.stderr(), re.M).groups()


def get(gateway, path="/metrics", method="GET", accept=None, seconds=10):
    connection = http.client.HTTPConnection(*address(gateway), timeout=seconds)
    connection.request(method, path, headers={"Accept": accept} if accept else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


class Scrape(dict):
    """(name, {label=value,...} as a frozenset) -> number."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = SAMPLE.match(line).groups()
            key = (name, frozenset(LABEL.findall(labels or "")))
            assert key not in self, f"twice: {line}"
            self[key] = float(value)

    def __call__(self, name, **labels):
        """The sum of the samples with these labels and any others."""
        wanted = set(labels.items())
        return sum(v for (n, have), v in self.items() if n == "sallyport_" + name and wanted <= have)


def scrape(gateway):
    answer, text = get(gateway, accept=OPENMETRICS)
    assert answer.status == 200, text
    return Scrape(text)


def fresh(gateway, condition, what):
    """A text is kept for a second: waits for one that fits."""
    def look():
        found = scrape(gateway)
        return found if condition(found) else None
    return wait_until(look, 10, what)


def no_counter_went_back(before, after):
    for key, value in before.items():
        if key[0].endswith(("_total", "_bucket", "_count", "_sum")):
            assert after.get(key, -1) >= value, (key, value, after.get(key))


@pytest.fixture(scope="module")
def gateway(start_shared):
    """One that has refused something."""
    gateway = start_shared(**KEYS)
    for port in (25, 26):
        ask(gateway, ("127.0.0.1", port), 2)
    return gateway


class Slow(threading.Thread):
    """A client that sends a request a letter at a time, and notes when it was thrown out."""

    def __init__(self, where):
        super().__init__(daemon=True)
        self.sock = socket.create_connection(where)
        self.begun, self.ended = time.monotonic(), None

    def run(self):
        try:
            for letter in "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: " + "x" * 1000:
                self.sock.sendall(letter.encode())
                if select.select([self.sock], [], [], 0.25)[0] and not self.sock.recv(1000):
                    break
        except OSError:
            pass
        self.ended = time.monotonic()


@pytest.fixture(scope="module")
def slow(gateway):
    host, port = address(gateway)
    clients = [Slow((host, int(port))) for _ in range(3)]
    for client in clients:
        client.start()
    return clients


def ask(gateway, target, code, **login):
    with Client(gateway) as client:
        if login:
            assert client.log_in(**login) == 0
        else:
            client.greet()
        assert client.ask(*target).code == code
    return gateway.closing(client)


def everything(gateway, echo):
    """What the next test counts."""
    with Client(gateway) as client:
        client.connect(echo.address, "alice").echo(b"x" * 1000)
    gateway.closing(client)
    for _ in range(2):
        with Client(gateway) as client:
            client.connect(echo.address).echo(b"y" * 10)
        gateway.closing(client)
    for port in (25, 25, 26, 27):
        ask(gateway, ("127.0.0.1", port), 2)
    ask(gateway, ("127.0.0.1", 80), 2)
    ask(gateway, ("169.254.1.1", 5000), 2, user="alice")
    keeper, port = dead_port()
    ask(gateway, ("127.0.0.1", port), 5)
    keeper.close()
    for _ in range(3):
        with Client(gateway) as client:
            assert client.log_in("alice", "wrong") != 0
        gateway.closing(client)
    with Client(gateway) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        client.ends_or_resets()
    gateway.closing(client)
    with socks4.Client(gateway) as client:
        client.connect(echo.address, user=b"bob").echo(b"z" * 100)
    gateway.closing(client)
    with udp.Association(gateway) as association:
        with udp.udp_socket() as server:
            association.send(server.getsockname(), b"u" * 50)
            data, peer = server.recvfrom(100)
            server.sendto(b"d" * 20, peer)
            association.receive()
    gateway.closing(association)


@pytest.mark.sanitizers
def test_values_are_what_happened(start, echo, slow):
    gateway = start(**KEYS)
    everything(gateway, echo)
    s = fresh(gateway, lambda s: s("sessions_ended_total") >= 16, "all is counted")
    assert s("sessions_total") == 16 and s("sessions_ended_total") == 16
    verdicts = collections.Counter()
    for (name, labels), value in s.items():
        if name == "sallyport_sessions_total":
            verdicts[dict(labels)["verdict"]] += value
    assert verdicts == {"accepted": 5, "denied": 6, "failed": 1, "auth-failure": 3, "protocol-error": 1}
    assert s("sessions_total", protocol="socks4", method="none", verdict="accepted") == 1
    assert s("sessions_total", protocol="socks5", method="userpass", verdict="accepted") == 1
    assert s("sessions_total", protocol="", verdict="protocol-error") == 1
    assert s("sessions_ended_total", reason="connection-refused") == 1
    assert s("payload_bytes_total", transport="tcp", direction="up") == 1120
    assert s("payload_bytes_total", transport="tcp", direction="down") == 1120
    assert s("payload_bytes_total", transport="udp", direction="up") == 50
    assert s("payload_bytes_total", transport="udp", direction="down") == 20
    assert s("datagrams_total", direction="up") == s("datagrams_total", direction="down") == 1
    assert s("authentications_total", method="userpass", outcome="success") == 2
    assert s("authentications_total", method="userpass", outcome="bad-credentials") == 3
    assert s("authentication_duration_seconds_count", method="userpass") == 5
    assert 0 < s("authentication_duration_seconds_sum", method="userpass") < 20
    assert s("connect_duration_seconds_count", result="success") == 4
    assert s("connect_duration_seconds_count", result="failure") == 1
    assert s("requests_denied_total", rule="no mail", reason="rule") == 2
    assert s("requests_denied_total", rule='the \\"second\\" \\\\ rule', reason="rule") == 2
    assert s("requests_denied_total", rule="", reason="no-rule") == 1
    assert s("requests_denied_total", reason="special-destination") == 1
    assert s("requests_denied_total") == 6
    assert s("sessions_active") == 0 and s("workers") == 2
    assert s("process_restarts_total") == 0 and s("audit_records_lost_total") == 0
    assert s("config_last_reload_successful") == 1
    assert abs(s("start_timestamp_seconds") - time.time()) < 600


def test_resolving_is_measured(start, dns):
    dns.set("exists.test", a=["127.0.0.1"])
    gateway = start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} }}\n' + KEYS["extra"])
    keeper, port = dead_port()
    ask(gateway, ("exists.test", port), 5)
    ask(gateway, ("missing.test", port), 4)
    keeper.close()
    s = scrape(gateway)
    assert s("resolve_duration_seconds_count", result="success") == 1
    assert s("resolve_duration_seconds_count", result="failure") == 1


def test_a_long_session_is_seen_at_work(gateway, echo):
    before = scrape(gateway)("payload_bytes_total", transport="tcp", direction="up")
    with Client(gateway) as client:
        client.connect(echo.address)
        for turn in range(1, 3):
            client.echo(b"a" * 5000)
            fresh(gateway, lambda s: s("payload_bytes_total", transport="tcp", direction="up")
                  == before + 5000 * turn, "bytes of a session that goes on")
            assert scrape(gateway)("sessions_active") >= 1


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (package prometheus) is missing")
def test_promtool(gateway):
    text = get(gateway)[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True,
                          timeout=20)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    assert "sallyport_requests_denied_total{" in text, "the promtool saw samples"


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (package prometheus) is missing")
def test_sample_configuration(gateway):
    """Prometheus takes the samples, and every metric that they name exists."""
    done = subprocess.run(["promtool", "check", "config", "prometheus-sallyport.yml"], cwd=SAMPLES, text=True,
                          capture_output=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr
    families = re.findall(r"^# TYPE (\w+)", get(gateway)[1], re.M)
    names = re.findall(r"sallyport_\w+", (SAMPLES / "prometheus-sallyport-rules.yml").read_text())
    assert len(names) >= 6
    for name in names:
        assert re.sub("_bucket$", "", name) in families, name


def test_openmetrics_parses(gateway):
    parser = pytest.importorskip("prometheus_client.openmetrics.parser",
                                 reason="python3-prometheus-client is missing")
    families = list(parser.text_string_to_metric_families(get(gateway, accept=OPENMETRICS)[1]))
    assert {f.type for f in families} == {"counter", "gauge", "histogram"}
    assert {f.name for f in families if f.unit == "bytes"} == {"sallyport_payload_bytes"}
    assert any(s.labels.get("rule") == 'the "second" \\ rule' for f in families for s in f.samples)


@pytest.mark.sanitizers
def test_http(gateway):
    accepts = {None: "text/plain; version=0.0.4; charset=utf-8", "*/*": "text/plain; version=0.0.4; charset=utf-8",
               OPENMETRICS + ";version=1.0.0,text/plain;q=0.5": OPENMETRICS + "; version=1.0.0; charset=utf-8",
               "text/plain, " + OPENMETRICS: OPENMETRICS + "; version=1.0.0; charset=utf-8",
               OPENMETRICS + ";q=0,text/plain": "text/plain; version=0.0.4; charset=utf-8"}
    for accept, kind in accepts.items():
        answer, text = get(gateway, accept=accept)
        assert (answer.status, answer.getheader("Content-Type")) == (200, kind), accept
        assert text.endswith("# EOF\n") == kind.startswith(OPENMETRICS)
    answer, text = get(gateway, method="HEAD")
    assert answer.status == 200 and text == "" and int(answer.getheader("Content-Length")) > 1000
    for path in ("/", "/metrics/", "/metrics2", "/../metrics", "//"):
        assert get(gateway, path)[0].status == 404, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "X"):
        answer, _ = get(gateway, method=method)
        assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD"), method
    done = subprocess.run(["curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n",
                           *["http://%s:%s/metrics" % address(gateway)] * 2, "-d", "x=" + "y" * 100000, "--next",
                           "-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://%s:%s/metrics?x=1" % address(gateway)],
                          capture_output=True, text=True, timeout=20)
    assert "405" in done.stdout and done.stdout.endswith("200"), done


@pytest.mark.sanitizers
def test_garbage(gateway):
    host, port = address(gateway)
    for data in (b"\0" * 5000, b"\x16\x03\x01\x02\x00\x01", os.urandom(3000), b"GET " + b"/" * 40000,
                 b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 5000, b"\r\n" * 100, b"GET /metrics HTTP/9.9\r\n\r\n"):
        with socket.create_connection((host, int(port)), 5) as s:
            try:
                s.sendall(data)
            except ConnectionError:
                pass
        assert get(gateway)[0].status == 200
    assert scrape(gateway)("workers") == 2
    assert len(gateway.children("metrics")) == 1 and scrape(gateway)("process_restarts_total") == 0


def test_more_clients_than_allowed(gateway):
    """Those beyond the limit wait, the ones inside are served, and afterwards all are."""
    host, port = address(gateway)
    held = [socket.create_connection((host, int(port)), 5) for _ in range(100)]
    for s in held:
        s.sendall(b"GET /metrics ")  # who says nothing is not accepted
    held[0].sendall(b"HTTP/1.0\r\n\r\n")
    assert held[0].recv(12) == b"HTTP/1.1 200", "one that is inside"
    held[-1].sendall(b"HTTP/1.0\r\n\r\n")
    assert not select.select([held[-1]], [], [], 0.3)[0], "one beyond"
    if gw.ROOT:
        open_ones = [what for what in gw.descriptors(gateway.children("metrics")[0]).values() if "socket:" in what]
        assert len(open_ones) <= 64 + 2  # with the listener and the channel
    pid = gateway.children("metrics")[0]
    gw.kill(pid, signal.SIGSTOP)  # so that they leave all at once
    for s in held[:-1]:
        s.close()
    gw.kill(pid, signal.SIGCONT)
    assert held[-1].recv(12) == b"HTTP/1.1 200"
    held[-1].close()
    wait_until(lambda: get(gateway)[0].status == 200, 5, "served again")


def test_one_address_does_not_hold_all(start):
    """Sixteen of its connections are served, and the next ones closed; who comes from elsewhere gets in."""
    gateway = start(**{**KEYS, "extra": 'metrics { listen = "0.0.0.0:0" }\n'})
    where = ("127.0.0.1", int(address(gateway)[1]))
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(where, 5)) for _ in range(16)]
        for s in held:
            s.sendall(b"GET /metrics ")
        with socket.create_connection(where, 5) as beyond:
            beyond.sendall(b"GET /metrics ")
            try:
                assert beyond.recv(1) == b""
            except ConnectionResetError:
                pass
        with socket.create_connection(where, 5, source_address=("127.0.0.2", 0)) as other:
            other.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert other.recv(12) == b"HTTP/1.1 200"
        held[-1].sendall(b"HTTP/1.0\r\n\r\n")
        assert held[-1].recv(12) == b"HTTP/1.1 200"


def test_a_flood_costs_one_text(gateway):
    """Answers within a second are one text; the data inside do not change."""
    host, port = address(gateway)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    texts, begin = set(), time.monotonic()
    for _ in range(300):
        connection.request("GET", "/metrics")
        texts.add(connection.getresponse().read())
    connection.close()
    assert len(texts) <= 2 + (time.monotonic() - begin) / 0.9


def test_limits(start, echo):
    gateway = start(methods=("userpass",), users=gw.alice(), extra=KEYS["extra"],
                    limits="sessions-per-client = 2 failures = 2 penalty = 60")
    with Client(gateway) as one, Client(gateway) as two:
        for client in (one, two):
            client.connect(echo.address, "alice")
        for _ in range(3):
            with Client(gateway) as client:
                client.send(b"\5")  # the connection is accepted with its first byte
                client.ends_or_resets()
    for _ in range(2):
        with Client(gateway, source="127.0.0.2") as client:
            assert client.log_in("alice", "wrong") != 0
        gateway.closing(client)
    s = fresh(gateway, lambda s: s("penalties_total") >= 1, "the penalty is seen")
    assert s("limits_reached_total", limit="sessions-per-client") == 3
    assert s("penalties_in_force") >= 1 and s("sessions_total", verdict="accepted") == 2


def test_a_worker_is_killed(start, echo):
    gateway = start(**KEYS)
    clients = [Client(gateway).connect(echo.address).echo(b"k" * 700) for _ in range(6)]
    ask(gateway, ("127.0.0.1", 25), 2)
    before = fresh(gateway, lambda s: s("payload_bytes_total", direction="up") == 4200, "all counted")
    for pid in gateway.children("worker"):
        os.kill(pid, signal.SIGKILL)
    after = fresh(gateway, lambda s: s("workers") == 2 and s("process_restarts_total", role="worker") == 2
                  and s("sessions_ended_total", reason="worker-lost") == 6, "both are replaced")
    no_counter_went_back(before, after)
    assert after("payload_bytes_total", direction="up") == 4200
    assert after("requests_denied_total", rule="no mail") == 1 and after("sessions_total", verdict="accepted") == 6
    ask(gateway, ("127.0.0.1", 25), 2)
    last = fresh(gateway, lambda s: s("requests_denied_total", rule="no mail") == 2, "it goes on")
    no_counter_went_back(after, last)
    for client in clients:
        client.close()
    gateway.lossy = True


@pytest.mark.sanitizers
def test_sallyport_metrics_is_killed(start, echo):
    gateway = start(**KEYS)
    with Client(gateway) as client:
        client.connect(echo.address).echo()
        before = scrape(gateway)
        os.kill(gateway.children("metrics")[0], signal.SIGKILL)
        after = fresh(gateway, lambda s: s("process_restarts_total", role="metrics") == 1, "it comes back")
        no_counter_went_back(before, after)
        client.echo(b"nothing else was disturbed")
        assert after("process_restarts_total") == 1


def test_stopped_master(start):
    """Nobody renders: an answer all the same, and a good one when the master goes on."""
    gateway = start(**KEYS)
    get(gateway)
    gw.halt(gateway.pid)
    try:
        wait_until(lambda: get(gateway, accept=OPENMETRICS)[0].status == 503, 8)
    finally:
        gateway.signal(signal.SIGCONT)
    wait_until(lambda: get(gateway)[0].status == 200, 5)


def test_a_thousand_sessions(start):
    gateway = start(workers=2, extra=KEYS["extra"], rules=gw.ALLOW)
    server = Helper("server")
    clients = Helper("clients", gateway.port, server.line(), 1000)
    took, done = [], threading.Event()

    def keep_scraping():
        while not done.is_set():
            begin = time.monotonic()
            scrape(gateway)
            took.append(time.monotonic() - begin)
        took.append(0)  # to the end, without an error

    thread = threading.Thread(target=keep_scraping)
    thread.start()
    assert clients.line() == "open 1000"
    clients.say("echo")
    assert clients.line() == "echoed 1000"
    done.set()
    thread.join(10)
    s = fresh(gateway, lambda s: s("payload_bytes_total", direction="down") == 8000, "8 bytes each")
    assert s("sessions_active") == s("sessions_total", verdict="accepted") == 1000
    assert len(took) > 5 and took[-1] == 0 and max(took) < 5, took
    clients.end()
    server.end()


def test_reload_shows(start):
    gateway = start(**KEYS)
    before = scrape(gateway)
    assert gateway.reload(gateway.config_path.read_text("latin-1") + gw.rule("late", "deny", port=["9"]))["event"] \
        == "gateway.reload"
    gateway.reload("nonsense\n")
    s = fresh(gateway, lambda s: s("config_last_reload_successful") == 0, "the bad one is seen")
    of_config = {"subject": "configuration"}
    assert s("config_reloads_total", result="success", **of_config) == 1
    assert s("config_reloads_total", result="failure", **of_config) == 1
    assert s("config_reloads_total", result="success", subject="file") >= 1
    assert s("config_generation") == before("config_generation") + 1
    assert s("config_last_reload_timestamp_seconds") > before("config_last_reload_timestamp_seconds")


def test_a_port_that_is_taken(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        gateway = start(**{**KEYS, "extra": f'metrics {{ listen = "127.0.0.1:{port}" }}\n'}, start=False)
        done = gateway.run("-c", "FILE")
        assert done.returncode == 1 and f'metrics {{ listen = "127.0.0.1:{port}" }}: Address' in done.stderr


@pytest.mark.skipif(not gw.ROOT, reason="dropping privileges needs root")
def test_privileges(users, start):  # noqa: F811
    gateway = start(as_root=True, env={"KRB5_CONFIG": "/nonexistent/krb5.conf"}, **KEYS)
    scrape(gateway)
    pid = gateway.children("metrics")[0]
    status = gw.status_of(pid)
    assert status["Uid"].split() == [str(users["worker"].pw_uid)] * 4
    assert int(status["CapPrm"], 16) == 0 and status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == gw.status_of(gateway.children("worker")[0])["Seccomp"]
    assert os.listdir(f"/proc/{pid}/root/") == [] and os.readlink(f"/proc/{pid}/root") != "/"
    assert holders([gateway.pid, pid], b"KRB5_CONFIG=/nonexistent") == [gateway.pid], "the master's alone"


def test_slow_clients_are_thrown_out(gateway, slow):
    wait_until(lambda: all(client.ended for client in slow), 25, "they are thrown out")
    assert all(8 < client.ended - client.begun < 20 for client in slow)
    assert scrape(gateway)("workers") == 2
