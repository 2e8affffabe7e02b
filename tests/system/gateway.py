# SPDX-License-Identifier: ISC
"""Starts the real gateway in a folder of its own and reads what it says.

Run by root, the gateway is started as an ordinary user without a name, one of its own for each
gateway, so that tests do not share the kernel's per-user limits; as_root=True starts it as root and
lets it drop to its three users."""
import fcntl
import itertools
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

import records
from waiting import halt, stays, wait_until  # noqa: F401 (tests use them through here)

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("SALLYPORT_BUILD") or HERE.parents[1] / "build")
PROGRAMS = ("sallyportd", "sallyport-worker", "sallyport-auth", "sallyport-logger", "sallyport-metrics",
            "sallyportctl")
ROLES = {"sallyport-worke": "worker", "sallyport-auth": "auth", "sallyport-logge": "logger",
         "sallyport-metri": "metrics"}
ROOT = os.geteuid() == 0
LISTENING = re.compile(rb"listening on (\S+?):(\d+)\s*$", re.M)
BROKEN = re.compile(rb"panic:|Sanitizer|runtime error:")
LOOPBACK = ("127.0.0.0/8", "::1/128")
USERS = ("sallyport", "sallyport-auth", "sallyport-log")  # workers', pools', logger's unless configured
ALLOW = 'rule "loopback" { action = "allow" destination = { "127.0.0.0/8", "::1/128" } }\n'
REALM_USERS = ALLOW.replace("{ action", '{ user = { "*@SALLYPORT.TEST" } action')
# Those of processes that run tests side by side are interleaved, so that none is another's; tests have
# others below 30000.
SIDE_BY_SIDE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
RUN = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
_uids = itertools.count(30000 + RUN * 61 % 30000 + NUMBER, SIDE_BY_SIDE)


def quoted(words):
    return ", ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)


def rule(title, action="allow", **lists):
    """rule("web", port=["80"]): a rule section; special_ranges are opened only by naming them."""
    keys = "".join(f"    {key} = {{ {quoted(value)} }}\n" for key, value in lists.items())
    return f'rule "{title}" {{\n    action = "{action}"\n{keys}}}\n'


def user_line(name, password):
    """A line of the password file, its hash as htpasswd -B writes it."""
    done = subprocess.run(["htpasswd", "-nbB", "-C", "4", "x", password], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return f"{name}:{done.stdout.decode().strip().split(':')[1]}\n"


def listen_section(one):
    address, keys = (one, "") if isinstance(one, str) else one
    return f'listen "{address}" {{ {keys} }}\n' if keys else f'listen "{address}" {{ }}\n'


ALICE = None


def alice():
    global ALICE
    if ALICE is None:
        ALICE = user_line("alice", "wonderland")
    return ALICE


def make_users():
    """Those that the system does not have yet; by one of the processes that run tests side by side."""
    etc = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(etc, fcntl.LOCK_EX)
        for name in USERS:
            try:
                pwd.getpwnam(name)
            except KeyError:
                subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
                                "/nonexistent", "--shell", "/usr/sbin/nologin", name], check=True)
    finally:
        os.close(etc)


class Programs:
    """A folder with the programs, readable by whom the gateway runs as."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in PROGRAMS:
            shutil.copy2(BUILD / name, self.folder / name)
            (self.folder / name).chmod(0o755)
        if (BUILD / "modules").is_dir():
            shutil.copytree(BUILD / "modules", self.folder / "modules")


class Gateway:
    """Keywords become the configuration (see config_text); config= gives it whole."""

    def __init__(self, programs, base, *, config=None, as_root=False, nofile=None, netns=None,
                 args=("-c", "FILE"), env=None, start=True, repeats=False, lossy=False, uid=None,
                 outer=(), wrap=(), pass_fds=(), **keys):
        if as_root:
            make_users()
        self.programs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gw-", dir=base))
        self.uid = None if as_root or not ROOT else uid or next(_uids)
        self.folder.chmod(0o755)
        self.nofile, self.netns, self.env = nofile, netns, env or {}
        self.outer, self.wrap, self.pass_fds = list(outer), list(wrap), pass_fds
        self.args = args
        self.repeats, self.lossy = repeats, lossy
        self.log = self.folder / "audit.log"
        self.stderr_path = self.folder / "stderr"
        self.config_path = self.folder / "sallyport.conf"
        self.users = self.folder / "users"
        self.socket = self.folder / "control.sock"
        self.keytab = self.folder / "krb5.keytab"
        self.process = None
        self.stopped = False
        self.keys = keys
        self.write_users(keys.pop("users", None) or alice())
        realm = keys.pop("realm", None)
        if realm is not None:
            self._kerberos(realm, keys)
        self.configure(config or self.config_text(**keys))
        self._own(self.folder)
        if start:
            self.start()

    # --- configuration ---

    def _kerberos(self, realm, keys):
        """realm= makes a gateway of that realm: krb5_config= another KRB5_CONFIG, keytab= the bytes
        of another keytab than that of the usual services (None: there is none)."""
        config = keys.pop("krb5_config", realm.config)
        keytab = keys.pop("keytab", realm.usual_keytab)
        self.env = {"KRB5_CONFIG": config, **self.env}
        if keytab is not None:
            self.write_keytab(keytab)
        keys.setdefault("methods", ("gssapi",))

    def config_text(self, *, methods=("none",), listen=("127.0.0.1:0",), rules=ALLOW, workers=2,
                    target=None, format="keyvalue", events="session", timeouts="stop = 2",
                    userpass="processes = 1", gssapi="", control=None, limits="", extra=""):
        """listen: addresses, or (address, keys of the section); control: keys beside the socket's; limits:
        those that hold, for all the tests' clients are one address to the gateway."""
        if isinstance(rules, (list, tuple)):
            rules = "".join(rules)
        target = target or f"file:{self.log}"
        return "".join([
            f"workers = {workers}\n" if workers is not None else "",
            f"methods = {{ {quoted(methods)} }}\n",
            "".join(listen_section(one) for one in listen),
            self._gssapi_section(gssapi) if "gssapi" in methods else "",
            f'userpass {{ file = "{self.users}" {userpass} }}\n' if "userpass" in methods else "",
            f"timeouts {{ {timeouts} }}\n",
            "limits {\n" + "".join(f"    {key} = 0\n" for key in ("pending-per-client", "failures")
                                   if not re.search(rf"\b{key}\s*=", limits)) + f"    {limits}\n}}\n",
            f'log {{ target = "{target}" format = "{format}" events = "{events}" }}\n',
            f'control {{ socket = "{self.socket if control is not None else ""}" {control or ""} }}\n',
            extra, "\n", rules])

    def _gssapi_section(self, more):
        """What more does not say is as usual."""
        usual = {"keytab": f'"{self.keytab}"', "replay-cache": f'"{self.folder}/rcache"',
                 "processes": "2"}
        usual = "".join(f"    {key} = {value}\n" for key, value in usual.items()
                        if not re.search(rf"\b{key}\s*=", more))
        return f"gssapi {{\n{usual}    {more}\n}}\n"

    def configure(self, text):
        """Replaces the file at once, as an editor does."""
        new = self.folder / "sallyport.conf.new"
        new.write_text(text, encoding="latin-1")
        self._own(new)
        new.rename(self.config_path)

    def write_users(self, text):
        """Replaces the table at once, as an editor does."""
        new = self.folder / "users.new"
        new.write_text(text, encoding="latin-1")
        new.chmod(0o600)
        self._own(new)
        new.rename(self.users)

    def write_keytab(self, data, mode=0o600):
        new = self.folder / "keytab.new"
        new.write_bytes(data)
        new.chmod(mode)
        self._own(new)
        new.rename(self.keytab)

    def _own(self, path):
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    # --- running ---

    def command(self, args=None):
        args = [str(self.config_path) if a == "FILE" else str(a) for a in (self.args if args is None else args)]
        prefix = list(self.outer)
        if self.netns:
            prefix += ["ip", "netns", "exec", self.netns]
        if self.uid is not None:
            prefix += ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        if self.nofile:
            prefix += ["prlimit", f"--nofile={self.nofile}"]
        return prefix + self.wrap + [str(self.programs.folder / "sallyportd")] + args

    def environment(self):
        keep = ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
        return {**{k: os.environ[k] for k in keep if k in os.environ}, **self.env}

    def run(self, *args, seconds=20):
        """The program to its end: completed process with text."""
        return subprocess.run(self.command(args), env=self.environment(), cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", timeout=seconds)

    def ctl(self, *args, socket=None, uid=0, gid=None, groups=(), seconds=30, env=None, **more):
        """sallyportctl to its end, as root or another user."""
        prefix = []
        if ROOT and uid != 0:
            prefix = ["setpriv", f"--reuid={uid}", f"--regid={uid if gid is None else gid}",
                      f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"]
        socket = self.socket if socket is None else socket
        where = ["-s", str(socket)] if socket else []
        return subprocess.run(
            prefix + [str(self.programs.folder / "sallyportctl")] + where + [str(a) for a in args],
            env={**self.environment(), **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            timeout=seconds, **more)

    def spawn(self):
        with open(self.stderr_path, "ab") as out:
            self.process = subprocess.Popen(
                self.command(), env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, pass_fds=self.pass_fds)
        self.stopped = False
        return self

    def start(self):
        self.spawn()
        try:
            wait_until(self._up, 20, f"the gateway listens; it says: {self.stderr()[-2000:]}")
        except AssertionError:
            self.end_now()
            raise AssertionError(f"the gateway did not start:\n{self.stderr()}") from None
        return self

    def _up(self):
        status = self.process.poll()
        assert status is None, f"it ended with status {status}:\n{self.stderr()}"
        return self.running()

    def running(self):
        wanted = len(re.findall(r'^listen "', self.config_path.read_text("latin-1"), re.M))
        return len(self.listening) >= max(wanted, 1) and self.started()

    def started(self):
        """Once all children are ready the first one's record is followed by gateway.start."""
        if not self.log_is_file():
            return True
        return any(r["event"] == "gateway.start" for r in self.events())

    def log_is_file(self):
        return f'"file:{self.log}"' in self.config_path.read_text("latin-1")

    def stderr(self):
        return self.stderr_path.read_text("latin-1") if self.stderr_path.exists() else ""

    @property
    def listening(self):
        text = self.stderr_path.read_bytes() if self.stderr_path.exists() else b""
        return [(a.decode().strip("[]"), int(p)) for a, p in LISTENING.findall(text)]

    @property
    def addresses(self):
        return self.listening

    @property
    def address(self):
        return self.listening[0]

    @property
    def port(self):
        return self.listening[0][1]

    @property
    def pid(self):
        return self.process.pid

    def children(self, role=None):
        """pids of the living children, all or of one role, oldest first."""
        found = []
        for pid in children_of(self.pid):
            if role in (None, role_of(pid)) and role_of(pid):
                found.append(pid)
        return found

    def pids(self):
        return [self.pid] + self.children()

    def signal(self, number):
        self.process.send_signal(number)

    def reloads(self):
        """What became of the configuration each time it was read again."""
        return [r for r in self.events() if r["event"] == "gateway.reload-failed"
                or r["event"] == "gateway.reload" and "generation" in r]

    def reload(self, text=None, seconds=15):
        """Writes the configuration, SIGHUP, and the record that says how it went."""
        if text is not None:
            self.configure(text)
        before = len(self.reloads())
        self.signal(signal.SIGHUP)
        wait_until(lambda: len(self.reloads()) > before, seconds, "the end of the reload")
        return self.reloads()[before]

    def stop(self, seconds=20, check=True):
        """SIGTERM, wait, and look whether all is well: status 0, nothing left, a sane log."""
        if self.process is None or self.stopped:
            return None
        self.stopped = True
        children = self.children()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end_now()
            raise AssertionError(f"the gateway did not stop within {seconds} s:\n{self.stderr()}") from None
        if check:
            assert status == 0, f"status {status}:\n{self.stderr()}"
            wait_until(lambda: not any(alive(pid) for pid in children), 5, "children end with it")
            self.check()
        return status

    def check(self):
        text = self.stderr_path.read_bytes()
        assert not BROKEN.search(text), text.decode("latin-1")
        if not self.lossy:
            found = self.events()
            assert found or not self.log_is_file(), "nothing is in its log"
            records.check(found, self.repeats)

    def end_now(self):
        """SIGKILL to it and to its children; for tests that broke it."""
        pids = [p for p in self.pids() if alive(p)] if self.process else []
        for pid in pids:
            kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait(10)
        self.stopped = True

    # --- what it wrote ---

    def events(self, path=None):
        path = path or (self.log if self.log.exists() else self.stderr_path)
        return records.parse(path.read_bytes()) if path.exists() else []

    def wait_event(self, wanted, seconds=10, **fields):
        """The first record that matches: wanted is a predicate or the event's name."""
        def match(record):
            named = wanted(record) if callable(wanted) else record["event"] == wanted
            return named and all(record.get(k) == v for k, v in fields.items())

        def look():
            return next((record for record in self.events() if match(record)), None)
        try:
            return wait_until(look, seconds)
        except AssertionError:
            raise AssertionError(f"no record {wanted} {fields} within {seconds} s; last ones:\n"
                                 + "\n".join(map(str, self.events()[-12:]))) from None

    def closing(self, client, seconds=10):
        """The closing record of the connection from that socket or "address:port"."""
        name = client if isinstance(client, str) else client.name
        since = getattr(client, "since", "")
        return self.wait_event(lambda r: r["event"] in records.CLOSING
                               and r.get("client") == name and r["time"] >= since, seconds)

    def of(self, client):
        """All records of the session from that client so far."""
        name = client if isinstance(client, str) else client.name
        ids = {r["session"] for r in self.events() if r.get("client") == name and "session" in r}
        return [r for r in self.events() if r.get("session") in ids]


# --- processes, from /proc ---


def read_proc(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def stat_fields(pid):
    """(comm, fields after it) of /proc/PID/stat, or None."""
    text = read_proc(pid, "stat").decode("latin-1")
    if not text:
        return None
    return text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()


def alive(pid):
    stat = stat_fields(pid)
    return stat is not None and stat[1][0] not in "ZX"


def children_of(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = stat_fields(int(entry))
            if stat and int(stat[1][1]) == pid and stat[1][0] not in "ZX":
                found.append((int(stat[1][19]), int(entry)))
    return [child for _, child in sorted(found)]


def role_of(pid):
    stat = stat_fields(pid)
    return ROLES.get(stat[0]) if stat else None


def title_of(pid):
    return read_proc(pid, "cmdline").split(b"\0")[0].decode("latin-1")


def status_of(pid):
    lines = read_proc(pid, "status").decode("latin-1").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def cpu_seconds(pid):
    stat = stat_fields(pid)
    return sum(map(int, stat[1][11:13])) / os.sysconf("SC_CLK_TCK") if stat else 0.0


def memory_kb(pid):
    """Private and shared memory in use, by /proc/PID/status."""
    return int(status_of(pid)["VmRSS"].split()[0])


def descriptors(pid):
    """What each descriptor is; PermissionError when the process may not be looked into."""
    found = {}
    folder = f"/proc/{pid}/fd"
    for entry in os.listdir(folder):
        try:
            found[int(entry)] = os.readlink(f"{folder}/{entry}")
        except FileNotFoundError:
            continue
    return found


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


PRIVATE_DEV = r"""
set -e
dev=$(mktemp -d "$(dirname "$0")/dev.XXXXXX")
mount -t tmpfs -o mode=755 none "$dev"
for name in null zero full random urandom tty; do
    : >"$dev/$name"
    mount --bind "/dev/$name" "$dev/$name"
done
ln -s /proc/self/fd "$dev/fd"
ln -s "$0" "$dev/log"
mount --rbind "$dev" /dev
exec "$@"
"""


def syslog_at(path):
    """outer= for a gateway whose /dev/log is the socket at path: a /dev of its own in a mount
    namespace, which takes root."""
    return ["unshare", "--mount", "bash", "-c", PRIVATE_DEV, str(path)]
