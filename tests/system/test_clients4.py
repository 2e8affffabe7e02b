# SPDX-License-Identifier: ISC
"""Real clients of SOCKS 4, of BIND and of UDP: curl, ncat, OpenBSD's nc, proxychains4, npm's socks, dig,
an FTP server in active mode, Chromium."""
import ftplib
import hashlib
import importlib.util
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest

import gateway as gw
import servers
import socks
import socks4
import test_clients
from test_clients import BODY, NODE, account, curl, find, needs, needs_npm, run, sshd, web  # noqa: F401
from udp import Association, Peer
from waiting import wait_until

FTP = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
users = DummyAuthorizer()
users.add_user("alice", "wonderland", sys.argv[1], perm="elradfmw")
FTPHandler.authorizer = users
server = FTPServer((sys.argv[2], 0), FTPHandler)
print(server.socket.getsockname()[1], flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared()


def proxy(gateway):
    return f"127.0.0.1:{gateway.port}"


# --- curl ---


@needs("curl")
@pytest.mark.parametrize("option,protocol,destination", [
    ("--socks4", "socks4", "127.0.0.1"), ("--socks4a", "socks4a", "localhost"),
    ("--socks5", "socks5", "127.0.0.1"), ("--socks5-hostname", "socks5", "localhost")])
def test_curl(gateway, web, option, protocol, destination):  # noqa: F811
    done = curl("-4", option, proxy(gateway), f"http://localhost:{web}/")
    assert done.returncode == 0 and done.stdout == BODY, done.stderr
    wanted = {"event": "session.end", "destination": f"{destination}:{web}", "protocol": protocol}
    wait_until(lambda: any(wanted.items() <= r.items() and int(r["bytes_down"]) > len(BODY) and "user" not in r
                           for r in gateway.events()))


@needs("curl")
@pytest.mark.parametrize("scheme", ["socks4", "socks4a"])
def test_curl_claims_a_user(gateway, web, scheme):  # noqa: F811
    done = curl("-4", "-x", f"{scheme}://joe@{proxy(gateway)}", f"http://localhost:{web}/")
    assert done.returncode == 0 and done.stdout == BODY, done.stderr
    record = gateway.wait_event("session.end", claimed="joe", protocol=scheme)
    assert "user" not in record


@needs("curl")
@pytest.mark.parametrize("option", ["--socks4", "--socks4a"])
def test_curl_is_told_of_a_refusal(gateway, option):
    done = curl(option, proxy(gateway), "http://192.0.2.1/")
    assert done.returncode == 97 and b"91" in done.stderr, done.stderr


@needs("curl")
def test_curl_posts(gateway, web):  # noqa: F811
    url = f"http://127.0.0.1:{web}/"
    done = curl("--socks4", proxy(gateway), "--data-binary", "@-", url, url, data=BODY)
    assert done.stdout == hashlib.sha256(BODY).hexdigest().encode() * 2, done.stderr


# --- ncat, nc ---


@needs("ncat")
@pytest.mark.parametrize("kind", ["socks4", "socks5"])
def test_ncat(gateway, echo, kind):
    done = run(["ncat", "--proxy-type", kind, "--proxy", proxy(gateway), "127.0.0.1", str(echo.port)],
               data=b"through ncat\n")
    assert done.stdout == b"through ncat\n", done.stderr


@needs("ncat")
@pytest.mark.parametrize("kind,protocol", [("socks4", "socks4a"), ("socks5", "socks5")])
def test_ncat_leaves_names_to_the_gateway(gateway, echo, kind, protocol):
    done = run(["ncat", "--proxy-type", kind, "--proxy", proxy(gateway), "--proxy-dns", "remote", "localhost",
                str(echo.port)], data=b"through ncat\n")
    assert done.stdout == b"through ncat\n", done.stderr
    gateway.wait_event("session.end", destination=f"localhost:{echo.port}", protocol=protocol)


@needs("ncat")
def test_ncat_claims_a_user(gateway, echo):
    done = run(["ncat", "--proxy-type", "socks4", "--proxy", proxy(gateway), "--proxy-auth", "joan", "127.0.0.1",
                str(echo.port)], data=b"through ncat\n")
    assert done.stdout == b"through ncat\n", done.stderr
    gateway.wait_event("session.end", claimed="joan")


@needs("nc.openbsd")
@pytest.mark.parametrize("version", ["4", "5"])
def test_netcat_openbsd(gateway, echo, version):
    done = run(["nc.openbsd", "-N", "-X", version, "-x", proxy(gateway), "127.0.0.1", str(echo.port)],
               data=b"through nc\n")
    assert done.stdout == b"through nc\n", done.stderr


@needs("ssh", "sshd", "ssh-keygen", "nc.openbsd")
def test_openssh(gateway, sshd):  # noqa: F811
    port, options = sshd
    done = run(["ssh", *options, "-o", f"ProxyCommand=nc.openbsd -X 4 -x {proxy(gateway)} %h %p",
                f"{account()}@127.0.0.1", "cat"], data=BODY[:1_000_000], seconds=40)
    assert done.returncode == 0 and done.stdout == BODY[:1_000_000], done.stderr
    gateway.wait_event("session.end", destination=f"127.0.0.1:{port}", protocol="socks4")


# --- proxychains ---


@needs("proxychains4", "curl")
@pytest.mark.parametrize("kind", ["socks4", "socks5", "socks5 with a password"])
@pytest.mark.parametrize("host", ["127.0.0.1", "web.example.test"])
def test_proxychains(start, dns, web, base, kind, host):  # noqa: F811
    """It resolves nothing: a name goes to the gateway."""
    dns.set("web.example.test", a=["127.0.0.1"])
    password = "password" in kind
    gateway = start(methods=["userpass" if password else "none"],
                    extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} hosts = false }}')
    config = gateway.folder / "proxychains.conf"
    config.write_text("strict_chain\nproxy_dns\nremote_dns_subnet 224\ntcp_read_time_out 15000\n[ProxyList]\n"
                      f"{kind.split()[0]} 127.0.0.1 {gateway.port}{' alice wonderland' if password else ''}\n")
    done = run(["proxychains4", "-q", "-f", str(config), "curl", "-sS", "--max-time", "20", f"http://{host}:{web}/"])
    assert done.stdout == BODY, done.stderr
    record = gateway.wait_event("session.end", destination=f"{host}:{web}")
    assert record["protocol"] == (kind.split()[0] if host[0] == "1" or "5" in kind else "socks4a")


# --- npm socks: BIND and UDP ---

NPM_BIND = """
const { SocksClient } = require(process.argv[2]);
const [port, type, target] = process.argv.slice(3);
const client = new SocksClient({ proxy: { host: '127.0.0.1', port: Number(port), type: Number(type) },
  command: 'bind', timeout: 15000, destination: { host: target, port: 0 } });
client.on('error', e => { console.log('error ' + e.message); process.exit(3); });
client.on('bound', info => console.log('bound ' + info.remoteHost.host + ' ' + info.remoteHost.port));
client.on('established', ({ socket, remoteHost }) => {
  console.log('established ' + remoteHost.host + ' ' + remoteHost.port);
  let got = '';
  socket.on('data', d => { got += d; if (got === 'from the peer') socket.end('from node'); });
  socket.on('end', () => console.log('got ' + got));
  socket.resume();
});
client.connect();
"""

NPM_UDP = """
const dgram = require('dgram');
const { SocksClient } = require(process.argv[2]);
const [port, host, targetPort] = process.argv.slice(3);
const client = new SocksClient({ proxy: { host: '127.0.0.1', port: Number(port), type: 5 },
  command: 'associate', timeout: 15000, destination: { host: '0.0.0.0', port: 0 } });
client.on('error', e => { console.log('error ' + e.message); process.exit(3); });
client.on('established', ({ socket, remoteHost }) => {
  const udp = dgram.createSocket('udp4');
  udp.on('message', message => {
    const { remoteHost: from, data } = SocksClient.parseUDPFrame(message);
    console.log('got ' + data.toString() + ' from ' + from.host + ' ' + from.port);
    udp.close(); socket.destroy();
  });
  udp.send(SocksClient.createUDPFrame({ remoteHost: { host, port: Number(targetPort) },
    data: Buffer.from('from node') }), remoteHost.port, remoteHost.host);
});
client.connect();
"""


def node(script, *words, **keys):
    package = NODE if NODE.exists() else test_clients.HERE.parents[1] / "build/npm/node_modules/socks"
    return subprocess.Popen(["node", "-e", script, "script", str(package), *map(str, words)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keys)


@needs_npm
@pytest.mark.parametrize("version", [4, 5])
def test_npm_socks_binds(gateway, version):
    process = node(NPM_BIND, gateway.port, version, "127.0.0.1")
    word, host, port = process.stdout.readline().split()
    assert word == "bound" and host == "127.0.0.1", host
    with socket.create_connection((host, int(port)), 10) as peer:
        peer.sendall(b"from the peer")
        assert peer.recv(100) == b"from node"
        name = " ".join(map(str, peer.getsockname()))
    out, err = process.communicate(timeout=20)
    assert out.split("\n")[:2] == [f"established {name}", "got from the peer"], out + err


@needs_npm
def test_npm_socks_is_refused_to_bind(gateway):
    out, err = node(NPM_BIND, gateway.port, 5, "192.0.2.1").communicate(timeout=20)
    assert out.startswith("error") and "NotAllowed" in out, out + err


@needs_npm
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_npm_socks_associates(gateway, host):
    with Peer() as peer:
        out, err = node(NPM_UDP, gateway.port, host, peer.port).communicate(timeout=20)
        assert out == f"got from node from 127.0.0.1 {peer.port}\n", out + err


# --- FTP, whose server opens the data connection ---


class ActiveFtp(ftplib.FTP):
    """ftplib in active mode through the gateway: CONNECT for control, BIND for each data connection."""

    def __init__(self, gateway, target, client):
        super().__init__()
        self.gateway, self.made = gateway, client
        self.set_pasv(False)
        control = client(gateway)
        reply = control.ask(*target)
        assert reply.code in (0, 0x5A), reply
        self.host, self.port = target
        self.target = target
        self.clients = [control]
        self.sock = control.sock
        self.af = control.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()

    def ntransfercmd(self, cmd, rest=None):
        data = self.made(self.gateway)
        self.clients.append(data)
        reply = data.ask(self.target[0], 20, socks.BIND)
        assert reply.code in (0, 0x5A), reply
        host = data.sock.getpeername()[0] if reply.address == "0.0.0.0" else reply.address
        self.sendport(host, reply.port)
        answer = self.sendcmd(cmd)
        assert answer[0] == "1", answer
        assert data.reply().code in (0, 0x5A)
        return data.sock, None


@pytest.fixture(scope="module")
def ftp_server(base):
    folder = tempfile.mkdtemp(prefix="ftp-", dir=base)
    with open(os.path.join(folder, "download"), "wb") as file:
        file.write(BODY)
    with open(os.path.join(base, "ftp.log"), "wb") as log:
        process = subprocess.Popen(["/usr/bin/python3", "-c", FTP, folder, "127.0.0.1"], stdout=subprocess.PIPE,
                                   stderr=log)
    try:
        yield folder, ("127.0.0.1", int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def socks5_client(gateway):
    return socks.Client(gateway).greet()


@pytest.mark.skipif(not importlib.util.find_spec("pyftpdlib"), reason="python3-pyftpdlib is not installed")
@pytest.mark.parametrize("version", ["socks4", "socks5"])
def test_active_ftp(gateway, ftp_server, version):
    folder, target = ftp_server
    ftp = ActiveFtp(gateway, target, socks4.Client if version == "socks4" else socks5_client)
    ftp.login("alice", "wonderland")
    assert ftp.nlst() == ["download"]
    got = []
    ftp.retrbinary("RETR download", got.append)
    assert b"".join(got) == BODY
    name = f"upload-{version}"
    with open(os.path.join(folder, "download"), "rb") as file:
        ftp.storbinary(f"STOR {name}", file)
    assert ftp.size(name) == len(BODY)
    ftp.delete(name)
    ftp.quit()
    for client in ftp.clients[1:]:
        client.close()
        record = gateway.closing(client)
        assert (record["event"], record["command"]) == ("session.end", "bind")
        assert record["destination"] == "127.0.0.1:20"
    assert len(ftp.clients) == 4  # control, list, download, upload


# --- dig ---


@pytest.fixture(scope="module")
def dnsmasq(base):
    holder, port = servers.dead_port()
    holder.close()
    with open(os.path.join(base, "dnsmasq.log"), "wb") as log:
        process = subprocess.Popen(
            [find("dnsmasq"), "--keep-in-foreground", f"--port={port}", "--listen-address=127.0.0.1",
             "--bind-interfaces", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=", "--log-facility=-",
             "--host-record=www.example.test,192.0.2.5,2001:db8::5",
             *[f"--txt-record=big.example.test,{'x' * 250}" for _ in range(4)]], stderr=log)
    try:
        def answers():
            assert process.poll() is None, (base / "dnsmasq.log").read_text()
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_until(answers, 10, "dnsmasq answers")
        yield port
    finally:
        process.terminate()
        process.wait(10)


class Forwarder:
    """Datagrams that come to .port go through the association to the target, and answers back."""

    def __init__(self, association, target):
        self.association, self.target = association, target
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.ending, self.ended = socket.socketpair()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.close()
        self.thread.join(5)
        self.ending.close()
        self.sock.close()

    def _run(self):
        client = None
        while True:
            ready = select.select([self.sock, self.association.sock, self.ending], [], [])[0]
            if self.ending in ready:
                return
            if self.sock in ready:
                data, client = self.sock.recvfrom(65535)
                self.association.send(self.target, data)
            if self.association.sock in ready:
                self.sock.sendto(self.association.receive().data, client)


@needs("dig", "dnsmasq")
@pytest.mark.parametrize("question,answer", [
    (["www.example.test", "A"], "192.0.2.5"), (["www.example.test", "AAAA"], "2001:db8::5"),
    (["+bufsize=4096", "big.example.test", "TXT"], "x" * 250)], ids=["A", "AAAA", "large"])
def test_dig(gateway, dnsmasq, question, answer):
    with Association(gateway) as a, Forwarder(a, ("127.0.0.1", dnsmasq)) as forwarder:
        done = run(["dig", "@127.0.0.1", "-p", str(forwarder.port), "+time=5", "+tries=2", "+notcp", "+short",
                    *question], text=True)
        assert done.returncode == 0 and answer in done.stdout, done.stdout + done.stderr
        record = a.ended(gateway)
    assert record["command"] == "udp" and int(record["datagrams_down"]) >= 1


# --- Chromium ---

CHROMIUM = find("chromium-headless-shell") or find("chromium") or "/usr/lib/chromium/headless_shell"
needs_chromium = pytest.mark.skipif(not shutil.which(CHROMIUM), reason="chromium-headless-shell is not installed")


@needs_chromium
@pytest.mark.parametrize("scheme", ["socks5", "socks4"])
def test_chromium(start, dns, scheme, base):
    """With SOCKS 5 it sends names, with SOCKS 4 addresses; it opens several connections at once and keeps
    them."""
    dns.set("web.example.test", a=["127.0.0.1"])
    gateway = start(extra=f'resolver {{ servers = {{ "127.0.0.1:{dns.port}" }} hosts = false }}')
    host = "web.example.test" if scheme == "socks5" else "127.0.0.1"
    with servers.Server(page) as server, tempfile.TemporaryDirectory(dir=base) as folder:
        done = run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    f"--user-data-dir={folder}", f"--proxy-server={scheme}://{proxy(gateway)}",
                    "--proxy-bypass-list=<-loopback>", "--dump-dom", f"http://{host}:{server.port}/"],
                   seconds=60, env={**os.environ, "HOME": folder}, text=True)
        assert re.search("the page came", done.stdout), done.stdout + done.stderr[-2000:]
    record = gateway.wait_event("session.start", destination=f"{host}:{server.port}")
    assert record["protocol"] == scheme


def page(connection, server):
    """One answer for each request, whatever it asks for."""
    with connection:
        asked = b""
        while data := connection.recv(65536):
            asked += data
            while b"\r\n\r\n" in asked:
                _, _, asked = asked.partition(b"\r\n\r\n")
                body = b"<html><body><p>the page came</p></body></html>"
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s"
                                   % (len(body), body))
