# SPDX-License-Identifier: ISC
"""Real clients: curl, ncat, OpenSSH through ProxyCommand, npm's socks, and each other's quirks."""
import hashlib
import http.server
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import threading

import pytest

import gateway as gw
import servers
from waiting import wait_until

BODY = b"".join(servers.chunks(3_000_000, 42))
HERE = pathlib.Path(__file__).resolve().parent


def needs(*programs):
    missing = [p for p in programs if not find(p)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {' '.join(missing)}")


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(BODY)

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.sha256(data).hexdigest().encode())

    def answer(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *unused):
        pass


class V6(http.server.ThreadingHTTPServer):
    import socket
    address_family = socket.AF_INET6


@pytest.fixture(scope="module")
def web():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def web6():
    with V6(("::1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def gateway(start_shared):
    return start_shared(methods=["userpass"], users=gw.alice() + gw.user_line("bob@EXAMPLE.COM", "p@ss:w/rd"))


@pytest.fixture(scope="module")
def open_gateway(start_shared):
    return start_shared(methods=["none"])


def run(command, seconds=30, data=None, **keys):
    done = subprocess.run(command, input=data, capture_output=True, timeout=seconds, **keys)
    return done


def curl(*args, **keys):
    return run(["curl", "-sS", "--max-time", "25", *args], env={"PATH": os.environ["PATH"]}, **keys)


@needs("curl")
@pytest.mark.parametrize("args,destination", [
    (["--socks5"], "127.0.0.1"), (["--socks5-hostname"], "localhost")], ids=["address", "name"])
def test_curl_with_user_and_password(gateway, web, args, destination):
    done = curl(*args, f"127.0.0.1:{gateway.port}", "--proxy-user", "alice:wonderland", f"http://localhost:{web}/",
                "-4")
    assert done.returncode == 0, done.stderr
    assert done.stdout == BODY
    record = gateway.wait_event("session.end", destination=f"{destination}:{web}", user="alice")
    assert int(record["bytes_down"]) > len(BODY)


@needs("curl")
def test_curl_socks5h_url(gateway, web):
    """The line that bootstrap prints has this form."""
    done = curl("-x", f"socks5h://alice:wonderland@127.0.0.1:{gateway.port}", f"http://127.0.0.1:{web}/")
    assert done.returncode == 0 and done.stdout == BODY, done.stderr


@needs("curl")
def test_curl_odd_user_and_password(gateway, web):
    done = curl("--socks5", f"127.0.0.1:{gateway.port}", "--proxy-user", "bob@EXAMPLE.COM:p@ss:w/rd",
                f"http://127.0.0.1:{web}/")
    assert done.returncode == 0, done.stderr
    gateway.wait_event("session.end", user="bob@EXAMPLE.COM")


@needs("curl")
def test_curl_wrong_password(gateway, web):
    done = curl("--socks5", f"127.0.0.1:{gateway.port}", "--proxy-user", "alice:wrong", f"http://127.0.0.1:{web}/")
    assert done.returncode == 97, done.stderr
    gateway.wait_event("auth.failure", claimed="alice")


@needs("curl")
def test_curl_without_credentials(gateway, web):
    done = curl("--socks5", f"127.0.0.1:{gateway.port}", f"http://127.0.0.1:{web}/")
    assert done.returncode == 97, done.stderr
    gateway.wait_event("protocol.error", reason="no-acceptable-method")


@needs("curl")
def test_curl_to_ipv6(open_gateway, web6):
    done = curl("--socks5-hostname", f"127.0.0.1:{open_gateway.port}", f"http://[::1]:{web6}/")
    assert done.returncode == 0 and done.stdout == BODY, done.stderr
    open_gateway.wait_event("session.end", destination=f"[::1]:{web6}")


@needs("curl")
@pytest.mark.parametrize("host,words", [("192.0.2.1", b"not allowed"), ("127.0.0.1:REFUSED", b"refused")])
def test_curl_tells_its_user_why(open_gateway, host, words):
    """The reply codes arrive: curl's messages are made from them."""
    holder, port = servers.dead_port()
    with holder:
        done = curl("--socks5", f"127.0.0.1:{open_gateway.port}", f"http://{host.replace('REFUSED', str(port))}/")
    assert done.returncode == 97
    assert b"(2)" in done.stderr if words == b"not allowed" else b"(5)" in done.stderr, done.stderr


@needs("curl")
def test_curl_posts_and_keeps_the_connection(open_gateway, web):
    url = f"http://127.0.0.1:{web}/"
    done = curl("--socks5", f"127.0.0.1:{open_gateway.port}", "--data-binary", "@-", url, url, data=BODY)
    assert done.returncode == 0 and done.stdout == hashlib.sha256(BODY).hexdigest().encode() * 2


@needs("curl")
def test_twenty_curls_at_once(gateway, web):
    command = ["curl", "-sS", "--max-time", "25", "--socks5", f"127.0.0.1:{gateway.port}", "--proxy-user",
               "alice:wonderland", f"http://127.0.0.1:{web}/"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(20)]
    for one in running:
        assert one.communicate(timeout=30)[0] == BODY


@needs("ncat")
@pytest.mark.parametrize("auth", [[], ["--proxy-auth", "alice:wonderland"]], ids=["none", "userpass"])
def test_ncat(gateway, open_gateway, auth, echo):
    proxy = gateway if auth else open_gateway
    done = run(["ncat", "--proxy-type", "socks5", "--proxy", f"127.0.0.1:{proxy.port}", *auth, "127.0.0.1",
                str(echo.port)], data=b"through ncat\n")
    assert done.stdout == b"through ncat\n", done.stderr


@needs("nc.openbsd")
def test_netcat_openbsd(open_gateway, echo):
    done = run(["nc.openbsd", "-N", "-X", "5", "-x", f"127.0.0.1:{open_gateway.port}", "127.0.0.1", str(echo.port)],
               data=b"through nc\n")
    assert done.stdout == b"through nc\n", done.stderr


@needs("curl")
def test_python_through_all_environment(open_gateway, web):
    """all_proxy, as shells export it."""
    done = run(["curl", "-sS", "--max-time", "25", f"http://127.0.0.1:{web}/"],
               env={"PATH": os.environ["PATH"], "all_proxy": f"socks5h://127.0.0.1:{open_gateway.port}"})
    assert done.stdout == BODY, done.stderr


# --- OpenSSH ---


def account():
    """Who may log in at our sshd: the user of the tests, if it is one with a shell."""
    try:
        user = pwd.getpwuid(os.geteuid())
    except KeyError:
        return None
    return None if user.pw_shell.endswith(("/nologin", "/false")) else user.pw_name


@pytest.fixture(scope="module")
def sshd(base):
    """A real sshd on loopback that lets this test's key in; (port, options for ssh)."""
    if account() is None:
        pytest.skip(f"user id {os.geteuid()} has no account with a shell to log in to")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ssh-", dir=base))
    folder.chmod(0o755)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "client.pub", folder / "authorized")
    (folder / "authorized").chmod(0o600)
    holder, port = servers.dead_port()
    holder.close()
    (folder / "sshd_config").write_text(f"""Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile {folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
""")
    made_run = gw.ROOT and not os.path.isdir("/run/sshd")
    if made_run:
        os.mkdir("/run/sshd", 0o755)
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([find("sshd"), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        wait_until(lambda: b"Server listening" in (folder / "log").read_bytes(), 10,
                   lambda: (folder / "log").read_text())
        yield port, ["-F", "none", "-i", str(folder / "client"), "-p", str(port), "-o", "StrictHostKeyChecking=no",
                     "-o", f"UserKnownHostsFile={folder}/known", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
                     "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=20"]
    finally:
        server.terminate()
        server.wait(10)


@needs("ssh", "sshd", "ssh-keygen", "ncat", "nc.openbsd")
@pytest.mark.parametrize("program", ["ncat", "ncat with a password", "nc.openbsd"])
def test_openssh_through_proxy_command(gateway, open_gateway, sshd, program):
    port, options = sshd
    proxy = gateway if "password" in program else open_gateway
    command = {
        "ncat": f"ncat --proxy-type socks5 --proxy 127.0.0.1:{proxy.port} %h %p",
        "ncat with a password": f"ncat --proxy-type socks5 --proxy 127.0.0.1:{proxy.port} "
                                "--proxy-auth alice:wonderland %h %p",
        "nc.openbsd": f"nc.openbsd -X 5 -x 127.0.0.1:{proxy.port} %h %p"}[program]
    data = BODY[:1_000_000]
    done = run(["ssh", *options, "-o", f"ProxyCommand={command}", f"{account()}@127.0.0.1", "cat"], data=data, seconds=40)
    assert done.returncode == 0, done.stderr
    assert done.stdout == data
    proxy.wait_event("session.end", destination=f"127.0.0.1:{port}")


# --- npm socks ---

NODE = gw.BUILD / "npm" / "node_modules" / "socks"
needs_npm = pytest.mark.skipif(
    not find("node") or not (NODE.exists() or (HERE.parents[1] / "build/npm/node_modules/socks").exists()),
    reason="node or build/npm/node_modules/socks is missing; bootstrap check gets it with npm")

SCRIPT = """
const { SocksClient } = require(process.argv[2]);
const [host, port, user, password, target, targetPort] = process.argv.slice(3);
const proxy = { host, port: Number(port), type: 5 };
if (user) { proxy.userId = user; proxy.password = password; }
SocksClient.createConnection({ proxy, command: 'connect', timeout: 15000,
                               destination: { host: target, port: Number(targetPort) } })
  .then(({ socket }) => {
    let got = '';
    socket.on('data', d => { got += d; if (got === 'from node') socket.end(); });
    socket.on('end', () => { console.log('got ' + got); });
    socket.write('from '); socket.write('node');
    socket.resume();
  })
  .catch(e => { console.log('error ' + e.message); process.exit(3); });
"""


def node(gateway, target, user="", password="", base=None):
    package = NODE if NODE.exists() else HERE.parents[1] / "build/npm/node_modules/socks"
    return run(["node", "-e", SCRIPT, "script", str(package), "127.0.0.1", str(gateway.port), user, password,
                target[0], str(target[1])], text=True)


@needs_npm
@pytest.mark.parametrize("target", ["127.0.0.1", "localhost", "::1"])
def test_npm_socks(open_gateway, echo, echo6, target):
    server = echo6 if ":" in target else echo
    done = node(open_gateway, (target, server.port))
    assert done.stdout.strip() == "got from node", done.stderr + done.stdout


@needs_npm
def test_npm_socks_with_password(gateway, echo):
    done = node(gateway, echo.address, "alice", "wonderland")
    assert done.stdout.strip() == "got from node", done.stderr + done.stdout
    done = node(gateway, echo.address, "alice", "wrong")
    assert done.stdout.startswith("error") and "uthentication" in done.stdout, done.stdout


@needs_npm
def test_npm_socks_is_refused_by_a_rule(open_gateway):
    done = node(open_gateway, ("192.0.2.1", 80))
    assert done.stdout.startswith("error") and "NotAllowed" in done.stdout, done.stdout
